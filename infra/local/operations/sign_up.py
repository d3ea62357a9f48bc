"""Account creation: SignUp, ConfirmSignUp and ResendConfirmationCode."""

from moto.cognitoidp.models import CognitoIdpUser, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.attributes import (
    EMAIL,
    READ_ONLY_ATTRIBUTES,
    check_written_by_client,
)
from infra.local.operations.request import CognitoRequest, prevents_existence_errors
from infra.local.operations.unknown_users import fake_delivery
from infra.local.pool.federated import status_of
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.triggers import NewUser, pre_sign_up


class SignUpOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def sign_up(self) -> ActionResult:
        """Create an unconfirmed user and e-mail the confirmation code."""
        pool, client = self.resolve_client()
        email = username = self.parameters["Username"]
        if pool.extended_config.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
            raise refuse("no_sign_up")
        if pool.signs_in_by_email and not EMAIL.fullmatch(username):
            raise refuse("username_not_email")
        attributes = flatten_attrs(self.parameters.get("UserAttributes") or [])
        check_written_by_client(pool, client, attributes)
        if pool.signs_in_by_email:
            if pool.normalize_username(
                attributes.setdefault("email", email)
            ) != pool.normalize_username(email):
                raise refuse("email_username_mismatch")
            attributes["email_verified"] = "false"
        password = self.parameters.get("Password", "")
        check_policy(password, pool.password_policy)
        user = CognitoIdpUser(
            user_pool_id=pool.id,
            username=None if pool.signs_in_by_email else username,
            password=None,
            status=UserStatus.UNCONFIRMED,
            attributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        # First: the time must not reveal who has an account.
        set_password(user, password)
        if self.find_user(pool, username):
            raise refuse("email_taken" if pool.signs_in_by_email else "username_taken")
        given = {k: v for k, v in attributes.items() if k not in READ_ONLY_ATTRIBUTES}
        pre_sign_up(pool, NewUser("SignUp", client.id, user.username, given, self.parameters))
        pool.users[user.username] = user
        answer = {"UserConfirmed": False, "UserSub": user.id}
        if pool.verifies_email and "email" in attributes:
            answer["CodeDeliveryDetails"] = pool.send_code(user, "ConfirmSignUp")
        return ActionResult(answer)

    def confirm_sign_up(self) -> ActionResult:
        """Confirm a user with the e-mailed code, which also verifies the address."""
        pool, client = self.resolve_client()
        user = self.find_user(pool, self.parameters["Username"])
        if user is None:
            raise refuse("code_mismatch" if prevents_existence_errors(client) else "unknown_user")
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("already_confirmed", status=status_of(user))
        account = self.state.account(user)
        account.use_code(
            "ConfirmSignUp", self.parameters["ConfirmationCode"], self.state.clock.now()
        )
        user.status = UserStatus.CONFIRMED
        user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        return EmptyResult()

    def admin_confirm_sign_up(self) -> ActionResult:
        """Confirm a user without a code, which verifies no address."""
        _, user = self.requested_user()
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("already_confirmed", status=status_of(user))
        user.status = UserStatus.CONFIRMED
        return EmptyResult()

    def resend_confirmation_code(self) -> ActionResult:
        """E-mail a new code, which replaces the old one. Don't reveal who is a user."""
        pool, client = self.resolve_client()
        username = self.parameters["Username"]
        user = self.find_user(pool, username)
        if user is None:
            if not prevents_existence_errors(client):
                raise refuse("unknown_user")
            return ActionResult({"CodeDeliveryDetails": fake_delivery(pool, username)})
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("no_resend")
        self.state.account(user).count_attempt("ResendConfirmationCode", self.state.clock.now())
        return ActionResult({"CodeDeliveryDetails": pool.send_code(user, "ConfirmSignUp")})
