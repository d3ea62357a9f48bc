"""Password reset, started by the user or by an administrator.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
"""

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest, prevents_existence_errors
from infra.local.operations.unknown_users import fake_delivery
from infra.local.pool.federated import lacks_password
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool


class RecoveryOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def forgot_password(self) -> ActionResult:
        """E-mail a code that sets a new password. The answer doesn't reveal who is a user.

        A user with an unverified address is an exception, as in Cognito.
        """
        pool, client = self.resolve_client()
        recovery = pool.extended_config.get("AccountRecoverySetting") or {}
        if [way["Name"] for way in recovery.get("RecoveryMechanisms", [])] == ["admin_only"]:
            raise refuse("no_recovery")
        username = self.parameters["Username"]
        user = self._recovering_user(pool, client, username)
        if user is None:
            return ActionResult({"CodeDeliveryDetails": fake_delivery(pool, username)})
        if user.status == UserStatus.FORCE_CHANGE_PASSWORD or lacks_password(user):
            raise refuse("password_not_resettable")
        if user.attribute_lookup.get("email_verified") != "true":
            raise refuse("no_verified_email")
        self.state.account(user).count_attempt("ForgotPassword", self.state.clock.now())
        return ActionResult({"CodeDeliveryDetails": pool.send_code(user, "ConfirmForgotPassword")})

    def confirm_forgot_password(self) -> ActionResult:
        """Set a new password with the e-mailed code. Existing sessions stay valid."""
        pool, client = self.resolve_client()
        # First: it reveals nothing about an account, and a typo should not cost an attempt.
        password = self.parameters["Password"]
        check_policy(password, pool.password_policy)
        user = self._recovering_user(pool, client, self.parameters["Username"])
        if user is None:
            raise refuse("code_mismatch")
        account, now = self.state.account(user), self.state.clock.now()
        account.use_code("ConfirmForgotPassword", self.parameters["ConfirmationCode"], now)
        account.unlock()
        set_password(user, password)
        user.status = UserStatus.CONFIRMED
        # The code was e-mailed, so it also proves that the user reads that mailbox.
        user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        return EmptyResult()

    def admin_reset_user_password(self) -> ActionResult:
        """Invalidate the password, and e-mail a code that sets a new one."""
        pool, user = self.requested_user()
        if not user.enabled:
            raise refuse("user_disabled")
        if user.status not in (UserStatus.CONFIRMED, UserStatus.RESET_REQUIRED):
            raise refuse("password_not_resettable")
        if user.attribute_lookup.get("email_verified") != "true":
            raise refuse("no_verified_email")
        pool.send_code(user, "ConfirmForgotPassword")
        user.status = UserStatus.RESET_REQUIRED
        return EmptyResult()

    def _recovering_user(
        self, pool: Pool, client: CognitoIdpUserPoolClient, username: str
    ) -> CognitoIdpUser | None:
        """Return the user, or None if the answer must hide that there is none."""
        user = self.find_user(pool, username)
        if user and user.enabled:
            return user
        if not prevents_existence_errors(client):
            raise refuse("user_disabled" if user else "unknown_user")
        return None
