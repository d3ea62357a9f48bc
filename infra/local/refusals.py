"""Every refusal the local Cognito words itself: the exception, and Cognito's own message.

The messages are those of the real service as people quote them in public issues; the contract
tests hold them to a real pool when pointed at one.
"""

from moto.core.exceptions import JsonRESTError

REFUSALS = {
    # name: (exception, without its suffix "Exception"; message)
    "already_confirmed": (
        "NotAuthorized",
        "User cannot be confirmed. Current status is {status}",
    ),
    "attempt_limit": ("LimitExceeded", "Attempt limit exceeded, please try after some time."),
    "attribute_read_only": (
        "NotAuthorized",
        "A client attempted to write unauthorized attribute",
    ),
    "attribute_unknown": (
        "InvalidParameter",
        "Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.",
    ),
    "code_expired": ("ExpiredCode", "Invalid code provided, please request a code again."),
    "code_mismatch": (
        "CodeMismatch",
        "Invalid verification code provided, please try again.",
    ),
    "email_taken": ("UsernameExists", "An account with the given email already exists."),
    "email_unlike_username": (
        "InvalidParameter",
        "Attribute email must be the same as the user name.",
    ),
    "flow_not_enabled": ("InvalidParameter", "{flow} flow not enabled for this client"),
    "invalid_refresh_token": ("NotAuthorized", "Invalid Refresh Token"),
    "no_client": ("ResourceNotFound", "User pool client {client_id} does not exist."),
    "no_resend": ("InvalidParameter", "User is already confirmed."),
    "no_sign_up": ("NotAuthorized", "SignUp is not permitted for this user pool"),
    "parameter_missing": ("InvalidParameter", "Missing required parameter {name}"),
    "password_attempts": ("NotAuthorized", "Password attempts exceeded"),
    "password_policy": ("InvalidPassword", "Password did not conform with policy: {rule}"),
    "password_reset": ("PasswordResetRequired", "Password reset required for the user"),
    "refresh_token_expired": ("NotAuthorized", "Refresh Token has expired"),
    "refresh_token_revoked": ("NotAuthorized", "Refresh Token has been revoked"),
    "secret_hash_missing": (
        "NotAuthorized",
        "Client {client_id} is configured with secret but SECRET_HASH was not received",
    ),
    "secret_hash_wrong": (
        "NotAuthorized",
        "Unable to verify secret hash for client {client_id}",
    ),
    "unconfirmed": ("UserNotConfirmed", "User is not confirmed."),
    "unknown_user": ("UserNotFound", "User does not exist."),
    "user_disabled": ("NotAuthorized", "User is disabled."),
    "username_not_email": ("InvalidParameter", "Username should be an email."),
    "username_taken": ("UsernameExists", "User already exists"),
    "validation": ("InvalidParameter", "{errors}"),
    "wrong_password": ("NotAuthorized", "Incorrect username or password."),
}


def refuse(name: str, /, **values: object) -> JsonRESTError:
    """Return the refusal to raise; boto3 turns it into the typed exception. KeyError if unknown."""
    exception, message = REFUSALS[name]
    return JsonRESTError(f"{exception}Exception", message.format(**values))
