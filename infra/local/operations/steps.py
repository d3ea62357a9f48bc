"""What a sign-in asks for next: a choice of first factors, another challenge, or nothing more.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-selection-sdk.html
"""

import json
import secrets
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.cognitoidp.utils import flatten_attrs

from infra.local.operations.unknown_users import fake_delivery
from infra.local.pool.accounts import new_code
from infra.local.pool.passkeys import Passkey
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge, State
from infra.local.pool.user_pool import Pool, delivery_details

PASSWORDS = ("PASSWORD_SRP", "PASSWORD")
"""The two ways to prove a password. A pool always allows them."""

CHOSEN_WITHOUT_PASSWORD = ("WEB_AUTHN", "EMAIL_OTP")
"""The first factors whose challenge can be posed at once: a password comes with the request."""


def begin_session(state: State, challenge: Challenge) -> str:
    """Return a new session for a challenge."""
    session = secrets.token_urlsafe(96)
    state.challenges[session] = challenge
    return session


def challenge_or_tokens(
    pool: Pool, client: CognitoIdpUserPoolClient, user: CognitoIdpUser
) -> dict[str, Any]:
    """Return a challenge, or the tokens if the user has none to answer."""
    name = challenge_for(pool, user)
    if name is None:
        return pool.sign_in(client, user)
    challenge = Challenge(name, client.id, user.id, pool.session_end(client))
    parameters = {"USER_ID_FOR_SRP": user.username}
    if name == "NEW_PASSWORD_REQUIRED":
        attributes = {k: v for k, v in flatten_attrs(user.attributes).items() if k != "sub"}
        parameters |= {"requiredAttributes": "[]", "userAttributes": json.dumps(attributes)}
    if name == "MFA_SETUP":
        parameters["MFAS_CAN_SETUP"] = json.dumps(["SOFTWARE_TOKEN_MFA"])
    if name == "EMAIL_OTP":
        parameters |= _mail_code(pool, user, challenge)
    session = begin_session(pool.state, challenge)
    return {"ChallengeName": name, "ChallengeParameters": parameters, "Session": session}


def offer(
    pool: Pool,
    client: CognitoIdpUserPoolClient,
    username: str,
    user: CognitoIdpUser | None,
    preferred: str | None = None,
) -> dict[str, Any]:
    """Return the challenge of the preferred first factor, or else one to choose a factor.

    A user who doesn't exist gets the answer of one without a passkey. AWS says only that it is the
    answer of some factor that the pool allows.
    """
    has = first_factors(pool, user)
    if preferred in CHOSEN_WITHOUT_PASSWORD and preferred in has:
        return pose(pool, client, username, user, preferred)
    challenge = Challenge(
        "SELECT_CHALLENGE", client.id, user.id if user else "", pool.session_end(client)
    )
    return {
        "ChallengeName": challenge.name,
        "ChallengeParameters": {},
        "AvailableChallenges": has,
        "Session": begin_session(pool.state, challenge),
    }


def pose(
    pool: Pool,
    client: CognitoIdpUserPoolClient,
    username: str,
    user: CognitoIdpUser | None,
    name: str,
) -> dict[str, Any]:
    """Return the challenge of a first factor other than the password.

    It also looks like one for a user who doesn't exist, but nothing is e-mailed. The same goes for
    more codes than other e-mails of an hour: AWS doesn't document what Cognito does then.
    """
    challenge = Challenge(name, client.id, user.id if user else "", pool.session_end(client))
    parameters: dict[str, str] = {}
    if user and name == "WEB_AUTHN":
        passkeys = usable_passkeys(pool, user)
        options, challenge.passkey = pool.relying_party().begin_sign_in(passkeys)
        parameters["CREDENTIAL_REQUEST_OPTIONS"] = json.dumps(options)
    elif user and pool.state.account(user).may_have_code(pool.state.clock.now()):
        parameters = _mail_code(pool, user, challenge)
    else:
        email = user and user.attribute_lookup["email"]
        parameters = _sent(delivery_details(email) if email else fake_delivery(pool, username))
    session = begin_session(pool.state, challenge)
    return {"ChallengeName": name, "ChallengeParameters": parameters, "Session": session}


def first_factors(pool: Pool, user: CognitoIdpUser | None) -> list[str]:
    """Return the factors with which a user can begin a sign-in.

    If another step would follow the password, such as a second factor, only the password will do.
    A user who doesn't exist seems to have a verified address and no passkey.
    """
    has = {
        "EMAIL_OTP": user is None or user.attribute_lookup.get("email_verified") == "true",
        "WEB_AUTHN": user is not None and bool(usable_passkeys(pool, user)),
    }
    if pool.mfa_config == "ON" or (user and challenge_for(pool, user)):
        has = {}
    return [*(name for name in has if has[name] and name in pool.first_factors), *PASSWORDS]


def usable_passkeys(pool: Pool, user: CognitoIdpUser) -> list[Passkey]:
    """Return a user's passkeys for the pool's relying party. A browser finds no others."""
    party = pool.passkey_config.get("RelyingPartyId")
    passkeys = pool.state.account(user).passkeys.values()
    return [passkey for passkey in passkeys if passkey.party == party]


def _mail_code(pool: Pool, user: CognitoIdpUser, challenge: Challenge) -> dict[str, str]:
    """E-mail the code that answers a challenge, and return the challenge's parameters."""
    challenge.code = new_code()
    return _sent(pool.mail(user, challenge.code))


def _sent(sent: dict[str, str]) -> dict[str, str]:
    """Return CodeDeliveryDetails as the parameters of a challenge."""
    return {
        "CODE_DELIVERY_DELIVERY_MEDIUM": sent["DeliveryMedium"],
        "CODE_DELIVERY_DESTINATION": sent["Destination"],
    }


def challenge_for(pool: Pool, user: CognitoIdpUser) -> str | None:
    """Return the name of the challenge that a user must answer after the password, if any.

    With several active methods, the preferred one wins, or else the first of these. If the pool
    requires a second factor, one that is set up is active even if the user turned it off.
    """
    if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
        return "NEW_PASSWORD_REQUIRED"
    account, must = pool.state.account(user), pool.mfa_config == "ON"
    has_app = user.software_token_mfa_enabled or (must and account.authenticator.secret)
    has_mail = account.email_mfa or (must and user.attribute_lookup.get("email_verified") == "true")
    methods = {
        "SOFTWARE_TOKEN_MFA": pool.has_software_token_mfa and has_app,
        "EMAIL_OTP": pool.has_email_mfa and has_mail,
    }
    active = [name for name, enabled in methods.items() if enabled]
    if user.preferred_mfa_setting in active:
        return str(user.preferred_mfa_setting)
    if must and not active:
        if not pool.has_software_token_mfa:
            raise refuse("no_mfa_method")
        return "MFA_SETUP"
    return active[0] if active else None
