"""Checks of Cognito's request to Google, and of Google's first answer to it.

Google reports errors in two undocumented forms: a redirect to /signin/oauth/error, whose
`authError` is a protocol buffer in Base64, and a page with the status 200 and an attribute
`data-error-code`. A page without a known sign counts as neither right nor wrong.
"""

import base64
import binascii
import re

import httpx

from infra.doctor.findings import Findings, printable

# In October 2026, Google sent unknown browsers a page without the error code.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    "Accept-Language": "en",
}
HOST = "accounts.google.com"
OTHER_TYPE = (
    "delete the provider, and deploy the template's GoogleProvider. A provider's type can't be "
    "changed"
)
NO_SUCH_CLIENT = {"invalid_client", "disabled_client", "deleted_client"}
# The code is the first field of the message: a name with an underscore.
CODE = re.compile(rb"[a-z]+(?:_[a-z]+)+")
PAGE_CODE = re.compile(r'data-error-code="([a-z_]+)"|\bError 4\d\d: ([a-z_]+)')
# The paths of Google's sign-in pages, and their field for the address.
SIGN_IN_PATHS = {"identifier", "accountchooser", "oauthchooseaccount", "servicelogin"}
SIGN_IN_FIELD = re.compile(r'<input\b[^>]*(?:\btype="email"|\bid="identifierId")')


def is_google(findings: Findings, url: httpx.URL, domain: str) -> bool:
    """Check that Cognito redirects to Google, or a Cognito on this machine to its stand-in."""
    here = httpx.URL(domain)
    right = url.host == HOST or (here.scheme == "http" and url.host == here.host)
    findings.check(
        f"Cognito redirects to Google ({url.host})",
        f"Cognito redirects to {printable(url.host)}, which is not Google: {OTHER_TYPE}",
        right=right,
    )
    return right


def compare(findings: Findings, url: httpx.URL, domain: str, client_id: str | None) -> None:
    """Compare Cognito's request to Google with the expected values.

    `client_id` is the one in Google's console, or None if it isn't known.
    """
    sent, expected = str(url.params["client_id"]), f"{domain}/oauth2/idpresponse"
    if client_id is None:
        findings.unknown(
            f"whether {printable(sent)} is your client id at Google: pass it as --google-client-id"
        )
    else:
        findings.check(
            f"Cognito sends Google the client id {client_id}",
            f"client_id differs: Cognito sends Google {printable(sent)}, not {client_id}. Correct "
            "the template's parameter GoogleClientId, and deploy",
            right=client_id == sent,
        )
    back = str(url.params["redirect_uri"])
    findings.check(
        f"Cognito sends Google the redirect URI {expected}",
        f"redirect_uri differs: Cognito sends Google {printable(back)}, not {expected}. Correct "
        "the template's parameter SignInDomain, from which the API's COGNITO_DOMAIN_URL follows",
        right=back == expected,
    )


def ask(http: httpx.Client, findings: Findings, url: httpx.URL) -> None:
    """Open Google's URL, and check the first answer."""
    try:
        answer = http.get(url, headers=BROWSER)
    except httpx.HTTPError as error:
        findings.unknown(f"no answer from {url.host} ({error})")
        return
    client_id, back = (printable(str(url.params[name])) for name in ("client_id", "redirect_uri"))
    code = refusal(answer)
    if code == "redirect_uri_mismatch":
        findings.wrong(
            f"redirect_uri_mismatch: in Google's console, add {back} to the authorised redirect "
            f"URIs of the client {client_id}"
        )
    elif code in NO_SUCH_CLIENT:
        findings.wrong(
            f"{code}: Google has no active client {client_id}. Copy the client id from Google's "
            "console into the template's parameter GoogleClientId, and deploy"
        )
    elif code:
        findings.wrong(
            f"Google refuses with {code}: see "
            "https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors"
        )
    elif asks_who(answer):
        findings.right("Google accepts the client and its redirect URI, and shows its sign-in page")
    else:
        findings.unknown(
            f"Google answers {answer.status_code} with a page that the doctor can't read. Try to "
            "sign in with a browser"
        )


def refusal(answer: httpx.Response) -> str | None:
    """Return Google's error code, or None if the answer has no readable one."""
    if answer.next_request:
        found = CODE.search(decoded(str(answer.next_request.url.params.get("authError", ""))))
        return found[0].decode() if found else None
    page = PAGE_CODE.search(answer.text)
    return (page[1] or page[2]) if page else None


def asks_who(answer: httpx.Response) -> bool:
    """Return whether Google's answer is a sign-in page or a redirect to one."""
    if answer.next_request:
        path = answer.next_request.url.path
        return path.rpartition("/")[2].lower() in SIGN_IN_PATHS
    return answer.is_success and bool(SIGN_IN_FIELD.search(answer.text))


def decoded(text: str) -> bytes:
    """Decode Base64 in either alphabet, with or without padding."""
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):  # ValueError: it isn't ASCII
        return b""
