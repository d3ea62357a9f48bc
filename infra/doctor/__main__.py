"""The command line of the doctor: `make doctor URL=https://…/v1`."""

import argparse

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from infra.deployed import TIMEOUT, api_url, say
from infra.doctor import api, google
from infra.doctor.api import Attempt
from infra.doctor.domain import Domain
from infra.doctor.findings import Findings
from infra.doctor.pool import Pool
from infra.doctor.stack import describe_stack, error_code, region_of

ONLY_A_SIGN_IN_SHOWS = """
Only a real sign-in checks the rest. Sign in once with an account that is not a test user at Google:
- If Google answers 403 access_denied, the app's status is "testing". Publish it in Google's
  console.
- If the browser returns with error=invalid_request and a description that begins with "Google
  Error" (the API answers google_failed), Google's client secret is wrong. Store it in Secrets
  Manager again, and deploy with the new version id as GoogleSecretVersion.
"""


def main(argv: list[str] | None = None) -> int:
    """Run every check, and return the exit status."""
    given = parse(argv)
    findings = Findings()
    try:
        diagnose(given, findings)
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted.") from None
    say(findings.summary)
    return findings.status


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the options. Exit with a message if they are invalid."""
    parser = argparse.ArgumentParser(
        prog="make doctor URL=…",
        description="Find wrong settings of sign-in with Google. The doctor sends the requests of "
        "a browser up to Google's first answer. It doesn't sign in, and it changes nothing.",
        epilog='Pass options in ARGS: make doctor URL=… ARGS="--redirect-uri '
        'https://app.example.com/". Exit status: 0 if no check failed, even if some could '
        "not be made (?); 1 if a check failed; 2 for a wrong option. make exits with 2, not 1.",
    )
    parser.add_argument("url", metavar="URL", type=api_url, help="the stack's output ApiUrl")
    parser.add_argument(
        "--redirect-uri",
        metavar="URI",
        type=redirect_uri,
        help="a page of your front end that Google sign-in returns to, as in the template's "
        "parameter RedirectUris; by default that of --stack, or a usual local address",
    )
    parser.add_argument(
        "--google-client-id",
        metavar="ID",
        help="the expected client id, from Google's console; by default that of --stack",
    )
    aws = parser.add_argument_group("with AWS credentials, which boto3 finds as usual")
    aws.add_argument(
        "--aws", action="store_true", help="also check the settings that need AWS credentials"
    )
    aws.add_argument("--stack", metavar="NAME", help="the stack to read the two ids below from")
    aws.add_argument("--user-pool-id", metavar="ID", help="by default, the pool of the domain")
    aws.add_argument("--client-id", metavar="ID", help="by default, the API's app client")
    aws.add_argument(
        "--without-google",
        action="store_true",
        help="check only what the API needs of any user pool, such as an existing one",
    )
    aws.add_argument("--endpoint-url", metavar="URL", help="another Cognito, such as a local one")
    parser.set_defaults(pre_sign_up=None)  # not an option: read from the stack
    given = parser.parse_args(argv)
    if not given.aws and any(
        (
            given.stack,
            given.user_pool_id,
            given.client_id,
            given.without_google,
            given.endpoint_url,
        )
    ):
        parser.error(
            "--stack, --user-pool-id, --client-id, --without-google and --endpoint-url need --aws"
        )
    return given


def redirect_uri(text: str) -> str:
    """Return the redirect URI from the command line. Raise ArgumentTypeError if it is invalid."""
    try:
        path = httpx.URL(text).path
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if path == "/oauth2/idpresponse":
        raise argparse.ArgumentTypeError(
            "it must be a page of your front end. /oauth2/idpresponse belongs in Google's console "
            "alone"
        )
    return text


def diagnose(given: argparse.Namespace, findings: Findings) -> None:
    """Run every check."""
    if given.stack:
        take_from_stack(given, findings)
    attempt = None
    if not given.without_google:
        attempt = try_google(given, findings)
    if given.aws:
        try:
            describe(given, findings, attempt)
        except BotoCoreError as error:
            findings.unknown(f"the calls to AWS failed: {error}")
    if attempt:
        say(ONLY_A_SIGN_IN_SHOWS)


def try_google(given: argparse.Namespace, findings: Findings) -> Attempt | None:
    """Go a browser's way up to Google's first answer. Return None if it can't begin."""
    url = given.url.rstrip("/")
    with httpx.Client(timeout=TIMEOUT) as http:
        uris = (given.redirect_uri,) if given.redirect_uri else api.USUAL_PAGES
        attempt = api.start(http, findings, url, uris)
        if attempt:
            follow(http, findings, url, attempt, given.google_client_id)
    return attempt


def take_from_stack(given: argparse.Namespace, findings: Findings) -> None:
    """Fill in missing options from the stack's outputs and parameters."""
    try:
        stack = describe_stack(given.stack, region_of(given.url))
    except ClientError as error:
        findings.unknown(f"the stack {given.stack} can't be described: {error_code(error)}")
    except BotoCoreError as error:
        findings.unknown(f"the stack {given.stack} can't be described: {error}")
    else:
        for name, value in stack._asdict().items():
            if not getattr(given, name):
                setattr(given, name, value)


def follow(
    http: httpx.Client, findings: Findings, url: str, attempt: Attempt, google_client_id: str | None
) -> None:
    """Check the redirect to Google, and the token exchange with a made-up code."""
    domain = Domain(http, findings, attempt)
    if google_url := domain.leads_to_google():
        google.compare(findings, google_url, attempt.domain, google_client_id)
        google.ask(http, findings, google_url)
    if domain.gives_tokens():
        api.finish(http, findings, url, attempt)


def describe(given: argparse.Namespace, findings: Findings, attempt: Attempt | None) -> None:
    """Check the settings that need AWS credentials."""
    host = attempt.url.host if attempt else None
    pool = Pool(findings, region_of(given.user_pool_id, host, given.url), given.endpoint_url)
    pool_id = given.user_pool_id or (host and pool.id_of(host))
    client_id = given.client_id or (attempt and attempt.client_id)
    if not (pool_id and client_id):
        findings.unknown("which user pool and app client to check: pass --stack, or both ids")
        return
    if attempt:
        findings.check(
            f"The API uses the app client {client_id}",
            f"The API uses the app client {attempt.client_id}, not {client_id}: deploy again",
            right=attempt.client_id == client_id,
        )
    if given.without_google:
        pool.check_client(pool_id, client_id, pool.check_pool(pool_id))
        return
    redirect_uri = attempt.redirect_uri if attempt else given.redirect_uri
    pool.check(
        pool_id,
        client_id,
        redirect_uri=redirect_uri,
        google_client_id=given.google_client_id,
        pre_sign_up=given.pre_sign_up,
    )


if __name__ == "__main__":
    raise SystemExit(main())
