"""Every error that the local Cognito raises itself: its type and Cognito's message.

The messages are the real service's as quoted in public issues, or our own wording if nobody quotes
one. The contract tests compare the quoted ones with a real pool, if you name one.
"""

from moto.core.exceptions import JsonRESTError

REFUSALS = {
    # name: (exception, without its suffix "Exception"; message)
    "access_token_expired": ("NotAuthorized", "Access Token has expired"),
    "access_token_revoked": ("NotAuthorized", "Access Token has been revoked"),
    "access_token_without_scope": (
        "NotAuthorized",
        "Access Token does not have required scopes",
    ),
    "already_confirmed": (
        "NotAuthorized",
        "User cannot be confirmed. Current status is {status}",
    ),
    "attempt_limit": ("LimitExceeded", "Attempt limit exceeded, please try after some time."),
    "attribute_immutable": ("InvalidParameter", "user.{name}: Attribute cannot be updated.\n"),
    "attribute_not_verifiable": (
        "InvalidParameter",
        "Only the attribute email can be verified here, and only if the user has one.",
    ),
    "attribute_read_only": (
        "NotAuthorized",
        "A client attempted to write unauthorized attribute",
    ),
    "attribute_unknown": (
        "InvalidParameter",
        "Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.",
    ),
    "body_not_object": ("Serialization", "The body is not a JSON object."),
    "code_expired": ("ExpiredCode", "Invalid code provided, please request a code again."),
    "code_mismatch": (
        "CodeMismatch",
        "Invalid verification code provided, please try again.",
    ),
    "email_invalid": ("InvalidParameter", "Invalid email address format."),
    "email_is_alias": ("AliasExists", "An account with the given email already exists."),
    "email_taken": ("UsernameExists", "An account with the given email already exists."),
    "email_username_mismatch": (
        "InvalidParameter",
        "Attribute email must be the same as the user name.",
    ),
    "factor_not_available": ("InvalidParameter", "The factor {factor} is not available."),
    "flow_not_enabled": ("InvalidParameter", "{flow} flow not enabled for this client"),
    "flow_not_implemented": (
        "UnsupportedOperation",
        "The local Cognito doesn't implement the flow {flow}.",
    ),
    "flow_not_supported": ("InvalidParameter", "Initiate Auth method not supported."),
    "function_missing": (
        "UnexpectedLambda",
        "{trigger} invocation failed due to error ResourceNotFoundException.",
    ),
    "function_output": ("InvalidLambdaResponse", "Unrecognizable lambda output"),
    "function_refused": ("UserLambdaValidation", "{trigger} failed with error {error}."),
    "invalid_access_token": ("NotAuthorized", "Invalid Access Token"),
    "invalid_refresh_token": ("NotAuthorized", "Invalid Refresh Token"),
    "invalid_session": ("NotAuthorized", "Invalid session for the user."),
    "mfa_federated": (
        "InvalidParameter",
        "A user of an identity provider can't have a second factor.",
    ),
    "mfa_not_set_up": (
        "InvalidParameter",
        "User does not have delivery config set to turn on {method}",
    ),
    "mfa_not_verified": ("InvalidParameter", "User has not verified software token mfa"),
    "no_client": ("ResourceNotFound", "User pool client {client_id} does not exist."),
    "no_email": ("InvalidParameter", "User has no email address."),
    "no_group": ("ResourceNotFound", "Group not found."),
    "no_mfa_method": (
        "InvalidUserPoolConfiguration",
        "The user pool requires a second factor, but has none.",
    ),
    "no_passkey": ("ResourceNotFound", "The credential does not exist."),
    "no_relying_party": (
        "WebAuthnConfigurationMissing",
        "The user pool has no relying party.",
    ),
    "no_recovery": ("NotAuthorized", "Contact administrator to reset password."),
    "no_resend": ("InvalidParameter", "User is already confirmed."),
    "no_sign_up": ("NotAuthorized", "SignUp is not permitted for this user pool"),
    "no_software_token": (
        "SoftwareTokenMFANotFound",
        "Software Token MFA does not exist for the user.",
    ),
    "no_software_token_mfa": (
        "SoftwareTokenMFANotFound",
        "Software Token MFA has not been enabled by the userPool.",
    ),
    "no_token_revocation": (
        "UnsupportedOperation",
        "Token revocation is not enabled for this client.",
    ),
    "no_verified_email": (
        "InvalidParameter",
        (
            "Cannot reset password for the user as there is no registered/verified email or"
            " phone_number"
        ),
    ),
    "challenge_not_implemented": (
        "InvalidParameter",
        "The local Cognito doesn't implement the challenge {challenge}.",
    ),
    "choice_not_implemented": (
        "InvalidParameter",
        "The local Cognito doesn't implement the choice {choice}.",
    ),
    "client_not_authorized": ("Unauthorized", "Client is not authorized."),
    "otp_wrong": ("CodeMismatch", "Invalid code or auth state for the user."),
    "parameter_missing": ("InvalidParameter", "Missing required parameter {name}"),
    "password_attempts": ("NotAuthorized", "Password attempts exceeded"),
    "password_not_resettable": (
        "NotAuthorized",
        "User password cannot be reset in the current state.",
    ),
    "password_policy": ("InvalidPassword", "Password did not conform with policy: {rule}"),
    "password_reset": ("PasswordResetRequired", "Password reset required for the user"),
    "provider_name": (
        "InvalidParameter",
        "A provider of the type {type} must have the name {type}.",
    ),
    "provider_unknown": (
        "InvalidParameter",
        "The provider {provider} does not exist for User Pool {pool}.",
    ),
    "passkey_challenge": (
        "WebAuthnChallengeNotFound",
        "The registration has expired, or was never begun.",
    ),
    "passkey_client": (
        "WebAuthnClientMismatch",
        "Another app client began the registration.",
    ),
    "passkey_invalid": ("InvalidParameter", "The credential is not as it should be."),
    "passkey_not_supported": (
        "WebAuthnCredentialNotSupported",
        "The credential's algorithm is not supported.",
    ),
    "passkey_origin": (
        "WebAuthnOriginNotAllowed",
        "The page is not of the relying party.",
    ),
    "passkey_party": (
        "WebAuthnRelyingPartyMismatch",
        "The credential is for another relying party.",
    ),
    "passkey_wrong": ("NotAuthorized", "The credential was not accepted."),
    "passkeys_off": ("WebAuthnNotEnabled", "Passkeys are not enabled for this user pool."),
    "refresh_token_expired": ("NotAuthorized", "Refresh Token has expired"),
    "refresh_token_reused": (
        "RefreshTokenReuse",
        "Refresh token has been invalidated by rotation.",
    ),
    "refresh_token_revoked": ("NotAuthorized", "Refresh Token has been revoked"),
    "secret_hash_missing": (
        "NotAuthorized",
        "Client {client_id} is configured with secret but SECRET_HASH was not received",
    ),
    "secret_hash_wrong": (
        "NotAuthorized",
        "Unable to verify secret hash for client {client_id}",
    ),
    "session_expired": ("NotAuthorized", "Invalid session for the user, session is expired."),
    "session_used": (
        "NotAuthorized",
        "Invalid session for the user, session can only be used once.",
    ),
    "software_token_not_verified": (
        "EnableSoftwareTokenMFA",
        "Code mismatch and fail enable Software Token MFA",
    ),
    "software_token_used": (
        "ExpiredCode",
        "Your software token has already been used once.",
    ),
    "software_token_wrong": ("CodeMismatch", "Invalid code received for user"),
    "srp_key_invalid": ("InvalidParameter", "SRP_A is not a key of the group."),
    "too_many_passkeys": ("LimitExceeded", "The user has as many passkeys as are allowed."),
    "temporary_password_expired": (
        "NotAuthorized",
        "Temporary password has expired and must be reset by an administrator.",
    ),
    "timestamp_invalid": (
        "InvalidParameter",
        "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.",
    ),
    "token_not_refresh": ("UnsupportedTokenType", "Only refresh tokens can be revoked."),
    "unconfirmed": ("UserNotConfirmed", "User is not confirmed."),
    "not_invited": (
        "UnsupportedUserState",
        "Resend not possible. {status} status is not FORCE_CHANGE_PASSWORD",
    ),
    "operation_not_implemented": (
        "UnknownOperation",
        "The local Cognito doesn't implement {operation}.",
    ),
    "unknown_user": ("UserNotFound", "User does not exist."),
    "user_disabled": ("NotAuthorized", "User is disabled."),
    "username_not_email": ("InvalidParameter", "Username should be an email."),
    "username_taken": ("UsernameExists", "User already exists"),
    "validation": ("InvalidParameter", "{errors}"),
    "wrong_type": ("Serialization", "{name} must be of the type {type}."),
    "wrong_password": ("NotAuthorized", "Incorrect username or password."),
}


def refuse(name: str, /, **values: object) -> JsonRESTError:
    """Return an error to raise; boto3 maps it to the typed exception. KeyError if unknown."""
    exception, message = REFUSALS[name]
    return JsonRESTError(f"{exception}Exception", message.format(**values))
