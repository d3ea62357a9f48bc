"""Account creation: SignUp, ConfirmSignUp and ResendConfirmationCode."""

from moto.cognitoidp.models import CognitoIdpUser, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.attributes import (
    EMAIL,
    READ_ONLY_ATTRIBUTES,
    check_written_by_client,
)
from infra.local.operations.challenges import open_challenge
from infra.local.operations.request import CognitoRequest, prevents_existence_errors
from infra.local.operations.sign_in import allowed_flows
from infra.local.operations.steps import begin_session
from infra.local.operations.unknown_users import fake_delivery
from infra.local.pool.federated import status_of
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge
from infra.local.pool.triggers import NewUser, pre_sign_up


class SignUpOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def sign_up(self) -> ActionResult:
        """Create an unconfirmed user and e-mail the confirmation code.

        If the client may sign people in by USER_AUTH, the answer begins a session, which leads to a
        first sign-in without the password.
        """
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
        if password or "EMAIL_OTP" not in pool.first_factors:
            check_policy(password, pool.password_policy)
        user = CognitoIdpUser(
            user_pool_id=pool.id,
            username=None if pool.signs_in_by_email else username,
            password=None,
            status=UserStatus.UNCONFIRMED,
            attributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        # First: the time must not reveal who has an account.
        if password:
            set_password(user, password)
        if self.find_user(pool, username):
            raise refuse("email_taken" if pool.signs_in_by_email else "username_taken")
        given = {k: v for k, v in attributes.items() if k not in READ_ONLY_ATTRIBUTES}
        pre_sign_up(pool, NewUser("SignUp", client.id, user.username, given, self.parameters))
        pool.users[user.username] = user
        answer = {"UserConfirmed": False, "UserSub": user.id}
        if pool.verifies_email and "email" in attributes:
            answer["CodeDeliveryDetails"] = pool.send_code(user, "ConfirmSignUp")
        if "USER_AUTH" in allowed_flows(client):
            begun = Challenge("SignUp", client.id, user.id, pool.session_end(client))
            answer["Session"] = begin_session(self.state, begun)
        return ActionResult(answer)

    def confirm_sign_up(self) -> ActionResult:
        """Confirm a user with the e-mailed code, which also verifies the address.

        If the client may use USER_AUTH, return a session for InitiateAuth. If the session of the
        user's sign-up was given, that one needs no password. A wrong code leaves the session open.
        """
        pool, client = self.resolve_client()
        user = self.find_user(pool, self.parameters["Username"])
        if user is None:
            raise refuse("code_mismatch" if prevents_existence_errors(client) else "unknown_user")
        if user.status != UserStatus.UNCONFIRMED:
            raise refuse("already_confirmed", status=status_of(user))
        session = self.parameters.get("Session")
        begun = open_challenge(self.state, session, "SignUp", client.id) if session else None
        if begun and begun.sub != user.id:
            raise refuse("invalid_session")
        account = self.state.account(user)
        account.use_code(
            "ConfirmSignUp", self.parameters["ConfirmationCode"], self.state.clock.now()
        )
        user.status = UserStatus.CONFIRMED
        user.update_attributes([{"Name": "email_verified", "Value": "true"}])
        if "USER_AUTH" not in allowed_flows(client):
            return EmptyResult()
        expires_at = begun.expires_at if begun else pool.session_end(client)
        ready = Challenge("ConfirmSignUp", client.id, user.id, expires_at)
        if begun:
            begun.used = ready.verified = True
        return ActionResult({"Session": begin_session(self.state, ready)})

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
