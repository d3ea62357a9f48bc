"""A call of our Cognito client for every operation that it uses."""

from collections.abc import Callable

from app.cognito import Cognito

EMAIL = "ada@example.com"
PASSWORD = "Correct-horse-9"

CALLS: dict[str, Callable[[Cognito], object]] = {
    "SignUp": lambda client: client.sign_up(EMAIL, PASSWORD),
    "ResendConfirmationCode": lambda client: client.resend_code(EMAIL),
    "ConfirmSignUp": lambda client: client.confirm(EMAIL, "123456"),
    "InitiateAuth": lambda client: client.sign_in(EMAIL, PASSWORD),
    "RespondToAuthChallenge": lambda client: client.answer_challenge(
        EMAIL, "SOFTWARE_TOKEN_MFA", "s" * 20, "123456"
    ),
    "GetTokensFromRefreshToken": lambda client: client.refresh("a-refresh-token"),
    "RevokeToken": lambda client: client.sign_out("a-refresh-token"),
    "GlobalSignOut": lambda client: client.sign_out_everywhere("a-token"),
    "ForgotPassword": lambda client: client.forgot_password(EMAIL),
    "ConfirmForgotPassword": lambda client: client.reset_password(EMAIL, "123456", PASSWORD),
    "ChangePassword": lambda client: client.change_password("a-token", PASSWORD, "A-horse-10"),
    "GetUser": lambda client: client.get_user("a-token"),
    "UpdateUserAttributes": lambda client: client.set_name("a-token", "Ada"),
    "VerifyUserAttribute": lambda client: client.verify_email("a-token", "123456"),
    "DeleteUser": lambda client: client.delete_user("a-token"),
    "AssociateSoftwareToken": lambda client: client.set_up_mfa("a-token"),
    "VerifySoftwareToken": lambda client: client.verify_mfa("a-token", "123456"),
    "SetUserMFAPreference": lambda client: client.remove_mfa("a-token"),
    "GetUserAuthFactors": lambda client: client.get_profile("a-token"),
    "StartWebAuthnRegistration": lambda client: client.begin_passkey("a-token"),
    "CompleteWebAuthnRegistration": lambda client: client.add_passkey("a-token", {"id": "x"}),
    "ListWebAuthnCredentials": lambda client: client.list_passkeys("a-token"),
    "DeleteWebAuthnCredential": lambda client: client.delete_passkey("a-token", "x"),
}
"""A call for every operation. Some ask Cognito other things, too."""
