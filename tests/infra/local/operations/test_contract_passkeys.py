"""Passkeys: StartWebAuthnRegistration and what follows, and USER_AUTH with WEB_AUTHN.

AWS documents each exception in a sentence. Which check comes first is our reading.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from infra.local.pool.api_model import service_model
from tests.support.contract import SESSION, Contract, refused
from tests.support.contract_mfa import app_code, set_up
from tests.support.passkey_device import PasskeyDevice

REJECTED = "The credential was not accepted."
INVALID = "The credential is not as it should be."


@dataclass
class Member:
    """A user who is signed in, and a device."""

    contract: Contract
    device: PasskeyDevice = field(default_factory=PasskeyDevice)

    def __post_init__(self) -> None:
        self.email = self.contract.member()
        self.token = {"AccessToken": self.contract.tokens(self.email)["AccessToken"]}

    def begins(self) -> dict[str, Any]:
        """Call StartWebAuthnRegistration, and return the options."""
        answer = self.contract.users.start_web_authn_registration(**self.token)
        options: dict[str, Any] = answer["CredentialCreationOptions"]
        return options

    def completes(self, credential: dict[str, Any]) -> None:
        """Call CompleteWebAuthnRegistration."""
        self.contract.users.complete_web_authn_registration(**self.token, Credential=credential)

    def registers(self, device: PasskeyDevice | None = None) -> None:
        """Make a passkey."""
        self.completes((device or self.device).create(self.begins()))

    def passkeys(self) -> list[dict[str, Any]]:
        """Call ListWebAuthnCredentials."""
        listed = self.contract.users.list_web_authn_credentials(**self.token)["Credentials"]
        return list(listed)

    def asks(self, preferred: str = "WEB_AUTHN") -> Any:
        """Call InitiateAuth."""
        return self.contract.initiate(
            "USER_AUTH", USERNAME=self.email, PREFERRED_CHALLENGE=preferred
        )

    def answers(self, asked: Any, device: PasskeyDevice | None = None) -> Any:
        """Call RespondToAuthChallenge with what the device makes of the options."""
        options = json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
        credential = json.dumps((device or self.device).get(options))
        return self.contract.respond(asked, USERNAME=self.email, CREDENTIAL=credential)


@pytest.fixture
def member(contract: Contract) -> Member:
    """Return a member without a passkey, or skip the test."""
    return Member(contract)


@pytest.fixture
def owner(member: Member) -> Member:
    """Return a member with a passkey."""
    member.registers()
    return member


def test_registering(member: Member) -> None:
    """The options are WebAuthn's; the list has the members of the model, and the passkey's id."""
    options = member.begins()
    assert options["rp"]["id"] == "localhost"
    assert options["user"]["name"] == member.email
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert {each["type"] for each in options["pubKeyCredParams"]} == {"public-key"}
    assert member.passkeys() == []
    made = member.device.create(options)
    member.completes(made)
    (listed,) = member.passkeys()
    shape = service_model().shape_for("WebAuthnCredentialDescription")
    assert set(listed) == set(shape.members)  # type: ignore[attr-defined]
    assert listed["CredentialId"] == made["id"]
    assert listed["AuthenticatorTransports"] == ["internal"]
    assert [each["id"] for each in member.begins()["excludeCredentials"]] == [made["id"]]


def test_signing_in(owner: Member) -> None:
    """The challenge names the passkeys, and the signature gives tokens."""
    asked = owner.asks()
    assert asked["ChallengeName"] == "WEB_AUTHN"
    options = json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    assert options["rpId"] == "localhost"
    (passkey,) = owner.passkeys()
    assert [each["id"] for each in options["allowCredentials"]] == [passkey["CredentialId"]]
    tokens = owner.answers(asked)["AuthenticationResult"]
    assert set(tokens) >= {"AccessToken", "IdToken", "RefreshToken"}


def test_choosing(owner: Member) -> None:
    """Without a preference, the passkey is among the choices, and can be chosen."""
    contract = owner.contract
    offered = contract.initiate("USER_AUTH", USERNAME=owner.email)
    assert offered["ChallengeName"] == "SELECT_CHALLENGE"
    assert "WEB_AUTHN" in offered["AvailableChallenges"]
    asked = contract.respond(offered, USERNAME=owner.email, ANSWER="WEB_AUTHN")
    assert "AuthenticationResult" in owner.answers(asked)
    other = Member(contract)
    offered = contract.initiate("USER_AUTH", USERNAME=other.email)
    assert "WEB_AUTHN" not in offered["AvailableChallenges"]
    with refused("InvalidParameter"):
        contract.respond(offered, USERNAME=other.email, ANSWER="WEB_AUTHN")
    assert other.asks()["ChallengeName"] == "SELECT_CHALLENGE"


def test_from_a_server(owner: Member) -> None:
    """The administrator's operations make the same checks."""
    with refused("NotAuthorized", REJECTED):
        from_a_server(owner, PasskeyDevice())
    with refused("NotAuthorized", REJECTED):
        from_a_server(owner, replace(owner.device, origin="https://example.com"))
    assert "AuthenticationResult" in from_a_server(owner, owner.device)


def from_a_server(owner: Member, device: PasskeyDevice) -> Any:
    """Call AdminInitiateAuth and AdminRespondToAuthChallenge."""
    pool = {
        "UserPoolId": owner.contract.pool.user_pool_id,
        "ClientId": owner.contract.pool.client_id,
    }
    asked = owner.contract.admin.admin_initiate_auth(
        **pool,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": owner.email, "PREFERRED_CHALLENGE": "WEB_AUTHN"},
    )
    options = json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    return owner.contract.admin.admin_respond_to_auth_challenge(
        **pool,
        ChallengeName="WEB_AUTHN",
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": owner.email, "CREDENTIAL": json.dumps(device.get(options))},
    )


def test_factors(owner: Member) -> None:
    """GetUserAuthFactors lists what a sign-in can begin with, and an authenticator app."""
    answer = owner.contract.users.get_user_auth_factors(**owner.token)
    assert set(answer["ConfiguredUserAuthFactors"]) == {"EMAIL_OTP", "PASSWORD", "WEB_AUTHN"}
    assert answer["Username"] == owner.contract.user(owner.email)["Username"]
    assert not answer.keys() & {"PreferredMfaSetting", "UserMFASettingList"}
    without = Member(owner.contract)
    answer = without.contract.users.get_user_auth_factors(**without.token)
    assert set(answer["ConfiguredUserAuthFactors"]) == {"EMAIL_OTP", "PASSWORD"}
    _, _, token = set_up(owner.contract)
    answer = owner.contract.users.get_user_auth_factors(AccessToken=token)
    assert answer["ConfiguredUserAuthFactors"] == ["PASSWORD", "SOFTWARE_TOKEN"]
    assert answer["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    assert answer["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@pytest.mark.parametrize(
    ("falsified", "exception"),
    [
        ({"origin": "https://example.com"}, "WebAuthnOriginNotAllowed"),
        ({"origin": "http://127.0.0.1:8000"}, "WebAuthnOriginNotAllowed"),
        ({"origin": "https://localhost.example.com"}, "WebAuthnOriginNotAllowed"),
        ({"party": "example.com"}, "WebAuthnRelyingPartyMismatch"),
        ({"challenge": "A" * 43}, "WebAuthnChallengeNotFound"),
        ({"verifies": False}, "InvalidParameter"),
    ],
)
def test_what_is_refused(member: Member, falsified: dict[str, Any], exception: str) -> None:
    """Each check has its exception, and keeps nothing."""
    with refused(exception):
        member.registers(PasskeyDevice(**falsified))
    assert member.passkeys() == []


@pytest.mark.parametrize(
    "falsified",
    [
        {"origin": "https://example.com"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "https://localhost.example.com"},
        {"party": "example.com"},
        {"challenge": "A" * 43},
        {"verifies": False},
        {"key": PasskeyDevice().key},
        {"credential_id": b"other"},
    ],
)
def test_what_is_refused_at_a_sign_in(owner: Member, falsified: dict[str, Any]) -> None:
    """RespondToAuthChallenge declares no exception of WebAuthn, so one stands for all."""
    with refused("NotAuthorized", REJECTED):
        owner.answers(owner.asks(), replace(owner.device, **falsified))
    assert "AuthenticationResult" in owner.answers(owner.asks())


def test_a_kind_of_key_that_nobody_knows(member: Member) -> None:
    """Cognito must be able to check the signatures."""
    made = member.device.create(member.begins())
    attestation = AttestationObject(websafe_decode(made["response"]["attestationObject"]))
    known = attestation.auth_data.credential_data
    assert known is not None
    key = {**known.public_key, 3: -999}  # 3 is COSE's label of the algorithm
    unknown = AttestedCredentialData.create(bytes(16), known.credential_id, key)
    about = AuthenticatorData.create(
        attestation.auth_data.rp_id_hash, attestation.auth_data.flags, 1, unknown
    )
    changed = websafe_encode(AttestationObject.create("none", about, {}))
    made["response"]["attestationObject"] = changed
    with refused("WebAuthnCredentialNotSupported"):
        member.completes(made)
    assert member.passkeys() == []


def test_a_page_of_a_subdomain(contract: Contract) -> None:
    """It is of the relying party, by https; a look-alike isn't."""
    config = {"RelyingPartyId": "example.com", "UserVerification": "preferred"}
    contract = contract.with_settings(mfa={"WebAuthnConfiguration": config})
    member = Member(contract, PasskeyDevice("https://app.example.com", verifies=False))
    member.registers()
    assert "AuthenticationResult" in member.answers(member.asks())
    for origin in ("http://app.example.com", "https://evilexample.com"):
        with refused("WebAuthnOriginNotAllowed"):
            member.registers(PasskeyDevice(origin))


def test_another_client(member: Member) -> None:
    """A registration belongs to the app client that began it."""
    contract = member.contract
    client = contract.admin.create_user_pool_client(
        UserPoolId=contract.pool.user_pool_id,
        ClientName="other",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]
    made = member.device.create(member.begins())
    other = Contract(replace(contract.pool, client_id=client["ClientId"]), contract.cognito)
    token = other.tokens(member.email)["AccessToken"]
    with refused("WebAuthnClientMismatch"):
        contract.users.complete_web_authn_registration(AccessToken=token, Credential=made)


def test_a_registration_is_for_one_user_once_and_soon(member: Member) -> None:
    """Nobody else can complete it, nor can it be completed twice, or later."""
    made = member.device.create(member.begins())
    with refused("WebAuthnChallengeNotFound"):
        Member(member.contract).completes(made)
    member.completes(made)
    with refused("WebAuthnChallengeNotFound"):
        member.completes(made)
    made = PasskeyDevice().create(member.begins())
    member.contract.local.clock.advance(timedelta(minutes=3))
    with refused("WebAuthnChallengeNotFound"):
        member.completes(made)


def test_a_challenge_of_a_sign_in(owner: Member) -> None:
    """It begins no registration, and neither does a session."""
    asked = owner.asks()
    options = json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    for challenge in (options["challenge"], asked["Session"]):
        with refused("WebAuthnChallengeNotFound"):
            owner.registers(PasskeyDevice(challenge=challenge))
    assert "AuthenticationResult" in owner.answers(asked)


def test_a_passkey_of_somebody_else(owner: Member) -> None:
    """An id belongs to one user."""
    with refused("InvalidParameter", INVALID):
        Member(owner.contract).registers(owner.device)


@pytest.mark.parametrize("credential", [{}, {"response": {}}, {"id": 1, "response": "x"}])
def test_no_credential(owner: Member, credential: dict[str, Any]) -> None:
    """What isn't one is refused, at both ceremonies."""
    with refused("InvalidParameter", INVALID):
        owner.completes(credential)
    for text in (json.dumps(credential), "[]", "{", "text"):
        with refused(
            "NotAuthorized" if text in (json.dumps(credential), "[]") else "InvalidParameter"
        ):
            owner.contract.respond(owner.asks(), USERNAME=owner.email, CREDENTIAL=text)


def test_twenty(owner: Member) -> None:
    """The next one is refused, until one is deleted."""
    for _ in range(19):
        owner.registers(PasskeyDevice())
    with refused("LimitExceeded"):
        owner.begins()
    owner.contract.users.delete_web_authn_credential(
        **owner.token, CredentialId=owner.passkeys()[0]["CredentialId"]
    )
    owner.begins()


def test_deleting(owner: Member) -> None:
    """A deleted passkey signs nobody in, even if the sign-in had begun."""
    (passkey,) = owner.passkeys()
    asked = owner.asks()
    deletes = owner.contract.users.delete_web_authn_credential
    deletes(**owner.token, CredentialId=passkey["CredentialId"])
    with refused("ResourceNotFound"):
        deletes(**owner.token, CredentialId=passkey["CredentialId"])
    with refused("NotAuthorized", REJECTED):
        owner.answers(asked)
    assert owner.asks()["ChallengeName"] == "SELECT_CHALLENGE"


def test_an_answer_counts_once(owner: Member) -> None:
    """A right answer uses the session up, and so does a wrong one; time does, too."""
    asked = owner.asks()
    owner.answers(asked)
    used = "Invalid session for the user, session can only be used once."
    with refused("NotAuthorized", used):
        owner.answers(asked)
    asked = owner.asks()
    with refused("NotAuthorized", REJECTED):
        owner.answers(asked, PasskeyDevice())
    with refused("NotAuthorized", used):
        owner.answers(asked)
    asked = owner.asks()
    owner.contract.local.clock.advance(SESSION)
    with refused("NotAuthorized", "Invalid session for the user, session is expired."):
        owner.answers(asked)


def test_a_counter_that_falls_behind(owner: Member) -> None:
    """It gives a copied authenticator away; a passkey that is synced has no counter."""
    copy = owner.device.copy()
    owner.answers(owner.asks())
    with refused("NotAuthorized", REJECTED):
        owner.answers(owner.asks(), copy)
    synced = PasskeyDevice(counts=0)
    owner.registers(synced)
    for _ in range(2):
        assert "AuthenticationResult" in owner.answers(owner.asks(), synced)


def test_a_session_of_somebody_else(owner: Member) -> None:
    """A passkey answers only the challenge of its owner, whoever else has one."""
    other = Member(owner.contract)
    other.registers()
    asked = owner.asks()
    with refused("NotAuthorized", REJECTED):
        owner.answers(asked, other.device)
    with refused("NotAuthorized", "Invalid session for the user."):
        other.answers(owner.asks())


def test_a_choice_counts_once(owner: Member) -> None:
    """Its session is used up, as another one begins."""
    contract = owner.contract
    offered = contract.initiate("USER_AUTH", USERNAME=owner.email)
    contract.respond(offered, USERNAME=owner.email, ANSWER="WEB_AUTHN")
    with refused("NotAuthorized", "Invalid session for the user, session can only be used once."):
        contract.respond(offered, USERNAME=owner.email, ANSWER="WEB_AUTHN")


def change_mfa(contract: Contract, **changed: Any) -> None:
    """Call SetUserPoolMfaConfig, which also replaces what isn't given."""
    app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "OPTIONAL"}
    pool_id = contract.pool.user_pool_id
    contract.admin.set_user_pool_mfa_config(UserPoolId=pool_id, **app | changed)


def test_a_pool_that_requires_a_second_factor(owner: Member) -> None:
    """Everybody needs the password."""
    kept = owner.contract.admin.get_user_pool_mfa_config(
        UserPoolId=owner.contract.pool.user_pool_id
    )["WebAuthnConfiguration"]
    change_mfa(owner.contract, MfaConfiguration="ON", WebAuthnConfiguration=kept)
    asked = owner.asks()
    assert asked["ChallengeName"] == "SELECT_CHALLENGE"
    assert "WEB_AUTHN" not in asked["AvailableChallenges"]
    change_mfa(owner.contract, WebAuthnConfiguration=kept)
    assert owner.asks()["ChallengeName"] == "WEB_AUTHN"


def test_what_a_pool_tells_of_its_passkeys(contract: Contract) -> None:
    """GetUserPoolMfaConfig returns what was set."""
    pool_id, ask = contract.pool.user_pool_id, contract.admin.get_user_pool_mfa_config
    config = {"RelyingPartyId": "localhost", "UserVerification": "required"}
    answer = ask(UserPoolId=pool_id)
    assert answer["WebAuthnConfiguration"] == config
    assert "EmailMfaConfiguration" not in answer
    email = {"Message": "Your code: {####}", "Subject": "Your code"}
    change_mfa(contract, EmailMfaConfiguration=email)
    answer = ask(UserPoolId=pool_id)
    assert "WebAuthnConfiguration" not in answer
    assert answer["EmailMfaConfiguration"] == email
    assert answer["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


@pytest.mark.parametrize("config", [{"RelyingPartyId": "example.com"}, {}])
def test_another_relying_party(owner: Member, config: dict[str, str]) -> None:
    """Makes every passkey useless, so none is offered. The owner can still delete them."""
    asked = owner.asks()
    change_mfa(owner.contract, WebAuthnConfiguration=config)
    with refused("NotAuthorized", REJECTED):
        owner.answers(asked)
    assert owner.asks()["ChallengeName"] == "SELECT_CHALLENGE"
    answer = owner.contract.users.get_user_auth_factors(**owner.token)
    assert "WEB_AUTHN" not in answer["ConfiguredUserAuthFactors"]
    (passkey,) = owner.passkeys()
    assert passkey["RelyingPartyId"] == "localhost"
    owner.contract.users.delete_web_authn_credential(
        **owner.token, CredentialId=passkey["CredentialId"]
    )


def test_a_second_factor(owner: Member) -> None:
    """A user who has one needs the password."""
    users, app = owner.contract.users, "SoftwareTokenMfaSettings"
    secret = users.associate_software_token(**owner.token)["SecretCode"]
    users.verify_software_token(**owner.token, UserCode=app_code(owner.contract, secret))
    users.set_user_mfa_preference(**owner.token, **{app: {"Enabled": True}})
    assert owner.asks()["ChallengeName"] == "SELECT_CHALLENGE"
    users.set_user_mfa_preference(**owner.token, **{app: {"Enabled": False}})
    assert owner.asks()["ChallengeName"] == "WEB_AUTHN"


@pytest.mark.parametrize(
    ("changed", "exception"),
    [
        ({"pool": {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}}, "WebAuthnNotEnabled"),
        (
            {"mfa": {"WebAuthnConfiguration": {"UserVerification": "required"}}},
            "WebAuthnConfigurationMissing",
        ),
    ],
)
def test_a_pool_without_passkeys(
    contract: Contract, changed: dict[str, Any], exception: str
) -> None:
    """It says what it lacks."""
    with refused(exception):
        Member(contract.with_settings(**changed)).begins()


def test_a_user_who_does_not_exist(contract: Contract) -> None:
    """The answer is that of a user without a passkey."""
    asked = contract.initiate(
        "USER_AUTH", USERNAME=contract.address(), PREFERRED_CHALLENGE="WEB_AUTHN"
    )
    assert asked["ChallengeName"] == "SELECT_CHALLENGE"
    member = Member(contract)
    assert asked["AvailableChallenges"] == member.asks()["AvailableChallenges"]


def test_a_disabled_user(owner: Member) -> None:
    """The signature is checked, and the answer then says that the user is disabled."""
    owner.contract.administer("admin_disable_user", owner.email)
    with refused("NotAuthorized", "User is disabled."):
        owner.answers(owner.asks())
