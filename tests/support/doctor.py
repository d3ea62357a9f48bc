"""`make doctor` run in this process, and fake servers for it to check."""

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.oauth import SCOPES
from infra.doctor.__main__ import main
from infra.local.oauth.google import CLIENT_ID
from infra.local.stack import REDIRECT_URIS

Answer = Callable[[Request], Response]
PAGE = REDIRECT_URIS[0]
"""A redirect URI that the API allows."""
CLIENT = CLIENT_ID
"""The client id of every fake Google."""
GOOGLE = "/o/oauth2/v2/auth"


class Report(NamedTuple):
    """The exit status and the printed lines."""

    status: int
    lines: list[str]

    @property
    def wrong(self) -> str:
        """The lines of failed checks, without their mark."""
        return self._marked("✗ ")

    @property
    def unknown(self) -> str:
        """The lines of checks that could not be made, without their mark."""
        return self._marked("? Can't tell: ")

    def _marked(self, mark: str) -> str:
        return "\n".join(line.removeprefix(mark) for line in self.lines if line.startswith(mark))


def examine(*arguments: str, google_client_id: str | None = CLIENT) -> Report:
    """Run the doctor with these arguments. The last of several equal options counts."""
    if google_client_id:
        arguments = ("--google-client-id", google_client_id, *arguments)
    with io.StringIO() as out, redirect_stdout(out), redirect_stderr(out):
        try:
            status = main([*arguments])
        except SystemExit as ended:  # argparse's
            status = int(ended.code or 0)
        return Report(status, out.getvalue().splitlines())


def to_google(request: Request) -> Response:
    """Redirect to Google, as Cognito does if the settings are right."""
    here = str(request.base_url).rstrip("/")
    query = {"client_id": CLIENT, "redirect_uri": f"{here}/oauth2/idpresponse"}
    return RedirectResponse(f"{here}{GOOGLE}?{urlencode(query)}", 302)


def unknown_code(_: Request) -> Response:
    """Refuse a code, as the token endpoint does if the settings are right."""
    return JSONResponse({"error": "invalid_grant"}, 400)


def domain(
    *, authorize: Answer = to_google, token: Answer = unknown_code, google: Answer | None = None
) -> Starlette:
    """Return a fake domain and Google, for answers that the local Cognito never gives."""
    answers = {"/oauth2/authorize": authorize, "/oauth2/token": token, GOOGLE: google}
    return Starlette(
        routes=[
            Route(path, answer, methods=["GET", "POST"])
            for path, answer in answers.items()
            if answer
        ]
    )


def api(**answers: Mapping[str, Any]) -> Starlette:
    """Return a fake API with these answers to `start` and `finish`."""

    def route(name: str, body: Mapping[str, Any]) -> Route:
        def answer(_: Request) -> Response:
            return JSONResponse({"requestId": "r-1", **body}, body["statusCode"])

        return Route(f"/auth/google/{name}", answer, methods=["POST"])

    return Starlette(routes=[route(name, body) for name, body in answers.items()])


def started(domain: str) -> dict[str, Any]:
    """Return the API's answer to `start` for this domain."""
    query = urlencode({"client_id": "1", "redirect_uri": PAGE, "scope": SCOPES})
    body = {"url": f"{domain}/oauth2/authorize?{query}", "state": "s", "codeVerifier": "v"}
    return {"statusCode": 200, "body": body}


def in_front_of(cognito: str, **answers: Mapping[str, Any] | str) -> Starlette:
    """Return a proxy of Cognito that gives these answers and forwards other operations.

    An answer is the operation's output, or the name of an error.
    """

    async def answer(request: Request) -> Response:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        given = answers.get(operation)
        if isinstance(given, str):
            return JSONResponse({"__type": given, "message": "The message of the service."}, 400)
        if given is not None:
            return JSONResponse(given)
        headers = {"X-Amz-Target": request.headers["X-Amz-Target"]}
        async with httpx.AsyncClient() as http:
            found = await http.post(cognito, content=await request.body(), headers=headers)
        return Response(found.content, found.status_code)

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def cloudformation(
    outputs: Mapping[str, str], parameters: Mapping[str, str], function: str | None = None
) -> Starlette:
    """Return a fake CloudFormation with one stack, named "accounts".

    `function` is the name of its PreSignUpFunction, if the caller may read it.
    """

    def members(name: str, values: Mapping[str, str]) -> str:
        each = "".join(
            f"<member><{name}Key>{key}</{name}Key><{name}Value>{value}</{name}Value></member>"
            for key, value in values.items()
        )
        return f"<{name}s>{each}</{name}s>"

    stack = members("Output", outputs) + members("Parameter", parameters)
    id_ = f"<PhysicalResourceId>{function}</PhysicalResourceId>"
    results = {
        "DescribeStacks": f"<Stacks><member>{stack}</member></Stacks>",
        "DescribeStackResource": function and f"<StackResourceDetail>{id_}</StackResourceDetail>",
    }
    space = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'

    async def answer(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        (action,) = form["Action"]
        found = results[action]
        if form["StackName"] != ["accounts"] or not found:
            error = "<Error><Code>ValidationError</Code><Message>No.</Message></Error>"
            return Response(f"<ErrorResponse {space}>{error}</ErrorResponse>", 400)
        result = f"<{action}Result>{found}</{action}Result>"
        return Response(f"<{action}Response {space}>{result}</{action}Response>")

    return Starlette(routes=[Route("/", answer, methods=["POST"])])
