"""New passwords that are refused before Cognito is asked, and blanks that nobody can see."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.exceptions import InvalidPasswordError
from app.passwords import validate_current_password, validate_password
from infra.local.server import LocalCognito, LocalPool
from tests.support.characters import BLANKS, UNSEEN
from tests.support.failures import INVALID_PASSWORD, failure
from tests.support.people import Person, admin
from tests.support.transports import through_every_transport

# Passwords that are easy to guess

COMMON = Path(__file__).parents[2] / "app/assets/common-passwords/passwords.txt"


def refused_as(password: str, email: str | None = None) -> str | None:
    """Return why a new password is refused, or None."""
    try:
        validate_password(password, "SignUp", email)
    except InvalidPasswordError as refused:
        return str(refused)
    return None


def test_the_most_used_passwords() -> None:
    """Each one of the list is refused, in any letter case, and no part of one."""
    listed = COMMON.read_text().splitlines()
    assert len(listed) > 8000
    for each in (listed[0], listed[-1], *listed[::250]):
        assert refused_as(each) == refused_as(each.title()) == "Password is commonly used"
    assert refused_as("password\n123456") == "Password must not start or end with a blank"
    for password in (f"{listed[0]}-horse", f"horse-{listed[-1]}", "P@ssw0rd-horse"):
        assert refused_as(password) is None


@pytest.mark.parametrize(
    ("email", "password", "refused"),
    [
        ("ada.lovelace@example.com", "Ada.Lovelace-1", True),
        ("ada@example.com", "xx-ada-A1815", True),
        ("ADALOVE@example.com", "adalove-Horse-9", True),
        ("sunny@example.com", "Sunny100%", False),
        ("ada+diary@example.com", "ada-Horse-9", True),
        ("STRASSE@example.com", "Stra\u00dfe-Horse-9", True),
        ("al@example.com", "Royal-horse-9", False),
        ("al@example.com", "al@Example.com-A1", True),
        ("al+diary@example.com", "al+diary-Horse-9", True),
        ("+tags@example.com", "xx+tags-Horse-9", True),
        ("ada@example.com", "Example-horse-9", False),
        ("@example.com", "Correct-horse-9", False),
        (None, "Correct-horse-9", False),
    ],
)
def test_the_address_in_the_password(email: str | None, password: str, *, refused: bool) -> None:
    """The part before the @ or + counts from three characters, in any letter case from six."""
    told = "Password contains the e-mail address" if refused else None
    assert refused_as(password, email) == told


@through_every_transport
@pytest.mark.parametrize("kind", ["common", "address"])
def test_every_route_with_a_new_password(
    ada: Person, kind: str, cognito: LocalCognito, pool: LocalPool
) -> None:
    """Each names the field and the rule, and Cognito isn't asked."""
    guessed, rule = {
        "common": ("P@ssw0rd", "Use one that is harder to guess."),
        "address": (f"{ada.email.partition('@')[0]}-A9", "Don't use your e-mail address in it."),
    }[kind]

    def refused(answer: httpx.Response, field: str = "password") -> None:
        assert failure(answer) == INVALID_PASSWORD
        assert answer.json()["errors"] == [{"field": field, "message": rule}]

    refused(ada.signs_up(password=guessed))
    ada.is_signed_in()
    refused(ada.changes_the_password(newPassword=guessed), "newPassword")
    ada.forgets_the_password()
    refused(ada.resets_the_password(code=ada.code, password=guessed))
    who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
    admin(cognito, pool).admin_set_user_password(**who, Password=ada.password, Permanent=False)
    refused(ada.answers(ada.signs_in(), newPassword=guessed), "newPassword")


# Blanks


@pytest.mark.parametrize("blank", [*BLANKS, *UNSEEN], ids=ascii)
def test_a_password_with_a_blank(blank: str) -> None:
    """No alphabet's blank may stand at an end; a new password may have one in the middle."""
    for password in (f"{blank}Correct-horse-9", f"Correct-horse-9{blank}"):
        with pytest.raises(InvalidPasswordError):
            validate_password(password, "SignUp", None)
        with pytest.raises(InvalidPasswordError):
            validate_current_password(password, "InitiateAuth")
    validate_current_password(f"Correct{blank}horse-9", "InitiateAuth")
    if blank not in "\n\r\x85\u2028\u2029":
        validate_password(f"Correct{blank}horse-9", "SignUp", None)


@pytest.mark.parametrize(
    "password", ["", "x", "Correct-horse-9", "\u00e9clair-Cheval-9", "9-말horse-A말"]
)
def test_a_current_password(password: str) -> None:
    """Anything else may be somebody's, or Cognito says that it isn't."""
    validate_current_password(password, "InitiateAuth")


ENDS: dict[str, Callable[[str], str]] = {
    "a space before": lambda password: f" {password}",
    "a space after": lambda password: f"{password} ",
    "a line break": lambda password: f"{password}\n",
    "a tab": lambda password: f"\t{password}",
    "a no-break space": lambda password: f"{password}\u00a0",
    "an ideographic space": lambda password: f"\u3000{password}",
    "a zero width space": lambda password: f"{password}\u200b",
    "a Hangul filler": lambda password: f"{password}\u3164",
}


@through_every_transport
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_blank_at_a_passwords_end(
    ada: Person, end: Callable[[str], str], cognito: LocalCognito, pool: LocalPool
) -> None:
    """Every route with a password names its field and the rule, whatever the blank."""

    def refused(answer: httpx.Response, field: str = "password") -> None:
        assert failure(answer) == INVALID_PASSWORD
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        assert "blank" in answer.json()["errors"][0]["message"]

    odd = end(ada.password)
    refused(ada.signs_up(password=odd))
    ada.is_signed_in()
    refused(ada.signs_in(password=odd))
    refused(ada.changes_the_password(currentPassword=odd), "currentPassword")
    refused(ada.changes_the_password(newPassword=odd), "newPassword")
    ada.forgets_the_password()
    refused(ada.resets_the_password(code=ada.code, password=odd))
    who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
    admin(cognito, pool).admin_set_user_password(**who, Password=ada.password, Permanent=False)
    refused(ada.answers(ada.signs_in(), newPassword=odd), "newPassword")
