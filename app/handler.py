"""Lambda's entry point: `app.handler.handler`.

Only this module does work when it is imported. Lambda imports it once per execution environment,
and every invocation of that environment uses what is made here.
"""

from app.start import fast_import, on_restore

with fast_import():
    from app.gateway import lambda_handler
    from app.main import create_app
    from app.routing import Route

    Route.uses_threads = False  # Lambda sends one request at a time
    app = create_app()
    handler = lambda_handler(app)

on_restore(app.state.cognito.close)
