"""A user's own account: GetUser, ChangePassword and DeleteUser."""

from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.mfa import second_factors
from infra.local.operations.request import CognitoRequest, required
from infra.local.pool.passwords import check_policy, has_password, set_password


class ProfileOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def get_user(self) -> ActionResult:
        """Return the user of an access token."""
        pool, user = self.authorize()
        answer = {"Username": user.username, "UserAttributes": user.attributes}
        return ActionResult(answer | second_factors(pool, user))

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
