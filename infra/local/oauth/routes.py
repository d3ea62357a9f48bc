"""The routes of the domain and of the fake Google.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html
"""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from infra.local.oauth.authorize import COOKIE, authorize, idpresponse, offers_google
from infra.local.oauth.domain import Domain
from infra.local.oauth.federation import PROVIDER
from infra.local.oauth.google import show_refusal
from infra.local.oauth.pages import ErrorPageError, OAuthError, page, redirect, to_json
from infra.local.oauth.token import revoke, token, user_info
from infra.local.pool.user_pool import all_pools, find_client

DISCOVERY = "/.well-known/openid-configuration"


def serves(path: str) -> bool:
    """Return whether the domain or the fake Google has this path."""
    return path in ROUTES or path.endswith(DISCOVERY)


def answer(domain: Domain, request: Request) -> Response:
    """Handle a request for a path that `serves` accepts."""
    if request.path.endswith(DISCOVERY):
        return discovery(request)
    methods = ROUTES[request.path]
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        response = page("Wrong method", "This address doesn't accept this HTTP method.", 405)
        response.headers["Allow"] = ", ".join(methods)
        return response
    try:
        return methods[method](domain, request)
    except OAuthError as refusal:
        return to_json(refusal.body, refusal.status)
    except ErrorPageError as refusal:
        return redirect("/error", error=refusal.error, client_id=refusal.client_id)


def login(_: Domain, request: Request) -> Response:
    """Return a page in place of Cognito's own sign-in page."""
    found = find_client(request.args.get("client_id", ""))
    more = ""
    if found and offers_google(found[1]):
        query = urlencode({**request.args, "identity_provider": PROVIDER})
        url = escape(f"/oauth2/authorize?{query}")
        more = f'<p><a href="{url}">Continue with {PROVIDER}</a></p>'
    text = "Cognito's own sign-in page would be here. The local Cognito has none."
    return page("Sign in", text, 200, more)


def error(_: Domain, request: Request) -> Response:
    """Return Cognito's error page, for errors that are not sent to the app."""
    text = f"An error was encountered with the requested page: {request.args.get('error', '')}"
    return page("Error", text, 400)


def logout(domain: Domain, request: Request) -> Response:
    """End the browser's session, and redirect to a URI that is registered for the app client.

    AWS doesn't document the response to an unregistered URI: it is not certain.
    https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
    """
    query = request.args
    found = find_client(query.get("client_id", ""))
    if found is None:
        raise ErrorPageError("invalid_client")
    settings = found[1].extended_config
    if query.get("logout_uri") in settings.get("LogoutURLs", []):
        response = redirect(query["logout_uri"])
    elif query.get("redirect_uri") in settings.get("CallbackURLs", []):
        response = redirect("/login", **query)
    else:
        raise ErrorPageError("redirect_mismatch", found[1].id)
    domain.close_session(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, path="/")
    return response


def discovery(request: Request) -> Response:
    """Return the pool's OpenID Connect discovery document."""
    pool_id = request.path.removesuffix(DISCOVERY).removeprefix("/")
    pool = next((pool for pool in all_pools() if pool.id == pool_id), None)
    if pool is None:
        return to_json({"message": f"User pool {pool_id} does not exist."}, 404)
    here = request.host_url
    document: dict[str, Any] = {
        "issuer": pool.issuer,
        "jwks_uri": f"{here}{pool_id}/.well-known/jwks.json",
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
    }
    if pool.domain:
        document |= {
            "authorization_endpoint": f"{here}oauth2/authorize",
            "token_endpoint": f"{here}oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "revocation_endpoint": f"{here}oauth2/revoke",
            "userinfo_endpoint": f"{here}oauth2/userInfo",
            "end_session_endpoint": f"{here}logout",
        }
    return to_json(document)


def accounts(domain: Domain) -> list[str]:
    """Return the addresses that have signed in with the fake Google."""
    pools = [pool for pool in all_pools() if getattr(pool, "state", None) is domain.state]
    users = [user for pool in pools for user in pool.users.in_group(pool.provider_group(PROVIDER))]
    return sorted({user.attribute_lookup.get("email", "") for user in users} - {""})


ROUTES: dict[str, dict[str, Callable[[Domain, Request], Response]]] = {
    "/oauth2/authorize": {"GET": authorize},
    "/oauth2/idpresponse": {"GET": idpresponse, "POST": idpresponse},
    "/oauth2/token": {"POST": token},
    "/oauth2/revoke": {"POST": revoke},
    "/oauth2/userInfo": {"GET": user_info, "POST": user_info},
    "/login": {"GET": login},
    "/logout": {"GET": logout},
    "/error": {"GET": error},
    "/google/o/oauth2/v2/auth": {"GET": lambda d, r: d.google.ask(r, accounts(d))},
    "/google/consent": {"POST": lambda d, r: d.google.answer(r, accounts(d))},
    "/google/signin/oauth/error": {"GET": lambda _, r: show_refusal(r)},
}
