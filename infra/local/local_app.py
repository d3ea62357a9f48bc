"""The app as `make run` serves it: on the local Cognito's clock, for every page of this machine."""

import json
import os
import sys
import urllib.request

from fastapi import FastAPI

from app.exceptions import KeysUnavailableError
from app.logs import logger
from app.main import create_app
from infra.local import readable_log

COGNITO = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
CLOCK_TIMEOUT = 3  # seconds

# Development servers choose their ports: 3000, 4200, 5173, or the next one if that is taken.
LOOPBACK_ORIGIN = r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"


def create_local_app() -> FastAPI:
    """Create the app from the environment. ALLOWED_ORIGINS, if given, is the whole list."""
    if sys.stdout.isatty():
        logger.addHandler(readable_log.handler(sys.stdout))  # else the app logs JSON
    any_page = None if "ALLOWED_ORIGINS" in os.environ else LOOPBACK_ORIGIN
    return create_app(wall_clock=cognito_time, allow_origin_regex=any_page)


def cognito_time() -> float:
    """Return the local Cognito's time. Raises what `Verifier` raises if Cognito can't be reached.

    It is asked each time: a test may advance the clock and expect the next answer to know.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{os.environ[COGNITO]}/console/clock", timeout=CLOCK_TIMEOUT) as answer:
            return float(json.load(answer)["now"])
    except OSError as error:
        raise KeysUnavailableError from error
