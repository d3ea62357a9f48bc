"""The fast import on Lambda: it doesn't change how the app behaves afterwards."""

import os
import subprocess
import sys
from pathlib import Path

from infra.bundle.make import PLACEHOLDERS

ROOT = Path(__file__).parents[2]


def run(program: str) -> bytes:
    """Run a program in a new process, as a process imports a module only once."""
    command = [sys.executable, "-W", "error", "-c", program]
    environment = PLACEHOLDERS | {"PYTHONPATH": str(ROOT), "PATH": os.defpath}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout


def test_the_openapi_document_is_the_same_byte_for_byte() -> None:
    """Lazy models produce the same document as the models that FastAPI builds at once."""
    dump = "sys.stdout.write(json.dumps(document(app), ensure_ascii=False))"
    quick = f"""
import json, sys
from app.start import fast_import
with fast_import():
    from app.docs import document
    from app.main import create_app
    app = create_app()
    assert not sys.modules["fastapi.openapi.models"].__dict__.get("OpenAPI")
{dump}
"""
    usual = f"""
import json, sys
from app.docs import document
from app.main import create_app
app = create_app()
{dump}
"""
    document = run(quick)
    assert document == run(usual)
    assert b'"securitySchemes"' in document


def test_routes_wait_on_lambda() -> None:
    """A start makes no route, and a call makes the one that it needs."""
    program = """
from app.handler import app, handler
made = lambda: [route.path for route in app.routes if "dependant" in vars(route)]
assert not made(), made()
handler({"path": "/health", "httpMethod": "GET", "requestContext": {}}, None)
assert made() == ["/health"], made()
"""
    run(program)


def test_a_security_scheme_is_the_same_during_and_after_the_import() -> None:
    """FastAPI's security schemes contain the usual OpenAPI models in both cases."""
    program = """
from app.start import fast_import
with fast_import():
    from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2
    early = [HTTPBearer(bearerFormat="JWT"), OAuth2()]
late = [HTTPBearer(bearerFormat="JWT"), OAuth2(), APIKeyHeader(name="key")]
from fastapi.openapi import models
for scheme in early + late:
    assert isinstance(scheme.model, models.SecurityBase)
    print(scheme.model.model_dump_json(by_alias=True, exclude_none=True))
"""
    bearer = b'{"type":"http","scheme":"bearer","bearerFormat":"JWT"}'
    oauth2 = b'{"type":"oauth2","flows":{}}'
    key = b'{"type":"apiKey","in":"header","name":"key"}'
    assert run(program).splitlines() == [bearer, oauth2, bearer, oauth2, key]


def test_garbage_collection_resumes_after_the_import() -> None:
    """It is off during the import, whose objects are then frozen. Later objects are collected."""
    program = """
import gc
from app.start import fast_import
with fast_import():
    assert not gc.isenabled()
import app.handler
assert gc.isenabled() and gc.get_freeze_count() > 100_000
"""
    run(program)


def test_restored_snapshot_makes_new_connections() -> None:
    """The first call after a restore succeeds, although the server has dropped old connections.

    The call is a sign-up, as that is never retried: on a dead connection it would fail.
    """
    program = """
import os
from snapshot_restore_py import get_after_restore
from tests.support.faulty import FaultyCognito
from tests.support.gateway import event_of

def signs_up():
    return handler(event_of("console-sign-up"), None)["statusCode"]

with FaultyCognito() as upstream:
    os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = upstream.url
    os.environ["COGNITO_JWKS_URL"] = upstream.url + "/keys"
    os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
    from app.handler import handler
    assert upstream.calls == ["/keys"]  # so that the snapshot has them; what came is not a key
    statuses = [signs_up()]
    upstream.forget_connections()
    statuses += [signs_up(), signs_up()]
    upstream.forget_connections()
    for function, args, kwargs in get_after_restore():
        function(*args, **kwargs)
    statuses += [signs_up()]
    assert statuses == [200, 503, 200, 200], statuses
"""
    run(program)
