"""Routes as a team adds them to the app."""

import threading
from typing import Any

from fastapi import APIRouter

from app.tokens import CurrentUser

router = APIRouter()


@router.get("/whoami")
def whoami(user: CurrentUser) -> dict[str, Any]:
    """Return who is asking, from the access token alone."""
    return {"sub": user.sub, "groups": user.claims.get("cognito:groups", [])}


@router.get("/broken")
async def broken(secret: str) -> None:
    """Fail as a bug does, with what the caller sent in the exceptions' texts."""
    try:
        {}[secret]
    except KeyError as error:
        raise ValueError(secret) from error


@router.get("/thread")
def thread() -> str:
    """Return the name of the thread that runs a route that blocks."""
    return threading.current_thread().name
