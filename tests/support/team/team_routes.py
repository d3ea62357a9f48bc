"""Routes as a team adds them to the app."""

import threading
from typing import Any

from app.dependencies import CurrentUser
from app.routing import routes_under

router = routes_under("/team")


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


@router.get("/threads")
def threads(_user: CurrentUser) -> list[str]:
    """Return the names of the process's threads."""
    return [thread.name for thread in threading.enumerate()]
