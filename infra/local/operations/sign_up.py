"""Account creation: SignUp, ConfirmSignUp, ResendConfirmationCode and AdminCreateUser."""

import re

from moto.cognitoidp.models import CognitoIdpUser, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest, prevents_existence_errors
from infra.local.pool.federated import status_of
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.triggers import NewUser, pre_sign_up
from infra.local.pool.user_pool import Pool, delivery_details

# Looser than moto's check, which rejects apostrophes and letters beyond A to Z.
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
# Only Cognito may mark an address as verified.
READ_ONLY_ATTRIBUTES = {"sub", "email_verified", "phone_number_verified"}
# The trigger gets this instead of an app client's id if an administrator creates the user.
ANY_CLIENT = "CLIENT_ID_NOT_APPLICABLE"


class SignUpOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def sign_up(self) -> ActionResult:
        """Create an unconfirmed user and e-mail the confirmation code."""
        pool, client = self.resolve_client()
        email = username = self.parameters["Username"]
        if pool.extended_config.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
            raise refuse("no_sign_up")
        if pool.signs_in_by_email and not EMAIL.fullmatch(username):
            raise refuse("username_not_email")
        attributes = flatten_attrs(self.parameters.get("UserAttributes") or [])
        check_attributes(pool, attributes)
        if pool.signs_in_by_email:
            if pool.normalize_username(
                attributes.setdefault("email", email)
            ) != pool.normalize_username(email):
                raise refuse("email_username_mismatch")
            attributes["email_verified"] = "false"
        password = self.parameters.get("Password", "")
        check_policy(password, pool.extended_config["Policies"]["PasswordPolicy"])
        if self.find_user(pool, username):
            raise refuse("email_taken" if pool.signs_in_by_email else "username_taken")
        user = CognitoIdpUser(
            user_pool_id=pool.id,
            username=None if pool.signs_in_by_email else username,
            password=None,
            status=UserStatus.UNCONFIRMED,
            attributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        given = {k: v for k, v in attributes.items() if k not in READ_ONLY_ATTRIBUTES}
        pre_sign_up(pool, NewUser("SignUp", client.id, user.username, given, self.parameters))
        set_password(user, password)
        pool.users[user.username] = user
        answer = {"UserConfirmed": False, "UserSub": user.id}
        verifies_email = "email" in pool.extended_config.get("AutoVerifiedAttributes", [])
        if verifies_email and "email" in attributes:
            answer["CodeDeliveryDetails"] = pool.send_code(user, "ConfirmSignUp")
        return ActionResult(answer)

    def confirm_sign_up(self) -> ActionResult:
        """Confirm a user with the e-mailed code, which also verifies the address."""
        pool, client = self.resolve_client()
        user = self.find_user(pool, self.parameters["Username"])
        if user is None:
            raise refuse("code_mismatch" if prevents_existence_errors(client) else "unknown_user")
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("already_confirmed", status=status_of(user))
        account = self.state.account(user)
        account.use_code(
            "ConfirmSignUp", self.parameters["ConfirmationCode"], self.state.clock.now()
        )
        user.status = UserStatus.CONFIRMED
        user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        return EmptyResult()

    def resend_confirmation_code(self) -> ActionResult:
        """E-mail a new code, which replaces the old one. Don't reveal who is a user."""
        pool, client = self.resolve_client()
        username = self.parameters["Username"]
        user = self.find_user(pool, username)
        if user is None:
            if not prevents_existence_errors(client):
                raise refuse("unknown_user")
            return ActionResult({"CodeDeliveryDetails": delivery_details(username)})
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("no_resend")
        self.state.account(user).count_attempt("ResendConfirmationCode", self.state.clock.now())
        return ActionResult({"CodeDeliveryDetails": pool.send_code(user, "ConfirmSignUp")})

    def admin_create_user(self) -> ActionResult:
        """Run the trigger, then let moto create the user."""
        pool, username = self.requested_pool(), self.parameters["Username"]
        if self.parameters.get("MessageAction") != "RESEND" and not self.find_user(pool, username):
            attributes = flatten_attrs(self.parameters.get("UserAttributes") or [])
            if pool.signs_in_by_email:
                attributes["email"] = username
            user = NewUser("AdminCreateUser", ANY_CLIENT, username, attributes, self.parameters)
            pre_sign_up(pool, user)
        return super().admin_create_user()


def check_attributes(pool: Pool, attributes: dict[str, str]) -> None:
    """Refuse attributes that the pool lacks, and those that only Cognito may set."""
    for name in attributes:
        if name in READ_ONLY_ATTRIBUTES:
            raise refuse("attribute_read_only")
        if name not in pool.schema_attributes:
            raise refuse("attribute_unknown", name=name)
