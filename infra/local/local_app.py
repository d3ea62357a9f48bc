"""The app as `make run` serves it: on the local Cognito's clock, for every page of this machine."""

import http.client
import json
import os
import sys
import urllib.request

from fastapi import FastAPI

from app.exceptions import KeysUnavailableError
from app.logs import logger
from app.main import create_app
from infra.local import loopback, readable_log

COGNITO = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
CLOCK_TIMEOUT = 3  # seconds


def create_local_app() -> FastAPI:
    """Create the app from the environment. ALLOWED_ORIGINS, if given, is the whole list."""
    if sys.stdout.isatty():
        logger.addHandler(readable_log.handler(sys.stdout))  # else the app logs JSON
    # Development servers choose their ports: 3000, 4200, 5173, or the next one if that is taken.
    any_page = None if "ALLOWED_ORIGINS" in os.environ else loopback.ORIGIN
    return create_app(wall_clock=cognito_time, allow_origin_regex=any_page)


def cognito_time() -> float:
    """Return the local Cognito's time. Raises what `Verifier` raises if Cognito can't be reached.

    It is asked each time: a test may advance the clock and expect the next answer to know.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{os.environ[COGNITO]}/console/clock", timeout=CLOCK_TIMEOUT) as answer:
            return float(json.load(answer)["now"])
    # Another program may have the port, or the answer may be cut off.
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise KeysUnavailableError from error
