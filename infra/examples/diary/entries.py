"""Routes under /entries: a diary. People reach only their own entries and recordings.

What adds something takes an ActiveUser: with the access token of a deleted account, nobody would
delete it again.
"""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field

from app.dependencies import ActiveUser, CurrentUser
from app.entry_store import Entry, EntryStore
from app.routing import fails_with, routes_under
from app.schemas import wire

router = routes_under("/entries")

ID = r"^\d{4}-\d{2}-\d{2}\.\d{12}-[0-9a-f]{8}$"
Id = Annotated[str, Path(pattern=ID)]
Text = Annotated[str, Field(min_length=1, max_length=4000)]  # a body may have 16 KiB


class NewEntry(BaseModel):
    """An entry to write. `day` is the person's own: only the page knows their time zone."""

    model_config = wire(day="2026-11-26", text="Sunny.")

    day: date
    text: Text


class NewText(BaseModel):
    """Another text for an entry."""

    model_config = wire(text="Sunny, then rain.")

    text: Text


class Recording(BaseModel):
    """What is about to be uploaded."""

    model_config = wire(type="audio/webm")

    type: Literal["audio/webm", "audio/mp4", "audio/ogg"]


class Entries(BaseModel):
    """A page of entries, newest first. Send `next` as it is to get the following page."""

    model_config = wire()

    entries: list[Entry]
    next: str | None


class Form(BaseModel):
    """A form to send to `url` as multipart/form-data: all `fields`, then `file`."""

    model_config = wire()

    url: str
    fields: dict[str, Any]


class Playable(BaseModel):
    """Where a recording can be played, for 5 minutes."""

    model_config = wire()

    url: str


def store_of(request: Request) -> EntryStore:
    """Return the app's store of entries."""
    store: EntryStore = request.app.state.entries
    return store


@router.post("", status_code=201, responses=fails_with("invalid_token"))
def write_entry(body: NewEntry, user: ActiveUser, request: Request) -> Entry:
    """Add an entry to a day."""
    return store_of(request).write(user.sub, body.day, body.text)


@router.get("", responses=fails_with("invalid_token"))
def list_entries(
    user: CurrentUser,
    request: Request,
    day: date | None = None,
    after: Annotated[str | None, Query(alias="next", pattern=ID)] = None,
) -> Entries:
    """Get your newest entries, 20 at a time, of one day or of all."""
    entries, following = store_of(request).page(user.sub, day, after)
    return Entries(entries=entries, next=following)


@router.get("/{entry}", responses=fails_with("invalid_token", "not_found"))
def read_entry(entry: Id, user: CurrentUser, request: Request) -> Entry:
    """Get one of your entries."""
    return store_of(request).read(user.sub, entry)


@router.post("/{entry}", responses=fails_with("invalid_token", "not_found"))
def change_entry(
    entry: Id,
    body: NewText,
    user: CurrentUser,
    request: Request,
) -> Entry:
    """Replace the text of one of your entries."""
    return store_of(request).change(user.sub, entry, body.text)


@router.delete("/{entry}", status_code=204, responses=fails_with("invalid_token"))
def delete_entry(entry: Id, user: CurrentUser, request: Request) -> None:
    """Delete one of your entries with its recording."""
    store_of(request).delete(user.sub, entry)


@router.post("/{entry}/recording", responses=fails_with("invalid_token", "not_found"))
def upload_recording(
    entry: Id,
    body: Recording,
    user: ActiveUser,
    request: Request,
) -> Form:
    """Get a form to upload a recording of up to 10 MiB, within 5 minutes."""
    return Form.model_validate(store_of(request).form(user.sub, entry, body.type))


@router.get("/{entry}/recording", responses=fails_with("invalid_token", "not_found"))
def play_recording(entry: Id, user: CurrentUser, request: Request) -> Playable:
    """Get the address of a recording."""
    return Playable(url=store_of(request).recording(user.sub, entry))
