"""Google users in a pool: created at their first sign-in, and updated at each later one."""

from typing import Any

from moto.cognitoidp.models import CognitoIdpIdentityProvider, CognitoIdpUser

from infra.local.pool.federated import EXTERNAL_PROVIDER, identity
from infra.local.pool.refusals import refuse
from infra.local.pool.triggers import NewUser, pre_sign_up
from infra.local.pool.user_pool import Pool

PROVIDER = "Google"


def federated_user(
    pool: Pool, provider: CognitoIdpIdentityProvider, client_id: str, claims: dict[str, Any]
) -> CognitoIdpUser:
    """Create or update the user of a Google account, and return it.

    Raises an error if the trigger refuses the user, an attribute is immutable or the user is
    disabled.
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-specifying-attribute-mapping.html
    """
    mapping: dict[str, str] = provider.extended_config["AttributeMapping"]
    subject = str(claims[mapping.get("username", "sub")])
    # If the claim `email_verified` is not mapped, the address is unverified.
    attributes = {"email_verified": "false"} if "email" in mapping else {}
    attributes |= {
        attribute: as_text(claims[claim])
        for attribute, claim in mapping.items()
        if attribute != "username" and claim in claims
    }
    username = pool.normalize_username(f"{provider.name}_{subject}")
    user = pool.users.get(username)
    if user is None:
        # Cognito tells the trigger of these two as well.
        told = attributes | {"cognito:email_alias": "", "cognito:phone_number_alias": ""}
        pre_sign_up(pool, NewUser("ExternalProvider", client_id, username, told))
        attributes["identities"] = identity(provider.name, subject, pool.state.clock.now())
        user = CognitoIdpUser(pool.id, username, None, EXTERNAL_PROVIDER, to_list(attributes))
        pool.users[username] = user
        pool.join_provider_groups(user)
        return user
    if not user.enabled:
        raise refuse("user_disabled")
    for name in mapping:
        # Cognito rejects the update even if the value stays the same.
        if name in pool.schema_attributes and not pool.schema_attributes[name].mutable:
            raise refuse("attribute_immutable", name=name)
    user.update_attributes(to_list(attributes))
    return user


def as_text(claim: object) -> str:
    """Return a claim's value as an attribute string."""
    return str(claim).lower() if isinstance(claim, bool) else str(claim)


def to_list(attributes: dict[str, str]) -> list[dict[str, str]]:
    """Return attributes in the API's format."""
    return [{"Name": name, "Value": value} for name, value in attributes.items()]
