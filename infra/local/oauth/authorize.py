"""/oauth2/authorize and /oauth2/idpresponse: redirects from the app to Google and back.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.cognitoidp.models import CognitoIdpUserPoolClient
from moto.core.exceptions import JsonRESTError
from werkzeug.wrappers import Request, Response

from infra.local.oauth.domain import COOKIE_LIFETIME, Authorization, BrowserSession, Domain
from infra.local.oauth.federation import PROVIDER, federated_user
from infra.local.oauth.google import GoogleError
from infra.local.oauth.pages import ErrorPageError, redirect
from infra.local.pool.user_pool import Pool, find_client

COOKIE = "cognito"


def authorize(domain: Domain, request: Request) -> Response:
    """Redirect to Google, or back to the app with a code if the browser has a valid session."""
    query = request.args
    pool, client = known_client(query)
    settings = client.extended_config
    redirect_uri = query["redirect_uri"]
    if error := fault(query, settings):
        return redirect(redirect_uri, error=error, state=query.get("state"))
    authorization = Authorization(
        client_id=client.id,
        redirect_uri=redirect_uri,
        scope=query.get("scope") or " ".join(settings.get("AllowedOAuthScopes", [])),
        state=query.get("state"),
        nonce=query.get("nonce"),
        challenge=query.get("code_challenge"),
    )
    # AWS documents only that `login` ignores the session. The other values are meant for the
    # provider, so we assume that they ignore it too: otherwise they would never reach Google.
    prompts = set(query.get("prompt", "").split())
    session = domain.session(request.cookies.get(COOKIE), pool)
    if session and prompts <= {"none"}:
        return with_code(domain, authorization, session)
    if "none" in prompts:
        return redirect(redirect_uri, error="login_required", state=authorization.state)
    if query.get("identity_provider") != PROVIDER or not offers_google(client):
        return redirect("/login", **query)
    details = pool.identity_providers[PROVIDER].extended_config["ProviderDetails"]
    return redirect(
        f"{request.host_url}google/o/oauth2/v2/auth",
        client_id=details["client_id"],
        redirect_uri=f"{request.host_url}oauth2/idpresponse",
        response_type="code",
        scope=details["authorize_scopes"],
        state=domain.begin(authorization),
        prompt=query.get("prompt"),
        login_hint=query.get("login_hint"),
    )


def known_client(query: Mapping[str, str]) -> tuple[Pool, CognitoIdpUserPoolClient]:
    """Return the request's app client and its pool, after checking `redirect_uri`.

    Raises ErrorPageError. Users report that Cognito shows its own page, but not always
    its text: the text for an unknown app client is not certain.
    """
    client_id = query.get("client_id", "")
    found = find_client(client_id)
    if found is None or found[0].domain is None:
        raise ErrorPageError("invalid_client", client_id)
    settings = found[1].extended_config
    if not settings["AllowedOAuthFlowsUserPoolClient"]:
        raise ErrorPageError("Client is not enabled for OAuth2.0 flows.", client_id)
    if query.get("redirect_uri") not in settings.get("CallbackURLs", []):
        raise ErrorPageError("redirect_mismatch", client_id)
    return found


def fault(query: Mapping[str, str], settings: Mapping[str, Any]) -> str | None:
    """Return the OAuth error code for an invalid request, or None.

    The implicit flow is not implemented: no app client may use it here.
    """
    kind, method = query.get("response_type"), query.get("code_challenge_method")
    if kind not in {"code", "token"} or ("code_challenge" in query) != (method == "S256"):
        return "invalid_request"
    if kind not in settings.get("AllowedOAuthFlows", []):
        return "unauthorized_client"
    asked = set(query.get("scope", "").split())
    if not asked <= set(settings.get("AllowedOAuthScopes", [])):
        return "invalid_scope"
    return None


def offers_google(client: CognitoIdpUserPoolClient) -> bool:
    """Return whether an app client supports sign-in with Google."""
    return PROVIDER in client.extended_config.get("SupportedIdentityProviders", [])


def idpresponse(domain: Domain, request: Request) -> Response:
    """Read Google's response, and redirect to the app with a code or an error.

    AWS documents neither the response to an expired or forged request nor the description for
    `access_denied`: both are not certain.
    """
    given = request.values
    authorization = domain.resume(given.get("state", ""))
    found = find_client(authorization.client_id) if authorization else None
    if authorization is None or found is None or not offers_google(found[1]):
        raise ErrorPageError("Invalid state")
    pool, client = found

    def back_with(error: str, description: str) -> Response:
        # Cognito sends the parameters in this order.
        return redirect(
            authorization.redirect_uri,
            error_description=description,
            state=authorization.state,
            error=error,
        )

    if "error" in given:
        return back_with(given["error"], f"Google Error - {given['error']}")
    provider = pool.identity_providers[PROVIDER]
    details = provider.extended_config["ProviderDetails"]
    try:
        claims = domain.google.exchange(
            given.get("code", ""), details["client_id"], details["client_secret"]
        )
        user = federated_user(pool, provider, client.id, claims)
    except GoogleError as failure:
        return back_with("invalid_request", str(failure))
    except JsonRESTError as refusal:
        return back_with("invalid_request", f"{refusal.message} ")
    cookie, session = domain.open_session(user)
    # After a fresh sign-in, Cognito may add its own nonce to the ID token if the app sent none.
    # https://github.com/akuity/kargo/issues/6797
    nonce = authorization.nonce or secrets.token_urlsafe(32)
    response = with_code(domain, replace(authorization, nonce=nonce), session)
    response.set_cookie(
        COOKIE, cookie, max_age=COOKIE_LIFETIME, path="/", httponly=True, samesite="Lax"
    )
    return response


def with_code(domain: Domain, authorization: Authorization, session: BrowserSession) -> Response:
    """Redirect to the app with a new code."""
    code = domain.new_code(authorization, session)
    return redirect(authorization.redirect_uri, code=code, state=authorization.state)
