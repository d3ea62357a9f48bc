"""The PreSignUp function of infra/template.yaml, run against the local Cognito."""

import copy
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.local.admin_client import boto3_client
from infra.local.oauth.federation import federated_user
from infra.local.pool.template import load
from infra.local.pool.user_pool import all_pools
from infra.local.server import LocalCognito, LocalPool
from tests.support import faulty
from tests.support.faulty import Behaviour, Error, FaultyCognito, Fine

Event = dict[str, Any]
Handler = Callable[[Event, object], Event]

PROPERTIES = load()["Resources"]["PreSignUpFunction"]["Properties"]
SOURCE = PROPERTIES["Code"]["ZipFile"]
MARKERS = ["email_not_verified", "email_taken"]
GOOGLE, SIGN_UP = "PreSignUp_ExternalProvider", "PreSignUp_SignUp"


def lambda_environment(url: str) -> dict[str, str]:
    """Return the environment variables that Lambda sets and boto3 reads, and Cognito's URL."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": url,
        "NO_PROXY": "*",
    }


@pytest.fixture(scope="module")
def function() -> Callable[[str], Handler]:
    """Return a loader of the function for a Cognito's URL."""

    def function(url: str) -> Handler:
        namespace: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in lambda_environment(url).items():
                patch.setenv(name, value)
            patch.setattr(boto3, "DEFAULT_SESSION", None)
            exec(compile(SOURCE, "index.py", "exec"), namespace)  # noqa: S102 - our own template
        found: Handler = namespace[PROPERTIES["Handler"].removeprefix("index.")]
        return found

    return function


@pytest.fixture(scope="module")
def handler(function: Callable[[str], Handler], cognito: LocalCognito) -> Handler:
    """Return the function, connected to the local Cognito."""
    return function(cognito.url)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultyCognito]:
    """Return a Cognito whose responses a test sets."""
    with FaultyCognito() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def beside_upstream(function: Callable[[str], Handler], upstream: FaultyCognito) -> Handler:
    """Return the function, connected to `upstream`."""
    return function(upstream.url)


def event(source: str, email: str, pool_id: str = "us-east-1_abc", **attributes: str) -> Event:
    """Return an event as Cognito sends it.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html
    """
    own = {"email_verified": "true", "cognito:email_alias": "", "cognito:phone_number_alias": ""}
    return {
        "version": "1",
        "region": "us-east-1",
        "userPoolId": pool_id,
        "userName": "Google_118234567890123456789" if source == GOOGLE else str(uuid4()),
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example2"},
        "triggerSource": source,
        "request": {
            "userAttributes": (own if source == GOOGLE else {}) | {"email": email} | attributes,
            "validationData": None,
        },
        "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    }


def passes(handler: Handler, given: Event) -> bool:
    """Return whether the function returns the event unchanged."""
    return handler(copy.deepcopy(given), None) == given


def refusal(handler: Handler, given: Event) -> str:
    """Check that the function refuses an event, and return the error's message."""
    with pytest.raises(Exception, match=r".+") as refused:
        handler(given, None)
    assert type(refused.value).__name__ == "RefusedError"
    return str(refused.value)


def makes_account(cognito: LocalCognito, pool: LocalPool, email: str, *, verified: bool) -> Any:
    """Create an account with a password, and return it."""
    admin = boto3_client(cognito.url, pool.region)
    return admin.admin_create_user(
        UserPoolId=pool.user_pool_id,
        Username=email,
        MessageAction="SUPPRESS",
        UserAttributes=[
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": str(verified).lower()},
        ],
    )["User"]


def makes_google_account(pool: LocalPool, email: str) -> str:
    """Create an account as a sign-in with Google does, and return its name."""
    (found,) = (each for each in all_pools() if each.id == pool.user_pool_id)
    claims = {"sub": str(uuid4().int), "email": email, "email_verified": True}
    provider = found.identity_providers["Google"]
    return str(federated_user(found, provider, pool.client_id, claims).username)


def someone() -> str:
    """Return an unused address."""
    return f"ada.{uuid4().hex}@example.com"


# Two sign-ups with one address


@pytest.mark.parametrize("source", [GOOGLE, SIGN_UP])
def test_a_new_address_passes_unchanged(handler: Handler, pool: LocalPool, source: str) -> None:
    """The function doesn't confirm, verify or link the new user."""
    assert passes(handler, event(source, someone(), pool.user_pool_id))


@pytest.mark.parametrize("said", ["false", "", "True", None])
def test_google_must_have_verified_the_address(
    upstream: FaultyCognito, beside_upstream: Handler, said: str | None
) -> None:
    """An unverified address is refused without a call to Cognito."""
    given = event(GOOGLE, someone())
    given["request"]["userAttributes"]["email_verified"] = said
    upstream.calls.clear()
    assert refusal(beside_upstream, given) == "email_not_verified"
    del given["request"]["userAttributes"]["email_verified"]
    assert refusal(beside_upstream, given) == "email_not_verified"
    assert upstream.calls == []


def test_google_after_a_password(handler: Handler, cognito: LocalCognito, pool: LocalPool) -> None:
    """Google is refused if a verified account has the address."""
    email = someone()
    makes_account(cognito, pool, email, verified=True)
    given = event(GOOGLE, email, pool.user_pool_id)
    assert refusal(handler, given) == "email_taken"


def test_an_unverified_account_blocks_nobody(
    handler: Handler, cognito: LocalCognito, pool: LocalPool
) -> None:
    """Anyone can sign up with any address, so an unverified account doesn't block Google."""
    email = someone()
    makes_account(cognito, pool, email, verified=False)
    assert passes(handler, event(GOOGLE, email, pool.user_pool_id))


@pytest.mark.parametrize("has_password", [False, True])
def test_a_password_after_google(
    handler: Handler, cognito: LocalCognito, pool: LocalPool, *, has_password: bool
) -> None:
    """A Google account blocks a password sign-up, but not another Google account.

    A password from an administrator changes the account's status, but not whose it is.
    """
    email = someone()
    name = makes_google_account(pool, email)
    if has_password:
        boto3_client(cognito.url, pool.region).admin_set_user_password(
            UserPoolId=pool.user_pool_id, Username=name, Password="Passw0rd!", Permanent=True
        )
    assert refusal(handler, event(SIGN_UP, email, pool.user_pool_id)) == "email_taken"
    assert passes(handler, event(GOOGLE, email, pool.user_pool_id))


def test_a_linked_account(upstream: FaultyCognito, beside_upstream: Handler) -> None:
    """An account with a password and a linked identity counts as one with a password."""
    linked = json.dumps([{"userId": "1", "providerName": "Google", "primary": False}])
    email = someone()
    found = user(email, "CONFIRMED", email_verified="true", identities=linked)
    upstream.behave(Fine({"Users": [found]}), Fine({"Users": [found]}))
    assert refusal(beside_upstream, event(GOOGLE, email)) == "email_taken"
    assert passes(beside_upstream, event(SIGN_UP, email))


def test_two_passwords_pass(handler: Handler, cognito: LocalCognito, pool: LocalPool) -> None:
    """Cognito itself reports or hides UsernameExists."""
    email = someone()
    makes_account(cognito, pool, email, verified=True)
    assert passes(handler, event(SIGN_UP, email, pool.user_pool_id))


def test_an_administrator_may_create_any_account(handler: Handler, pool: LocalPool) -> None:
    """AdminCreateUser passes, even if another account has the address."""
    email = someone()
    makes_google_account(pool, email)
    assert passes(handler, event("PreSignUp_AdminCreateUser", email, pool.user_pool_id))


# Addresses that try to bypass the check


@pytest.fixture
def account(cognito: LocalCognito, pool: LocalPool) -> str:
    """Return the name of a verified account."""
    name: str = makes_account(cognito, pool, someone(), verified=True)["Username"]
    return name


ADDRESSES = st.builds(
    "{}@{}".format,
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\"\\'=^ Aa")), min_size=1),
    st.sampled_from(["example.com", 'example.com" or email ^= "', "EXAMPLE.com\\"]),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ADDRESSES)
def test_no_address_bypasses_the_check(
    handler: Handler, cognito: LocalCognito, pool: LocalPool, account: str, email: str
) -> None:
    """No character, such as a quote, makes the search miss the account."""
    boto3_client(cognito.url, pool.region).admin_update_user_attributes(
        UserPoolId=pool.user_pool_id,
        Username=account,
        UserAttributes=[
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
    message = refusal(handler, event(GOOGLE, email, pool.user_pool_id))
    if set('"\\') & set(email):
        assert message == "This e-mail address is not supported."
    elif email.isprintable():  # otherwise the search may fail, which also refuses
        assert message == "email_taken"


def user(email: str, status: str, name: str | None = None, **attributes: str) -> Event:
    """Return a user in ListUsers's format."""
    values = {"sub": str(uuid4()), "email": email} | attributes
    listed = [{"Name": key, "Value": value} for key, value in values.items()]
    return {
        "Username": name or values["sub"],
        "UserStatus": status,
        "Enabled": True,
        "Attributes": listed,
    }


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ADDRESSES.filter(lambda email: not set('"\\') & set(email)),
    st.sampled_from([str.upper, str.lower, str.swapcase, str.title]),
)
def test_no_letter_case_bypasses_the_check(
    upstream: FaultyCognito, beside_upstream: Handler, email: str, spell: Callable[[str], str]
) -> None:
    """The function compares the found addresses without regard to case."""
    spelled = spell(email)
    # Python also uppercases the dotless i to "I", which makes a different address.
    assume(spelled.casefold() == email.casefold())
    upstream.behave(
        Fine({"Users": [user(spelled, "CONFIRMED", email_verified="true")]}),
        Fine({"Users": [user(spelled, "EXTERNAL_PROVIDER", "Google_108155")]}),
    )
    assert refusal(beside_upstream, event(GOOGLE, email)) == "email_taken"
    assert refusal(beside_upstream, event(SIGN_UP, email)) == "email_taken"


def test_another_address_does_not_block(upstream: FaultyCognito, beside_upstream: Handler) -> None:
    """Found users with a longer address, or with none, don't block."""
    others = [
        user("ada@example.com.au", "CONFIRMED", email_verified="true"),
        user("", "CONFIRMED", email_verified="true"),
    ]
    others[1]["Attributes"] = []
    upstream.behave(Fine({"Users": others}))
    assert passes(beside_upstream, event(GOOGLE, "ada@example.com"))


@pytest.mark.parametrize("source", [GOOGLE, SIGN_UP])
def test_an_event_without_an_address_is_refused(beside_upstream: Handler, source: str) -> None:
    """A search without an address could find every user or none."""
    given = event(source, "")
    assert "is not supported" in refusal(beside_upstream, given)
    del given["request"]["userAttributes"]["email"]
    assert "is not supported" in refusal(beside_upstream, given)


# A search that fails

DENIED = Error(
    "AccessDeniedException",
    "User: arn:aws:sts::123456789012:assumed-role/accounts-PreSignUpRole/x is not authorized",
)


@pytest.mark.parametrize(
    "behaviour",
    [
        DENIED,
        Error("InvalidParameterException", "Error while parsing filter: ada@example.com"),
        Error("ResourceNotFoundException", "User pool us-east-1_abc does not exist."),
        Fine({}),
        faulty.INTERNAL_ERROR,
        faulty.THROTTLED,
        faulty.THROTTLED_429,
        faulty.GARBAGE,
        faulty.FORBIDDEN_HTML,
        faulty.Reset(),
        faulty.Close(),
        faulty.Truncated(),
        faulty.Stall(),
    ],
    ids=lambda it: getattr(it, "type", type(it).__name__),
)
@pytest.mark.parametrize("source", [GOOGLE, SIGN_UP])
def test_a_failed_search_refuses(
    upstream: FaultyCognito,
    beside_upstream: Handler,
    capsys: pytest.CaptureFixture[str],
    behaviour: Behaviour,
    source: str,
) -> None:
    """The function tries once, refuses in time, and doesn't log the address or role."""
    upstream.behave(behaviour)
    upstream.calls.clear()
    started = time.monotonic()
    message = refusal(beside_upstream, event(source, "ada@example.com"))
    assert time.monotonic() - started < PROPERTIES["Timeout"]
    assert upstream.calls == ["ListUsers"]
    assert message == "Please try again later."
    told = capsys.readouterr()
    assert told.out.startswith("ListUsers failed: ")
    assert "ada" not in told.out
    assert "arn:" not in told.out
    assert told.err == ""


def test_the_log_says_why_a_search_fails(
    upstream: FaultyCognito, beside_upstream: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log contains the error's name."""
    upstream.behave(DENIED)
    refusal(beside_upstream, event(SIGN_UP, "ada@example.com"))
    assert "AccessDeniedException" in capsys.readouterr().out


# As Lambda runs it


def test_the_function_needs_only_lambdas_environment(
    cognito: LocalCognito, pool: LocalPool, tmp_path: Path
) -> None:
    """A new process with only Lambda's variables handles both kinds of sign-up."""
    (tmp_path / "index.py").write_text(SOURCE)
    module, _, name = PROPERTIES["Handler"].partition(".")
    program = f"""import json, sys, {module}
json.dump({module}.{name}(json.load(sys.stdin), None), sys.stdout)"""
    for source in (GOOGLE, SIGN_UP):
        given = event(source, someone(), pool.user_pool_id)
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=lambda_environment(cognito.url) | {"HOME": str(tmp_path)},
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == given


def test_each_marker_is_in_one_message() -> None:
    """The app searches messages for the two markers, so no other message contains one."""
    messages = re.findall(r'RefusedError\("([^"]*)"\)', SOURCE)
    assert len(messages) == SOURCE.count("raise ") == 4
    assert sorted(each for each in messages if re.search("|".join(MARKERS), each)) == MARKERS


def test_the_inline_code_passes_ruff() -> None:
    """The code is at most 40 lines and passes ruff, which can't see it in the template."""
    assert len(SOURCE.splitlines()) <= 40
    root = Path(__file__).parents[2]
    shared = ["--config", str(root / "pyproject.toml"), "--stdin-filename", "index.py", "-"]
    # For brevity it has no types or docstrings. It catches every error, and logs with print.
    check = ["check", "--ignore", "ANN,D,INP,BLE001,T201"]
    for command in (check, ["format", "--check"]):
        done = subprocess.run(
            [f"{sys.prefix}/bin/ruff", *command, *shared],
            input=SOURCE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
