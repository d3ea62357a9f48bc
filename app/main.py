"""The app: CORS, routes and errors, put together."""

import os

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from app import account, answers, auth, docs, logs
from app.cognito import Cognito
from app.middleware import Inside, Outside
from app.requests import Route
from app.schemas import Done
from app.settings import Settings
from app.tokens import Verifier


def create_app(settings: Settings | None = None, *, route_class: type[Route] = Route) -> FastAPI:
    """Make the ASGI app, by default from the environment: `uvicorn --factory app.main:create_app`.

    `route_class` says how a route that blocks is run: in a thread, unless told otherwise.
    Raises SystemExit with one line that says what to mend if the environment is not as it must be.
    """
    settings = settings or Settings.from_environ(os.environ)
    logs.configure()
    app = FastAPI(
        title="Accounts",
        version="1.0.0",
        description=docs.DESCRIPTION,
        openapi_tags=docs.TAGS,
        servers=docs.SERVERS,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,  # a redirect would lose the stage's prefix, and a browser's body
        strict_content_type=False,  # a body without Content-Type is JSON, as test events are
        openapi_url=None,  # FastAPI's own pages load their scripts from elsewhere: see docs.py
        # Its hooks run on every request; whoever wants traces turns them on here.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.add_exception_handler(HTTPException, answers.answer)
    app.add_exception_handler(RequestValidationError, answers.answer)
    # Each one added surrounds those before it.
    app.add_middleware(Inside)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-Id", "Retry-After"],
        max_age=7200,  # seconds; Chromium remembers a preflight no longer than this
    )
    app.add_middleware(Outside)
    cognito = Cognito(settings)
    app.include_router(auth.routes(cognito, route_class))
    app.include_router(account.routes(cognito, route_class))
    app.state.cognito = cognito
    app.state.verifier = Verifier(settings)
    app.get("/health", tags=["health"])(health)
    if settings.docs:
        app.include_router(docs.routes())
    return app


async def health() -> Done:
    """Tell that the service runs. It asks nobody else."""
    return Done()


def _operation_id(route: APIRoute) -> str:
    return route.name
