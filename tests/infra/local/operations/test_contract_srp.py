"""The flow USER_SRP_AUTH, which AWS's own browser clients use by default, as in Cognito."""

import base64
import hmac
import re
from collections.abc import Callable

import pytest

from tests.support.contract import PASSWORD, SESSION, Contract, claims, refused
from tests.support.contract_mfa import answer, app_code, set_up
from tests.support.contract_srp import EVERY_FLOW, ONLY_SRP, srp_begin, srp_finish, srp_sign_in
from tests.support.srp import N, SrpClient

WRONG = "Incorrect username or password."
NEW = "Another-Horse-2"


@pytest.fixture
def srp_pool(contract: Contract) -> Contract:
    """Return a pool with a client that allows every flow."""
    return contract.with_settings(client=EVERY_FLOW)


def test_sign_in(srp_pool: Contract) -> None:
    """The right password leads to tokens, and a wrong one doesn't."""
    email = srp_pool.member()
    tokens = srp_sign_in(srp_pool, email.upper())["AuthenticationResult"]
    assert claims(srp_pool, tokens["AccessToken"])["sub"] == srp_pool.user(email)["sub"]
    assert {*tokens} == {"AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"}
    srp_pool.users.get_user(AccessToken=tokens["AccessToken"])
    for wrong in ("Wrong-Horse-1", PASSWORD.upper(), f"{PASSWORD} "):
        with refused("NotAuthorized", WRONG):
            srp_sign_in(srp_pool, email, wrong)


def test_the_challenge(srp_pool: Contract) -> None:
    """It has what the clients read, and no session. Each one is different."""
    email = srp_pool.member()
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    challenge, other = (srp_begin(srp_pool, email, srp) for _ in range(2))
    assert challenge["ChallengeName"] == "PASSWORD_VERIFIER"
    assert "Session" not in challenge
    given = challenge["ChallengeParameters"]
    assert {*given} == {"SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"}
    assert given["USERNAME"] == given["USER_ID_FOR_SRP"] == srp_pool.user(email)["Username"]
    assert given["SALT"] == other["ChallengeParameters"]["SALT"]
    for name in ("SECRET_BLOCK", "SRP_B"):
        assert given[name] != other["ChallengeParameters"][name]


def test_a_pool_that_signs_in_by_user_name(contract: Contract) -> None:
    """The user's id for SRP is then the user name."""
    names = {"UsernameAttributes": [], "UsernameConfiguration": {"CaseSensitive": True}}
    contract = contract.with_settings(pool=names, client=EVERY_FLOW, google=False)
    email = [{"Name": "email", "Value": "ada@example.com"}]
    contract.sign_up("ada", UserAttributes=email)
    contract.confirm("ada", contract.code("ada@example.com"))
    assert srp_sign_in(contract, "ada")["AuthenticationResult"]


Change = Callable[[Contract, str], None]


def reset(contract: Contract, email: str) -> None:
    """Reset the password with the e-mailed code."""
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)


def change(contract: Contract, email: str) -> None:
    """Change the password with an access token."""
    token = contract.tokens(email)["AccessToken"]
    contract.users.change_password(
        AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=NEW
    )


def administer(contract: Contract, email: str) -> None:
    """Have an administrator set the password."""
    contract.administer("admin_set_user_password", email, Password=NEW, Permanent=True)


def replace_temporary(contract: Contract, email: str) -> None:
    """Replace a temporary password, which was proven by SRP."""
    contract.administer("admin_set_user_password", email, Password="Temporary-1", Permanent=False)
    challenge = srp_sign_in(contract, email, "Temporary-1")
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=NEW)


@pytest.mark.parametrize("way", [reset, change, administer, replace_temporary])
def test_every_new_password_can_be_proven(srp_pool: Contract, way: Change) -> None:
    """However a password is set, SRP knows the new one, and no longer the old one."""
    email = srp_pool.member()
    way(srp_pool, email)
    assert srp_sign_in(srp_pool, email, NEW)["AuthenticationResult"]
    with refused("NotAuthorized", WRONG):
        srp_sign_in(srp_pool, email)


def test_a_changed_address(srp_pool: Contract) -> None:
    """The proof doesn't depend on the address, so that it can change."""
    email, other = srp_pool.member(), srp_pool.address()
    attributes = [{"Name": "email", "Value": other}, {"Name": "email_verified", "Value": "true"}]
    srp_pool.administer("admin_update_user_attributes", email, UserAttributes=attributes)
    assert srp_sign_in(srp_pool, other)["AuthenticationResult"]


def test_a_second_factor(srp_pool: Contract) -> None:
    """After the proof, the user needs the app's code."""
    email, secret, _ = set_up(srp_pool)
    challenge = srp_sign_in(srp_pool, email)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert answer(srp_pool, email, challenge, app_code(srp_pool, secret))["AuthenticationResult"]


@pytest.mark.parametrize(
    "changed",
    [
        {"PASSWORD_CLAIM_SIGNATURE": base64.b64encode(b"x" * 32).decode()},
        {"PASSWORD_CLAIM_SIGNATURE": "nonsense!"},
        {"PASSWORD_CLAIM_SIGNATURE": "é"},
        {"PASSWORD_CLAIM_SIGNATURE": "\ud800"},
        {"PASSWORD_CLAIM_SECRET_BLOCK": base64.b64encode(b"x" * 512).decode()},
        {"TIMESTAMP": "Tue Nov 3 08:05:10 UTC 2026"},
        {"USERNAME": "somebody@example.com"},
    ],
    ids=str,
)
def test_a_tampered_proof(srp_pool: Contract, changed: dict[str, str]) -> None:
    """A proof is for one user, one exchange and one time, and none is accepted without it."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    challenge = srp_begin(srp_pool, srp_pool.member(), srp)
    answers = srp.answers(challenge, "Tue Nov 3 08:05:09 UTC 2026")
    with refused("NotAuthorized", WRONG):
        srp_finish(srp_pool, answers | changed)


@pytest.mark.parametrize("time", ["Tue Nov 03 08:05:09 UTC 2026", "Wed Nov 3 08:05:09 UTC 2026"])
def test_a_timestamp_in_another_form(srp_pool: Contract, time: str) -> None:
    """Cognito signs its own writing: a leading zero or a wrong weekday makes the proof wrong."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    challenge = srp_begin(srp_pool, srp_pool.member(), srp)
    with refused("NotAuthorized", WRONG):
        srp_finish(srp_pool, srp.answers(challenge, time))


@pytest.mark.parametrize("time", ["2026-11-03T08:05:09Z", "Tue Nov 3 08:05:09 IST 2026", "x"])
def test_no_timestamp(srp_pool: Contract, time: str) -> None:
    """The error shows the format."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    answers = srp.answers(srp_begin(srp_pool, srp_pool.member(), srp), time)
    with refused(
        "InvalidParameter", "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
    ):
        srp_finish(srp_pool, answers)


def test_a_missing_answer(srp_pool: Contract) -> None:
    """The error names it."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    answers = srp.answers(srp_begin(srp_pool, srp_pool.member(), srp))
    for name in answers:
        with refused("InvalidParameter", f"Missing required parameter {name}"):
            srp_finish(srp_pool, {key: answers[key] for key in answers if key != name})


@pytest.mark.parametrize(
    "key", ["0", f"{N:x}", f"{2 * N:x}", "-1", "0x2", "1_0", "zz", "f" * 2000], ids=range(8)
)
def test_a_key_that_gives_the_proof_away(srp_pool: Contract, key: str) -> None:
    """With such a key, anybody could compute the shared secret without the password."""
    with refused("InvalidParameter"):
        srp_pool.initiate("USER_SRP_AUTH", USERNAME=srp_pool.member(), SRP_A=key)


def test_a_proof_is_used_once(srp_pool: Contract) -> None:
    """Neither a right nor a wrong proof leaves the exchange open for another."""
    email = srp_pool.member()
    for password in (PASSWORD, "Wrong-Horse-1"):
        srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
        challenge = srp_begin(srp_pool, email, srp)
        right = srp.answers(challenge)
        if password == PASSWORD:
            srp_finish(srp_pool, right)
        else:
            wrong = base64.b64encode(b"x" * 32).decode()
            with refused("NotAuthorized", WRONG):
                srp_finish(srp_pool, right | {"PASSWORD_CLAIM_SIGNATURE": wrong})
        with refused("NotAuthorized", WRONG):
            srp_finish(srp_pool, right)


def test_a_late_proof(srp_pool: Contract) -> None:
    """The exchange lasts as long as other challenges."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    challenge = srp_begin(srp_pool, srp_pool.member(), srp)
    srp_pool.local.clock.advance(SESSION)
    with refused("NotAuthorized", WRONG):
        srp_finish(srp_pool, srp.answers(challenge))


def test_another_client(srp_pool: Contract) -> None:
    """An exchange is for the app client that began it."""
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    answers = srp.answers(srp_begin(srp_pool, srp_pool.member(), srp))
    made = srp_pool.admin.create_user_pool_client(
        UserPoolId=srp_pool.pool.user_pool_id, ClientName="other", **ONLY_SRP
    )
    with refused("NotAuthorized", WRONG):
        srp_pool.users.respond_to_auth_challenge(
            ClientId=made["UserPoolClient"]["ClientId"],
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=answers,
        )


def test_wrong_proofs_lock_the_account(srp_pool: Contract) -> None:
    """They count like wrong passwords, and a lock holds for both ways."""
    email = srp_pool.member()
    for _ in range(5):
        with refused("NotAuthorized", WRONG):
            srp_sign_in(srp_pool, email, "Wrong-Horse-1")
    for sign_in in (srp_sign_in, Contract.sign_in):
        with refused("NotAuthorized", "Password attempts exceeded"):
            sign_in(srp_pool, email)


def test_an_unknown_user(srp_pool: Contract) -> None:
    """The challenge looks like a user's, and is the same for a name in any case."""
    known, unknown = srp_pool.member(), srp_pool.address()
    srp = SrpClient(srp_pool.pool.user_pool_id, PASSWORD)
    fake, again, real = (
        srp_begin(srp_pool, name, srp)["ChallengeParameters"]
        for name in (unknown, unknown.upper(), known)
    )
    for name in ("SALT", "USERNAME", "USER_ID_FOR_SRP"):
        assert fake[name] == again[name] != real[name]
        assert re.sub(r"\w", "x", fake[name]) == re.sub(r"\w", "x", real[name])
    assert len(fake["SECRET_BLOCK"]) == len(real["SECRET_BLOCK"])
    assert abs(len(fake["SRP_B"]) - len(real["SRP_B"])) < 8
    with refused("NotAuthorized", WRONG):
        srp_sign_in(srp_pool, unknown)


@pytest.mark.parametrize("is_case_sensitive", [True, False])
def test_an_unknown_user_name(contract: Contract, *, is_case_sensitive: bool) -> None:
    """In a pool that signs in by user name, USERNAME is that name for anybody."""
    names = {
        "UsernameAttributes": [],
        "UsernameConfiguration": {"CaseSensitive": is_case_sensitive},
    }
    contract = contract.with_settings(pool=names, client=EVERY_FLOW, google=False)
    contract.administer("admin_create_user", "known")
    srp = SrpClient(contract.pool.user_pool_id, PASSWORD)
    for typed in ("known", "unknown"):
        challenge = srp_begin(contract, typed, srp)["ChallengeParameters"]
        assert (challenge["USERNAME"], challenge["USER_ID_FOR_SRP"]) == (typed, typed)
        with refused("NotAuthorized", WRONG):
            srp_sign_in(contract, typed, "Wrong-Horse-1")


def test_secret_hash(contract: Contract) -> None:
    """A client with a secret proves it in both steps, each for the user name that it sends."""
    contract = contract.with_settings(client={**EVERY_FLOW, "GenerateSecret": True})
    described = contract.admin.describe_user_pool_client(
        UserPoolId=contract.pool.user_pool_id, ClientId=contract.pool.client_id
    )

    def proof(username: str) -> str:
        secret = described["UserPoolClient"]["ClientSecret"].encode()
        digest = hmac.digest(secret, f"{username}{contract.pool.client_id}".encode(), "sha256")
        return base64.b64encode(digest).decode()

    email = contract.address()
    contract.sign_up(email, SecretHash=proof(email))
    contract.confirm(email, contract.code(email), SecretHash=proof(email))
    srp = SrpClient(contract.pool.user_pool_id, PASSWORD)
    with refused("NotAuthorized"):
        srp_begin(contract, email, srp)
    answers = srp.answers(srp_begin(contract, email, srp, SECRET_HASH=proof(email)))
    with refused("NotAuthorized"):
        srp_finish(contract, answers)
    answers["SECRET_HASH"] = proof(answers["USERNAME"])
    assert srp_finish(contract, answers)["AuthenticationResult"]


def test_the_templates_client_has_no_srp(contract: Contract) -> None:
    """It allows only USER_PASSWORD_AUTH. A client that lists no flows allows SRP."""
    with refused("InvalidParameter", "USER_SRP_AUTH flow not enabled for this client"):
        srp_sign_in(contract, contract.address())
    contract = contract.with_settings(client={"ExplicitAuthFlows": []})
    assert srp_sign_in(contract, contract.member())["AuthenticationResult"]
