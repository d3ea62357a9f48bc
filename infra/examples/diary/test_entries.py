"""Routes under /entries: two people, whose diaries never meet."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.entry_store import MAX_RECORDING, PAGE
from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.failures import DONE, INVALID_TOKEN, failure
from tests.support.faulty import Answer, FaultyCognito
from tests.support.people import Person, settings_for
from tests.support.transports import through_every_transport
from tests.support.watch import Watch

SILENCE = b"\x1aE\xdf\xa3" + b"\x00" * 96
DAY = "2026-11-26"
NOT_FOUND = (404, "not_found", "There is nothing at this address.")
NO_ENTRY = f"{DAY}.110511223344-5f1b0a9c"


@dataclass
class Writer:
    """A person with a diary."""

    person: Person

    def calls(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call a route under /entries with the person's access token."""
        headers = {"Authorization": f"Bearer {self.person.tokens['AccessToken']}"}
        return self.person.api.request(method, f"/entries{path}", headers=headers, **arguments)

    def writes(self, text: str = "Sunny.", day: str = DAY) -> str:
        """Write an entry, and return its id."""
        answer = self.calls("POST", "", json={"day": day, "text": text})
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["id"]
        return id_

    def reads(self, **query: str) -> list[str]:
        """Return the texts of all entries, page by page."""
        texts: list[str] = []
        while True:
            page = self.calls("GET", "", params=query).json()
            texts += [entry["text"] for entry in page["entries"]]
            if page["next"] is None:
                return texts
            query["next"] = page["next"]

    def asks_for_a_form(self, id_: str, kind: str = "audio/webm") -> dict[str, Any]:
        """Return the form for an entry's recording."""
        answer = self.calls("POST", f"/{id_}/recording", json={"type": kind})
        assert answer.status_code == 200, answer.text
        form: dict[str, Any] = answer.json()
        return form

    def plays(self, id_: str) -> bytes:
        """Return an entry's recording."""
        url: str = self.calls("GET", f"/{id_}/recording").json()["url"]
        return httpx.get(url).raise_for_status().content


def uploads(form: dict[str, Any], body: bytes = SILENCE, **changed: str) -> int:
    """Send a form as a browser does, and return the status of S3's answer."""
    fields = form["fields"] | changed
    return httpx.post(form["url"], data=fields, files={"file": ("blob", body)}).status_code


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what Lambda sets. The local services accept any."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


@pytest.fixture
def settings(cognito: LocalCognito, pool: LocalPool) -> Settings:
    """Return the app's settings, with the template's table and bucket."""
    return replace(
        settings_for(cognito, pool),
        diary_table=pool.variables["DIARY_TABLE"],
        diary_bucket=pool.variables["DIARY_BUCKET"],
    )


@pytest.fixture
def writer(person: Callable[[], Person]) -> Callable[[], Writer]:
    """Return a function that makes a new person, who is signed in."""

    def new() -> Writer:
        one = person()
        one.is_signed_in()
        return Writer(one)

    return new


@pytest.fixture
def ada(writer: Callable[[], Writer]) -> Writer:
    """Return a person with a diary."""
    return writer()


@pytest.fixture
def heidi(writer: Callable[[], Writer]) -> Writer:
    """Return another one."""
    return writer()


@through_every_transport
def test_an_entry(ada: Writer) -> None:
    """It is written, read, changed and deleted."""
    id_ = ada.writes("Sunny, 맑음 ☀")
    entry = ada.calls("GET", f"/{id_}").json()
    assert (entry["day"], entry["text"], entry["recording"]) == (DAY, "Sunny, 맑음 ☀", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["createdAt"])
    changed = ada.calls("POST", f"/{id_}", json={"text": "Rain."})
    assert changed.json() == entry | {"text": "Rain."}
    assert ada.reads() == ["Rain."]
    assert ada.calls("DELETE", f"/{id_}").status_code == 204
    assert failure(ada.calls("GET", f"/{id_}")) == NOT_FOUND
    assert ada.calls("DELETE", f"/{id_}").status_code == 204
    assert ada.reads() == []


def test_pages(ada: Writer) -> None:
    """Newest first, a day or all, a page at a time, and nothing twice."""
    for number in range(PAGE + 5):
        ada.writes(str(number))
    ada.writes("the day before", "2026-11-25")
    first = ada.calls("GET", "", params={"day": DAY}).json()
    assert len(first["entries"]) == PAGE
    newest_first = [str(number) for number in reversed(range(PAGE + 5))]
    assert ada.reads(day=DAY) == newest_first
    assert ada.reads() == [*newest_first, "the day before"]
    assert ada.reads(day="2026-11-25") == ["the day before"]
    assert ada.reads(day="2026-11-24") == []


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("POST", "", {"json": {"day": DAY, "text": ""}}),
        ("POST", "", {"json": {"day": DAY, "text": "x" * 4001}}),
        ("POST", "", {"json": {"day": "2026-02-30", "text": "x"}}),
        ("POST", "", {"json": {"text": "x"}}),
        ("GET", "", {"params": {"day": "today"}}),
        ("GET", "", {"params": {"next": "../etc"}}),
        ("GET", "/nonsense", {}),
        ("POST", f"/{NO_ENTRY}/recording", {"json": {"type": "text/html"}}),
        ("POST", f"/{NO_ENTRY}%2F..%2Fx/recording", {"json": {"type": "audio/webm"}}),
    ],
)
def test_what_is_not_as_it_should_be(
    ada: Writer, method: str, path: str, arguments: dict[str, Any]
) -> None:
    """The answer names the field, or there is no such address."""
    answer = ada.calls(method, path, **arguments)
    assert failure(answer)[:2] in {(400, "invalid_request"), (404, "not_found")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        *((method, f"/{NO_ENTRY}") for method in ("GET", "POST", "DELETE")),
        *((method, f"/{NO_ENTRY}/recording") for method in ("GET", "POST")),
    ],
)
def test_without_a_token(ada: Writer, method: str, path: str) -> None:
    """Nothing is read or written."""
    assert failure(ada.person.api.request(method, f"/entries{path}")) == INVALID_TOKEN


@through_every_transport
def test_a_recording(ada: Writer) -> None:
    """It is uploaded straight to S3, played, and deleted with its entry."""
    id_ = ada.writes()
    assert failure(ada.calls("GET", f"/{id_}/recording")) == NOT_FOUND
    form = ada.asks_for_a_form(id_)
    assert uploads(form) == 204
    assert ada.plays(id_) == SILENCE
    assert ada.calls("GET", f"/{id_}").json()["recording"] == "audio/webm"
    url = ada.calls("GET", f"/{id_}/recording").json()["url"]
    ada.calls("DELETE", f"/{id_}")
    assert httpx.get(url).status_code == 404


def test_what_a_form_is_bound_to(ada: Writer, heidi: Writer) -> None:
    """The owner's key, the type and the size. Any other field is refused."""
    hers = heidi.writes()
    assert uploads(heidi.asks_for_a_form(hers)) == 204
    form = ada.asks_for_a_form(ada.writes())
    sub = heidi.person.looks_in_the_mirror().json()["body"]["sub"]
    assert uploads(form, b"forged", key=f"recordings/{sub}/{hers}") == 403
    assert uploads(form, **{"Content-Type": "text/html"}) == 403
    assert uploads(form, acl="public-read") == 403
    assert uploads(form, b"") == 400
    assert uploads(form, b"x" * (MAX_RECORDING + 1)) == 400
    assert heidi.plays(hers) == SILENCE


def test_anothers_entry(ada: Writer, heidi: Writer) -> None:
    """It looks like one that doesn't exist, and stays as it is."""
    id_ = heidi.writes("hers")
    uploads(heidi.asks_for_a_form(id_))
    for one in (id_, NO_ENTRY):
        text, kind = {"text": "mine"}, {"type": "audio/webm"}
        assert failure(ada.calls("GET", f"/{one}")) == NOT_FOUND
        assert failure(ada.calls("POST", f"/{one}", json=text)) == NOT_FOUND
        assert failure(ada.calls("GET", f"/{one}/recording")) == NOT_FOUND
        assert failure(ada.calls("POST", f"/{one}/recording", json=kind)) == NOT_FOUND
        assert ada.calls("DELETE", f"/{one}").status_code == 204
    assert ada.calls("GET", "", params={"next": id_}).json()["entries"] == []
    assert heidi.reads() == ["hers"]
    assert heidi.plays(id_) == SILENCE


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "change", "delete", "form"]),
        st.booleans(),  # whose diary
        st.integers(0, 5),  # which entry of all that were ever written
    ),
    max_size=12,
)


@hypothesis(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_whatever_two_people_do(
    writer: Callable[[], Writer], steps: list[tuple[str, bool, int]]
) -> None:
    """Each has exactly what they wrote themselves, whichever ids they try."""
    people = writer(), writer()
    diaries: tuple[dict[str, str], dict[str, str]] = ({}, {})
    ever: list[str] = [NO_ENTRY]
    for number, (step, second, which) in enumerate(steps):
        one, own = people[second], diaries[second]
        id_, text = ever[which % len(ever)], str(number)
        if step == "write":
            id_ = one.writes(text)
            ever.append(id_)
            own[id_] = text
        elif step == "change":
            answer = one.calls("POST", f"/{id_}", json={"text": text})
            assert (answer.status_code == 200) == (id_ in own)
            own |= {id_: text} if id_ in own else {}
        elif step == "delete":
            assert one.calls("DELETE", f"/{id_}").status_code == 204
            own.pop(id_, None)
        else:
            answer = one.calls("POST", f"/{id_}/recording", json={"type": "audio/ogg"})
            assert (answer.status_code == 200) == (id_ in own)
        for person, diary in zip(people, diaries, strict=True):
            assert sorted(person.reads()) == sorted(diary.values())
            assert person.calls("GET", f"/{id_}").status_code == (200 if id_ in diary else 404)


@through_every_transport
def test_deleting_the_account_erases_the_diary(ada: Writer, heidi: Writer) -> None:
    """Entries and recordings are gone, also a recording whose entry was gone; others' stay."""
    hers = heidi.writes("hers")
    uploads(heidi.asks_for_a_form(hers))
    urls = []
    for number in range(3):
        id_ = ada.writes(str(number))
        form = ada.asks_for_a_form(id_)
        uploads(form)
        urls.append(ada.calls("GET", f"/{id_}/recording").json()["url"])
    ada.calls("DELETE", f"/{id_}")
    uploads(form)  # it is still good
    assert ada.person.deletes_the_account().json() == DONE
    assert [httpx.get(url).status_code for url in urls] == [404] * 3
    assert ada.reads() == []  # an access token outlives the account
    entry = {"day": DAY, "text": "too late"}
    assert failure(ada.calls("POST", "", json=entry)) == INVALID_TOKEN
    late = ada.calls("POST", f"/{id_}/recording", json={"type": "audio/webm"})
    assert failure(late) == INVALID_TOKEN
    assert heidi.reads() == ["hers"]
    assert heidi.plays(hers) == SILENCE


def test_a_long_diary_is_erased(ada: Writer) -> None:
    """DynamoDB deletes 25 at a time."""
    for number in range(27):
        ada.writes(str(number))
    assert ada.person.deletes_the_account().json() == DONE
    assert ada.reads() == []


@pytest.fixture
def aws() -> Iterator[FaultyCognito]:
    """Return a DynamoDB and S3 that fail."""
    with FaultyCognito() as server:
        server.behave(Answer(400, b'{"__type": "x#ThrottlingException"}'))
        yield server


@pytest.mark.transports("rest")
def test_what_cannot_be_erased_keeps_the_account(
    connect: Connect, settings: Settings, aws: FaultyCognito, cognito: LocalCognito, watch: Watch
) -> None:
    """If S3 or DynamoDB fails, the person still has the account, and can try again."""
    with connect(settings) as api:
        ada = Writer(watch.over(Person(api, cognito.outbox.code_for)))
        ada.person.is_signed_in()
        ada.writes("kept")
    with connect(replace(settings, services_url=aws.url)) as failing:
        ada.person.api = failing
        assert ada.person.deletes_the_account().status_code >= 400
        assert ada.person.looks_in_the_mirror().status_code == 200
    with connect(settings) as api:
        ada.person.api = api
        assert ada.reads() == ["kept"]
        assert ada.person.deletes_the_account().json() == DONE
        assert ada.reads() == []
