"""Routes that are added to the app in the way a team adds its own."""

import threading
from typing import Any

from fastapi import HTTPException

from app.dependencies import CurrentUser, RecentUser
from app.routing import routes_under

router = routes_under("/team")


@router.get("/whoami")
def whoami(user: CurrentUser) -> dict[str, Any]:
    """Return the caller's id and groups, from the access token alone."""
    return {"sub": user.sub, "groups": user.claims.get("cognito:groups", [])}


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
