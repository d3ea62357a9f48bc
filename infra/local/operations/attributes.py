"""A user's attributes: who may change which, and how a new address is verified.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
"""

import re
from collections.abc import Collection

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient
from moto.cognitoidp.utils import expand_attrs, flatten_attrs
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest
from infra.local.pool.federated import is_federated
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool

# Looser than moto's check, which rejects apostrophes and letters beyond A to Z.
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
# Only Cognito or an administrator may mark an address as verified.
READ_ONLY_ATTRIBUTES = {"sub", "email_verified", "phone_number_verified"}


class AttributeOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def update_user_attributes(self) -> ActionResult:
        """Change the user's own attributes, as far as the app client may write them."""
        pool, user = self.authorize()
        attributes = flatten_attrs(self.parameters["UserAttributes"])
        check_written_by_client(pool, self._token_client(pool), attributes)
        check_mutable(pool, attributes)
        if not EMAIL.fullmatch(attributes.get("email", "a@example.com")):
            raise refuse("email_invalid")
        return ActionResult({"CodeDeliveryDetailsList": change(pool, user, attributes)})

    def admin_update_user_attributes(self) -> ActionResult:
        """Change a user's attributes. An administrator can mark an address as verified."""
        pool, user = self.requested_user()
        attributes = flatten_attrs(self.parameters["UserAttributes"])
        check_known(pool, attributes)
        check_mutable(pool, attributes)
        change(pool, user, attributes)
        return EmptyResult()

    def delete_user_attributes(self) -> ActionResult:
        """Delete the user's own attributes, as far as the app client may write them."""
        pool, user = self.authorize()
        names = self.parameters["UserAttributeNames"]
        check_written_by_client(pool, self._token_client(pool), names)
        delete(pool, user, names)
        return EmptyResult()

    def admin_delete_user_attributes(self) -> ActionResult:
        """Delete attributes, except those that identify the user."""
        pool, user = self.requested_user()
        delete(pool, user, self.parameters["UserAttributeNames"])
        return EmptyResult()

    def get_user_attribute_verification_code(self) -> ActionResult:
        """E-mail a code that verifies the user's address, or the one that is to replace it."""
        pool, user = self.authorize()
        account = self.state.account(user)
        to = account.pending_email or user.attribute_lookup.get("email")
        if self.parameters["AttributeName"] != "email" or not to:
            raise refuse("attribute_not_verifiable")
        operation = "GetUserAttributeVerificationCode"
        account.count_attempt(operation, self.state.clock.now())
        details = pool.send_code(user, "VerifyUserAttribute", to)
        return ActionResult({"CodeDeliveryDetails": details})

    def verify_user_attribute(self) -> ActionResult:
        """Verify an address with the e-mailed code. A pending one replaces the old one now."""
        pool, user = self.authorize()
        if self.parameters["AttributeName"] != "email":
            raise refuse("attribute_not_verifiable")
        account = self.state.account(user)
        account.use_code("VerifyUserAttribute", self.parameters["Code"], self.state.clock.now())
        attributes = {"email_verified": "true"}
        if account.pending_email:
            check_free(pool, user, account.pending_email)
            attributes["email"], account.pending_email = account.pending_email, None
        user.update_attributes(expand_attrs(attributes))
        return EmptyResult()

    def _token_client(self, pool: Pool) -> CognitoIdpUserPoolClient:
        """Return the app client of the access token, or refuse if it was deleted since.

        AWS doesn't document the error: it is not certain.
        """
        client = pool.clients.get(self.token_client_id())
        if client is None:
            raise refuse("invalid_access_token")
        return client


def delete(pool: Pool, user: CognitoIdpUser, names: list[str]) -> None:
    """Delete a user's attributes, or refuse if one of them never changes or is the user's name."""
    check_known(pool, names)
    check_mutable(pool, names)
    if pool.signs_in_by_email and "email" in names and not is_federated(user):
        raise refuse("attribute_immutable", name="email")
    pool.backend.admin_delete_user_attributes(pool.id, user.username, names)


def change(pool: Pool, user: CognitoIdpUser, attributes: dict[str, str]) -> list[dict[str, str]]:
    """Change a user's attributes. A new address is unverified, and a code is e-mailed to it.

    If the pool says so, the new address counts only once it is verified. Returns the details of the
    e-mail, if any.
    """
    now = user.attribute_lookup
    for name in {"email", "phone_number"} & attributes.keys():
        if attributes[name] != now.get(name):
            attributes.setdefault(f"{name}_verified", "false")
    email = attributes.get("email", now.get("email"))
    if email == now.get("email"):
        user.update_attributes(expand_attrs(attributes))
        return []
    check_free(pool, user, str(email))
    account = pool.state.account(user)
    # It was e-mailed to another address.
    account.codes.pop("VerifyUserAttribute", None)
    account.pending_email = None
    is_verified = attributes["email_verified"] == "true"
    needs_code = not is_verified and pool.verifies_email
    settings = pool.extended_config.get("UserAttributeUpdateSettings") or {}
    if needs_code and "email" in settings.get("AttributesRequireVerificationBeforeUpdate", []):
        account.pending_email = attributes.pop("email")
        del attributes["email_verified"]
    user.update_attributes(expand_attrs(attributes))
    return [pool.send_code(user, "VerifyUserAttribute", email)] if needs_code else []


def check_free(pool: Pool, user: CognitoIdpUser, email: str) -> None:
    """Refuse an address with which another user signs in."""
    if pool.signs_in_by_email and not is_federated(user):
        other = CognitoRequest.find_user(pool, email)
        if other and other is not user:
            raise refuse("email_is_alias")


def check_written_by_client(
    pool: Pool, client: CognitoIdpUserPoolClient, names: Collection[str]
) -> None:
    """Refuse attributes that a client may not write, and those that the pool lacks.

    A client that lists none may write the standard attributes.
    """
    check_known(pool, names)
    listed: list[str] = client.extended_config.get("WriteAttributes") or []
    for name in names:
        is_open = name in listed if listed else not name.startswith(("custom:", "dev:"))
        if name in READ_ONLY_ATTRIBUTES or not is_open:
            raise refuse("attribute_read_only")


def check_known(pool: Pool, names: Collection[str]) -> None:
    """Refuse attributes that the pool lacks. Only Cognito itself writes `identities`."""
    for name in names:
        if name not in pool.schema_attributes:
            raise refuse("attribute_unknown", name=name)


def check_mutable(pool: Pool, names: Collection[str]) -> None:
    """Refuse attributes that never change once a user has them, such as `sub`."""
    for name in names:
        if not pool.schema_attributes[name].mutable:
            raise refuse("attribute_immutable", name=name)
