"""Checks of the pool's domain: the redirect to Google, and the token endpoint.

Cognito reports errors in the query of a redirect, either to the domain's own page /error or to the
redirect URI. AWS documents few of the messages, so the checks look for known words anywhere in it.
https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

import socket

import httpx

from infra.doctor import google
from infra.doctor.api import Attempt, made_up_grant
from infra.doctor.findings import Findings, printable

NOT_ON_THIS_CLIENT = (
    "This app client doesn't offer Google: Cognito shows its own sign-in page. Set "
    "SupportedIdentityProviders to [COGNITO, Google], as in the template's UserPoolClient"
)
OTHER_STACK = (
    "this domain has no app client {client_id}: the API's COGNITO_CLIENT_ID and "
    "COGNITO_DOMAIN_URL belong to different stacks"
)
# Cognito's message, and the fix. `invalid_request` is not here: it can have any cause.
REMEDIES = {
    "redirect_mismatch": (
        "redirect_mismatch: the app client has no such callback URL. Add exactly {redirect_uri} to "
        "the template's parameter RedirectUris, and deploy"
    ),
    # Users also report it when the redirect URI differs in letter case or in the final slash.
    "not enabled for OAuth2.0 flows": (
        'Cognito says "Client is not enabled for OAuth2.0 flows": OAuth is off, or the app client '
        "is older than the domain. Set AllowedOAuthFlowsUserPoolClient to true, as in the "
        "template's UserPoolClient; if it is, update the app client once more, and compare its "
        "CallbackURLs with {redirect_uri} character by character"
    ),
    "unauthorized_client": (
        "unauthorized_client: the code flow is off. Set AllowedOAuthFlows to [code], as in the "
        "template's UserPoolClient"
    ),
    "Login option is not available": NOT_ON_THIS_CLIENT,
    "invalid_client": f"invalid_client: {OTHER_STACK}",
}
# The token endpoint's error, and the fix. It checks the client before the code.
TOKEN_REMEDIES = {
    "invalid_client": (
        "invalid_client: the app client has a secret, or a wrong id. Replace it with one that "
        "has GenerateSecret: false, as in the template's UserPoolClient. If it has no secret, "
        f"{OTHER_STACK}"
    ),
    "unauthorized_client": REMEDIES["unauthorized_client"],
}


class Domain:
    """The pool's domain, as the authorization URL names it."""

    def __init__(self, http: httpx.Client, findings: Findings, attempt: Attempt) -> None:
        self._http = http
        self._findings = findings
        self._attempt = attempt
        self._answers = True

    def leads_to_google(self) -> httpx.URL | None:
        """Open the authorization URL, and return Google's URL from the redirect.

        If it redirects elsewhere, report the reason and return None.
        """
        answer = self._send("GET", str(self._attempt.url))
        if answer is None:
            return None
        words, target = complaint(answer), _target(answer)
        if "invalid_scope" in words:
            self._findings.wrong(self._about_scopes())
        elif known := [text for phrase, text in REMEDIES.items() if phrase in words]:
            self._findings.wrong(self._filled(known[0]))
        elif answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
            self._findings.unknown(f"Cognito answers {answer.status_code}. Run the doctor again")
        elif target and target.path == "/login" and self._is_domain(target):
            self._findings.wrong(NOT_ON_THIS_CLIENT)
        elif target and (words or target.path == "/error"):
            self._findings.wrong(
                f"Cognito refuses the request with the message: {printable(words) or 'none'}"
            )
        elif target and {"client_id", "redirect_uri"} <= target.params.keys():
            if google.is_google(self._findings, target, self._attempt.domain):
                return target
        else:
            self._findings.unknown(
                f"Cognito answers {answer.status_code} and doesn't redirect to Google. Try "
                "to sign in with a browser"
            )
        return None

    def gives_tokens(self) -> bool:
        """Exchange a made-up code, and return whether only the code was refused.

        Return False without a request if the domain didn't answer before.
        """
        if not self._answers:
            return False
        grant = made_up_grant(self._attempt.redirect_uri)
        form = {
            "grant_type": "authorization_code",
            "client_id": self._attempt.client_id,
            "code": grant["code"],
            "code_verifier": grant["codeVerifier"],
            "redirect_uri": grant["redirectUri"],
        }
        answer = self._send("POST", f"{self._attempt.domain}/oauth2/token", data=form)
        if answer is None:
            return False
        error = _error(answer)
        if error == "invalid_grant":
            self._findings.right("The token endpoint accepts the app client without a secret")
            return True
        if error in TOKEN_REMEDIES:
            self._findings.wrong(f"Token endpoint: {self._filled(TOKEN_REMEDIES[error])}")
        else:
            self._findings.unknown(
                f"the token endpoint answers {answer.status_code} {printable(error)}"
            )
        return False

    def _about_scopes(self) -> str:
        """Request each scope on its own, and return a message with the missing ones."""
        asked = str(self._attempt.url.params["scope"]).split()
        missing = [scope for scope in asked if self._refuses(scope)]
        if "openid" in missing:  # without openid, a refusal of these proves nothing
            missing = [scope for scope in missing if not _needs_openid(scope)]
        which = f"lacks {' and '.join(missing)}" if missing else "lacks one"
        return (
            f"invalid_scope: the app client {which}. AllowedOAuthScopes must contain "
            f"{', '.join(asked)}, as in the template's UserPoolClient"
        )

    def _refuses(self, scope: str) -> bool:
        asked = f"openid {scope}" if _needs_openid(scope) else scope
        url = self._attempt.url.copy_set_param("scope", asked)
        answer = self._send("GET", str(url))
        return answer is not None and "invalid_scope" in complaint(answer)

    def _filled(self, remedy: str) -> str:
        attempt = self._attempt
        return remedy.format(redirect_uri=attempt.redirect_uri, client_id=attempt.client_id)

    def _is_domain(self, url: httpx.URL) -> bool:
        return (url.host, url.port) == (self._attempt.url.host, self._attempt.url.port)

    def _send(
        self, method: str, url: str, data: dict[str, str] | None = None
    ) -> httpx.Response | None:
        try:
            return self._http.request(method, url, data=data)
        except httpx.HTTPError as error:
            self._answers = False
            domain = self._attempt.domain
            if _is_unknown_name(error):
                self._findings.wrong(
                    f"{domain} doesn't resolve. If it is new, wait a minute; otherwise check its "
                    "prefix, the template's parameter SignInDomain"
                )
            else:
                self._findings.unknown(f"no answer from {domain} ({error})")
            return None


def complaint(answer: httpx.Response) -> str:
    """Return Cognito's error message from the redirect or from an error page."""
    target = _target(answer)
    if target is None:
        return answer.text if answer.is_client_error else ""
    given = target.params
    return " ".join(given.get_list("error") + given.get_list("error_description"))


def _target(answer: httpx.Response) -> httpx.URL | None:
    return answer.next_request.url if answer.next_request else None


def _error(answer: httpx.Response) -> str:
    """Return the OAuth error of a JSON answer, or an empty string."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    return str(found.get("error", "")) if isinstance(found, dict) else ""


def _needs_openid(scope: str) -> bool:
    """Return whether Cognito accepts a scope only together with openid.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
    """
    return scope in ("email", "phone", "profile")


def _is_unknown_name(error: BaseException | None) -> bool:
    while error:
        if isinstance(error, socket.gaierror):
            return error.errno != socket.EAI_AGAIN  # the name server is out of reach
        error = error.__context__  # httpcore drops the cause
    return False
