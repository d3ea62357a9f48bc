"""The app: middleware, exception handlers and routers, put together."""

import os
import time
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import account, auth, docs, google, health, logs, passkeys
from app.cognito import Cognito
from app.exception_handlers import exception_handler
from app.middleware import ErrorMiddleware, RequestContextMiddleware
from app.oauth import OAuthClient
from app.origins import OriginMiddleware
from app.services import Services
from app.settings import Settings
from app.tokens import Verifier


def create_app(
    settings: Settings | None = None,
    *,
    wall_clock: Callable[[], float] = time.time,
    allow_origin_regex: str | None = None,
) -> FastAPI:
    """Create the ASGI app, from the environment (`uvicorn --factory app.main:create_app`).

    A local Cognito has its own clock, and no list of origins: `wall_clock` judges access tokens, in
    seconds since the epoch, and `allow_origin_regex` allows more origins than the settings do.
    Raise SystemExit, whose one line says what to fix, if the environment has a mistake.
    """
    settings = settings or Settings.from_environ(os.environ)
    logs.configure()
    app = FastAPI(
        title="Accounts",
        version="1.0.0",
        description=docs.DESCRIPTION,
        openapi_tags=docs.TAGS,
        servers=docs.SERVERS,
        redirect_slashes=False,  # a redirect would lose the stage in the path
        openapi_url=None,  # FastAPI's own page loads its scripts from a CDN: see docs.py
        # Their hooks would run on every request. To get traces, turn them on here.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.add_exception_handler(HTTPException, exception_handler)
    app.add_exception_handler(RequestValidationError, exception_handler)
    # The last one added is the outermost.
    app.add_middleware(ErrorMiddleware)
    app.add_middleware(
        OriginMiddleware,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=allow_origin_regex,
        allow_credentials=settings.session_cookie,
        allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-Id", "Retry-After"],
        max_age=7200,  # seconds; Chromium caches a preflight no longer than this
    )
    app.add_middleware(RequestContextMiddleware)
    app.state.log_key = settings.log_key
    app.state.session_cookie = settings.session_cookie
    app.state.app_name = settings.app_name
    app.state.cognito = Cognito(settings)
    app.state.oauth = OAuthClient(settings)
    app.state.services = Services(settings)
    app.state.on_account_deleted = ()  # what erases the data of your own routes: see deletion.py
    app.state.verifier = Verifier(settings, wall_clock=wall_clock)
    own = [auth.router, account.router, passkeys.router, google.router, health.router]
    if settings.docs:
        own.append(docs.router)
    # include_router would build each route a second time, when it is first called.
    app.router.routes.extend(route for router in own for route in router.routes)
    return app
