"""The way back after a forgotten password, be it the user or an administrator who starts it.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
"""

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest, prevents_existence_errors
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool, delivery_details


class RecoveryOperations(CognitoRequest):
    """Each method is the operation of its name; the answers are what Cognito documents."""

    def forgot_password(self) -> ActionResult:
        """E-mail a code that sets a new password. A stranger can't tell who is a user.

        A user whose address isn't verified is an exception to that, as at the real one.
        """
        pool, client = self.resolve_client()
        recovery = pool.extended_config.get("AccountRecoverySetting") or {}
        if [way["Name"] for way in recovery.get("RecoveryMechanisms", [])] == ["admin_only"]:
            raise refuse("no_recovery")
        username = self.parameters["Username"]
        user = self._recovering_user(pool, client, username)
        if user is None:
            return ActionResult({"CodeDeliveryDetails": delivery_details(username)})
        if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
            raise refuse("password_not_resettable")
        if user.attribute_lookup.get("email_verified") != "true":
            raise refuse("no_verified_email")
        self.state.account(user).count_attempt("ForgotPassword", self.state.clock.now())
        return ActionResult({"CodeDeliveryDetails": pool.send_code(user, "ConfirmForgotPassword")})

    def confirm_forgot_password(self) -> ActionResult:
        """Set a new password by the code that was e-mailed. Sessions begun before it live on."""
        pool, client = self.resolve_client()
        # First, as it says nothing of anybody's account, and a mere slip shall not cost a try.
        password = self.parameters["Password"]
        check_policy(password, pool.extended_config["Policies"]["PasswordPolicy"])
        user = self._recovering_user(pool, client, self.parameters["Username"])
        if user is None:
            raise refuse("code_mismatch")
        account, now = self.state.account(user), self.state.clock.now()
        account.use_code("ConfirmForgotPassword", self.parameters["ConfirmationCode"], now)
        account.unlock()
        set_password(user, password)
        user.status = UserStatus.CONFIRMED
        # The code came by e-mail, so whoever has it reads that mailbox.
        user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        return EmptyResult()

    def admin_reset_user_password(self) -> ActionResult:
        """Make the password useless, and e-mail the code that sets a new one."""
        answer = super().admin_reset_user_password()
        pool = self.requested_pool()
        user = self.find_user(pool, self.parameters["Username"])
        if user:
            pool.send_code(user, "ConfirmForgotPassword")
        return answer

    def _recovering_user(
        self, pool: Pool, client: CognitoIdpUserPoolClient, username: str
    ) -> CognitoIdpUser | None:
        """Return the user, or None where it must look as if there might be one."""
        user = self.find_user(pool, username)
        if user and user.enabled:
            return user
        if not prevents_existence_errors(client):
            raise refuse("user_disabled" if user else "unknown_user")
        return None
