"""Lambda's entry point: `app.handler.handler`.

Only this module does work when it is imported. Lambda imports it once per execution environment,
and every invocation of that environment uses what is made here.
"""

from app.start import around_snapshot, fast_import

with fast_import():
    from app.routing import Route, make_all

    Route.waits = True
    Route.uses_threads = False  # Lambda sends one request at a time
    from app.gateway import lambda_handler
    from app.main import create_app

    app = create_app()
    handler = lambda_handler(app)


def rehearse() -> None:
    """Do what else only a process's first calls do, so that a snapshot has it done."""
    make_all(app.routes)
    handler({"path": "/health", "httpMethod": "GET", "requestContext": {}}, None)
    app.state.cognito.prepare()
    app.state.verifier.prepare()


around_snapshot(before=rehearse, after=app.state.cognito.close)
