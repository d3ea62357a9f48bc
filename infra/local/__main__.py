"""The command line: the local Cognito in this process, the API in a child, until Ctrl-C."""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TextIO

from botocore.exceptions import ClientError, ParamValidationError

from infra.local.api_process import api_environment, api_process, wait_until_ready
from infra.local.demo import Demo
from infra.local.pool.intrinsics import TemplateError
from infra.local.pool.store import Store, StoreError
from infra.local.pool.template import TEMPLATE
from infra.local.ports import StartupError, check_free, port, port_in_use
from infra.local.server import LocalCognito
from infra.local.threaded_server import HOST

ROOT = Path(__file__).parents[2]
USERS = ROOT / ".local" / "users.db"

# Where front ends under development are usually served: Create React App, Vite, Vue.
DEV_REDIRECT_URIS = ",".join(
    f"http://{host}:{port}/" for host in ("localhost", "127.0.0.1") for port in (3000, 5173, 8080)
)
# The default. If it is taken, everything except the demo page still starts.
DEMO_PORT = 8002


class ShutdownRequested(Exception):  # noqa: N818 - not an error
    """A signal asked the process to end."""


def main(argv: list[str] | None = None) -> int:
    """Run until stopped; return the exit code, which is 0 after a signal."""
    options = parse(argv)
    signal.signal(signal.SIGINT, request_shutdown)
    signal.signal(signal.SIGTERM, request_shutdown)
    # Closing the terminal ends this process too, unless it runs under nohup.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, request_shutdown)
    reset_aws_environment()
    try:
        run(options)
    except ShutdownRequested:
        return 0
    except (StoreError, StartupError) as error:
        print_line(f"make run: {error}", file=sys.stderr)
        return 1
    except (TemplateError, ClientError, ParamValidationError) as error:
        # Cognito refuses what the template says, or it can't be resolved here.
        print_line(f"make run: {options.template}: {' '.join(str(error).split())}", sys.stderr)
        return 1
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the options, or exit with a message about the wrong ones."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local",
        description="Run the API and a local Cognito on this machine. No AWS account is used.",
        epilog="`make run PORT=8000 COGNITO_PORT=8001 DEMO_PORT=8002 FRESH=1` sets up the"
        " environment and then does the same.",
    )
    parser.add_argument(
        "--port", type=port, default=8000, help="the API's port (default: %(default)s)"
    )
    parser.add_argument(
        "--cognito-port",
        type=port,
        default=8001,
        help="the port of the local Cognito and its console (default: %(default)s)",
    )
    parser.add_argument(
        "--demo-port", type=port, help=f"the demo page's port (default: {DEMO_PORT}, if it is free)"
    )
    parser.add_argument("--fresh", action="store_true", help="delete all users first")
    parser.add_argument("--no-api", action="store_true", help="only the local Cognito")
    parser.add_argument(
        "--store",
        type=file,
        default=USERS,
        metavar="FILE",
        help="where users are kept (default: .local/users.db)",
    )
    parser.add_argument(
        "--template",
        type=Path,
        default=TEMPLATE,
        metavar="FILE",
        help="the template of the user pool (default: infra/template.yaml)",
    )
    options = parser.parse_args(argv)
    if options.port == options.cognito_port and not options.no_api:
        parser.error("--port and --cognito-port must differ")
    if options.demo_port in {options.port, options.cognito_port}:
        parser.error("--demo-port must differ from --port and --cognito-port")
    return options


def file(text: str) -> Path:
    """Return the path of a file, or raise the error that argparse prints."""
    path = Path(text)
    if path.name in {"", ".."}:
        raise argparse.ArgumentTypeError(f"{text!r} is a folder: name a file in it")
    return path


def request_shutdown(_number: int, _frame: FrameType | None) -> None:
    """Leave `run` through its `with` blocks, only once: a second Ctrl-C would interrupt them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise ShutdownRequested


def reset_aws_environment() -> None:
    """Drop the shell's AWS settings, and make moto create the same ids for the same settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # Ids of pools and app clients that are made by hand become a hash of their settings, so a front
    # end can store them in its configuration. The template's follow from the stack's name.
    os.environ["MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY"] = "HASH"
    os.environ["MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY"] = "HASH"


def run(options: argparse.Namespace) -> None:
    """Start everything, print the addresses, and wait.

    Raises ShutdownRequested, StartupError or StoreError.
    """
    check_free("COGNITO_PORT", options.cognito_port)
    if not options.no_api:
        check_free("PORT", options.port)
        if options.demo_port:
            check_free("DEMO_PORT", options.demo_port)
    with ExitStack() as stack:
        older = options.store.with_suffix(".json")
        if older.exists() and not options.store.exists():
            print_line(f"{older} is of an older version: it stays, but its users are not read.")
        store = stack.enter_context(Store(options.store, fresh=options.fresh))
        if store.set_aside:
            print_line(f"What was at {options.store} is now at {store.set_aside}")
        api_url = None if options.no_api else f"http://localhost:{options.port}"
        cognito = LocalCognito(
            options.cognito_port,
            store,
            echo=print_line,
            api=api_url,
            allowed_origins=listed(os.environ.get("ALLOWED_ORIGINS", "")),
        )
        # The port is open, but nothing is answered before the pool is there: a page that is told
        # that its app client doesn't exist would sign its user out.
        if options.no_api:
            pool = cognito.create_pool(redirect_uris=redirect_uris([]), template=options.template)
            stack.enter_context(cognito)
            print_line(f"Local Cognito  http://localhost:{options.cognito_port}/")
            print_line(f"User pool      {pool.user_pool_id}")
            print_line(f"App client     {pool.client_id}")
            while True:  # signal.pause() would miss a signal that arrives just before it
                time.sleep(1)
        demo, origins = start_demo(options, stack)
        uris = redirect_uris(origins)
        pool = cognito.create_pool(redirect_uris=uris, template=options.template)
        stack.enter_context(cognito)
        environ = api_environment(pool, cognito.url, origins) | {"REDIRECT_URIS": ",".join(uris)}
        api = stack.enter_context(api_process(options.port, environ))
        wait_until_ready(api, options.port)
        print_line(WELCOME.format(port=options.port, cognito_port=options.cognito_port, demo=demo))
        while api.poll() is None:  # api.wait() would miss one likewise
            time.sleep(0.5)
        raise StartupError(f"the API ended by itself (exit code {api.returncode})")


def start_demo(options: argparse.Namespace, stack: ExitStack) -> tuple[str, list[str]]:
    """Serve the demo page; return its address, or why it has none, and its browser origins.

    Raises StartupError if the port is taken, but not for the default one, which nobody asked for.
    """
    number = options.demo_port or DEMO_PORT
    has_cookie = os.environ.get("SESSION_COOKIE", "").strip().lower() == "true"
    api, mailbox = f"http://localhost:{options.port}", f"http://localhost:{options.cognito_port}/"
    try:
        if number in {options.port, options.cognito_port}:
            raise port_in_use("DEMO_PORT", number)
        check_free("DEMO_PORT", number)
        try:
            stack.enter_context(Demo(number, api, mailbox, cookie=has_cookie))
        except OSError:
            # Another process took it in the meantime.
            raise port_in_use("DEMO_PORT", number) from None
    except StartupError as reason:
        if options.demo_port:
            raise
        return f"not served: {reason}", []
    return f"http://localhost:{number}/", [
        f"http://{host}:{number}" for host in ("localhost", HOST)
    ]


WELCOME = """
  Demo page   {demo}
  Docs page   http://localhost:{port}/docs
  Mailbox     http://localhost:{cognito_port}/
  API         http://localhost:{port}

Try it, then look into the mailbox (Ctrl-C ends it all):

  curl http://localhost:{port}/auth/sign-up -H 'Content-Type: application/json' \\
    -d '{{"email": "ada@example.com", "password": "Correct-horse-9"}}'
"""


def redirect_uris(origins: list[str]) -> list[str]:
    """Return the redirect URIs of Google sign-in: the caller's pages and the demo's."""
    uris = listed(os.environ.get("REDIRECT_URIS", DEV_REDIRECT_URIS))
    return list(dict.fromkeys([*uris, *(f"{origin}/" for origin in origins)]))


def listed(text: str) -> list[str]:
    """Return the entries of a comma-separated list."""
    return [entry for part in text.split(",") if (entry := part.strip())]


def print_line(line: str, file: TextIO | None = None) -> None:
    """Print at once, even into a pipe."""
    print(line, file=file or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
