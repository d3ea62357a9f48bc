"""Routes that are added to the app in the way a team adds its own."""

import threading
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from app.dependencies import ActiveUser, CurrentUser, RecentUser, requires_group
from app.routing import fails_with, routes_under
from app.services import Services
from app.tokens import TokenUser

router = routes_under("/team")


@router.get("/whoami")
def whoami(user: CurrentUser) -> dict[str, Any]:
    """Return the caller's id and groups, from the access token alone."""
    return {"sub": user.sub, "groups": sorted(user.groups)}


@router.get("/active", responses=fails_with("invalid_token"))
def active(user: ActiveUser) -> str:
    """Return the caller's id, if Cognito confirms the session."""
    return user.sub


@router.delete("/everything")
def delete_everything(user: RecentUser) -> str:
    """Do what a leaked token must not be enough for."""
    return user.sub


@router.get("/broken")
async def broken(secret: str) -> None:
    """Fail as a bug does, with the caller's input in the exceptions' messages."""
    try:
        {}[secret]
    except KeyError as error:
        raise ValueError(secret) from error


@router.post("/notes", status_code=201)
def write_note(user: CurrentUser) -> str:
    """Answer with another status than 200."""
    return user.sub


@router.delete("/notes/{number}", status_code=204)
def delete_note(number: int, _user: CurrentUser) -> None:
    """Answer without a body, at an address with a parameter."""
    if number < 1:
        raise HTTPException(404)


@router.delete("/echo/{text}")
def echo(text: str) -> str:
    """Return the parameter."""
    return text


@router.get("/threads")
def threads(_user: CurrentUser) -> list[str]:
    """Return the names of the process's threads."""
    return [thread.name for thread in threading.enumerate()]


@router.get("/tables")
def tables(request: Request) -> list[str]:
    """Ask for an AWS service that nobody listed."""
    names: list[str] = request.app.state.services.client("dynamodb").list_tables()["TableNames"]
    return names


# What the team keeps about people, until they delete their accounts

notebooks: dict[str, list[str]] = {}


@router.get("/notebook")
def read_notebook(user: CurrentUser) -> list[str]:
    """Return the caller's lines."""
    return notebooks.get(user.sub, [])


@router.post("/notebook/{line}")
def write_line(line: str, user: CurrentUser) -> None:
    """Add a line to the caller's."""
    notebooks.setdefault(user.sub, []).append(line)


def erase_notebook(sub: str, _services: Services) -> None:
    """Erase a person's lines. A line "sticky" makes the first try fail halfway."""
    lines = notebooks.get(sub, [])
    while lines:
        if lines.pop() == "sticky":
            raise HTTPException(503, "Please try again.")


# For members of a group


@router.delete(
    "/pages/{number}",
    dependencies=[Depends(requires_group("editors"))],
    responses=fails_with("invalid_token", "forbidden"),
)
def delete_page(number: int) -> None:
    """Delete anybody's page."""


@router.get("/editor", responses=fails_with("invalid_token", "forbidden"))
def who_edits(
    editor: Annotated[TokenUser, Depends(requires_group("editors"))], user: CurrentUser
) -> str:
    """Return the caller's id, which two dependencies know."""
    assert editor is user
    return editor.sub


@router.delete("/archive", dependencies=[Depends(requires_group("editors"))])
def delete_archive(user: RecentUser) -> str:
    """Do what needs a group and a recent sign-in."""
    return user.sub


@router.get("/forbidden")
def forbidden() -> None:
    """Refuse for a reason of the team's own."""
    raise HTTPException(403)


desk = routes_under("/desk")


@desk.get("/lamp")
def lamp() -> str:
    """Return something for all who may use this router."""
    return "on"


@desk.get("/drawer", dependencies=[Depends(requires_group("chief-editors"))])
def drawer() -> str:
    """Return something for those of them who are in a second group."""
    return "open"


router.include_router(desk, dependencies=[Depends(requires_group("editors"))])
