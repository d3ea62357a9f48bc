"""Users made by an administrator, and the temporary password with which they sign in first.

https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-create-user-accounts.html
"""

from moto.cognitoidp.models import CognitoIdpUser, UserStatus
from moto.cognitoidp.utils import expand_attrs, flatten_attrs
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.attributes import EMAIL, check_known
from infra.local.operations.request import CognitoRequest
from infra.local.pool.federated import status_of
from infra.local.pool.passwords import check_policy, new_temporary_password, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.triggers import NewUser, pre_sign_up
from infra.local.pool.user_pool import Pool

# The trigger gets this instead of an app client's id if an administrator creates the user.
ANY_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
DAY = 24 * 60 * 60


class InvitationOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def admin_create_user(self) -> ActionResult:
        """Create a user, or invite one again, and e-mail a temporary password."""
        pool, action = self.requested_pool(), self.parameters.get("MessageAction")
        policy = pool.password_policy
        password = self.parameters.get("TemporaryPassword") or new_temporary_password(policy)
        check_policy(password, policy)
        user = self._invited(pool) if action == "RESEND" else self._create(pool)
        set_temporary_password(pool, user, password)
        if action != "SUPPRESS":
            pool.invite(user, password)
        return ActionResult({"User": user.to_json(extended=True)})

    def admin_set_user_password(self) -> ActionResult:
        """Set a password, either for good or until the next sign-in."""
        pool, user = self.requested_user()
        password = self.parameters["Password"]
        check_policy(password, pool.password_policy)
        if self.parameters.get("Permanent"):
            set_password(user, password)
            self.state.account(user).unlock()
            user.status = UserStatus.CONFIRMED
        else:
            set_temporary_password(pool, user, password)
        return EmptyResult()

    def _invited(self, pool: Pool) -> CognitoIdpUser:
        """Return a user who hasn't signed in since the invitation."""
        user = self.find_user(pool, self.parameters["Username"])
        if user is None:
            raise refuse("unknown_user")
        if user.status != UserStatus.FORCE_CHANGE_PASSWORD:
            raise refuse("not_invited", status=status_of(user))
        return user

    def _create(self, pool: Pool) -> CognitoIdpUser:
        """Create a user without a password, unless the trigger refuses."""
        username = self.parameters["Username"]
        attributes = flatten_attrs(self.parameters.get("UserAttributes") or [])
        if "sub" in attributes:
            raise refuse("attribute_immutable", name="sub")
        check_known(pool, attributes)
        if pool.signs_in_by_email:
            if not EMAIL.fullmatch(username):
                raise refuse("username_not_email")
            attributes["email"] = username
        if self.find_user(pool, username):
            raise refuse("email_taken" if pool.signs_in_by_email else "username_taken")
        new = NewUser("AdminCreateUser", ANY_CLIENT, username, attributes, self.parameters)
        pre_sign_up(pool, new)
        user = CognitoIdpUser(
            user_pool_id=pool.id,
            username=None if pool.signs_in_by_email else username,
            password=None,
            status=UserStatus.FORCE_CHANGE_PASSWORD,
            attributes=expand_attrs(attributes),
        )
        pool.users[user.username] = user
        return user


def set_temporary_password(pool: Pool, user: CognitoIdpUser, password: str) -> None:
    """Give a user a password that must be replaced at the next sign-in, within the pool's limit."""
    set_password(user, password)
    user.status = UserStatus.FORCE_CHANGE_PASSWORD
    days = pool.password_policy.get("TemporaryPasswordValidityDays")
    account = pool.state.account(user)
    account.unlock()
    account.temporary_until = pool.state.clock.now() + (days or 7) * DAY
