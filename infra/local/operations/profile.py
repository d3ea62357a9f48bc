"""A user's own account: GetUser, ChangePassword and DeleteUser."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest, required
from infra.local.pool.passwords import check_policy, has_password, set_password


class ProfileOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def get_user(self) -> ActionResult:
        """Return the user of an access token."""
        pool, user = self.authorize()
        methods = [
            ("SOFTWARE_TOKEN_MFA", user.software_token_mfa_enabled),
            ("EMAIL_OTP", pool.state.account(user).email_mfa),
        ]
        answer: dict[str, Any] = {"Username": user.username, "UserAttributes": user.attributes}
        if active := [name for name, enabled in methods if enabled]:
            answer["UserMFASettingList"] = active
        if user.preferred_mfa_setting:
            answer["PreferredMfaSetting"] = user.preferred_mfa_setting
        return ActionResult(answer)

    def change_password(self) -> ActionResult:
        """Replace the password, given the present one. All sessions stay valid.

        A user of an identity provider has no password, so every password is wrong. People report
        that Cognito refuses such a user, but not the error's message: ours is not certain.
        """
        pool, user = self.authorize()
        # Check this first, for the same reasons as in ConfirmForgotPassword.
        proposed = self.parameters["ProposedPassword"]
        check_policy(proposed, pool.password_policy)
        previous = required(self.parameters, "PreviousPassword")
        account, now = self.state.account(user), self.state.clock.now()
        account.count_attempt("ChangePassword", now)
        account.check_password(now, right=has_password(user, previous))
        set_password(user, proposed)
        return EmptyResult()

    def delete_user(self) -> ActionResult:
        """Delete the user."""
        pool, user = self.authorize()
        pool.backend.admin_delete_user(pool.id, user.username)
        return EmptyResult()
