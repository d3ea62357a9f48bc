"""What Lambda calls: `app.handler.handler`.

The one module where importing does something: Lambda imports it once per execution environment, and
what is made here serves every invocation of that environment.
"""

from app.start import after_restore, quickly

with quickly():
    from app.gateway import lambda_handler
    from app.main import create_app
    from app.requests import DirectRoute

    app = create_app(route_class=DirectRoute)
    handler = lambda_handler(app)

after_restore(app.state.cognito.close)
