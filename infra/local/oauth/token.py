"""/oauth2/token, /oauth2/revoke and /oauth2/userInfo, which apps call directly.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
"""

import base64
import hashlib
import hmac
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient
from werkzeug.wrappers import Request, Response

from infra.local.oauth.domain import Domain, Grant
from infra.local.oauth.pages import OAuthError, to_json
from infra.local.pool.tokens import readable_attributes
from infra.local.pool.user_pool import Pool, all_pools, find_client


def token(domain: Domain, request: Request) -> Response:
    """Exchange a code for tokens. Other grants are not implemented.

    A wrong verifier or redirect URI also uses up the code. AWS doesn't document this.
    """
    form = request.form
    if not form.get("grant_type"):
        raise OAuthError("invalid_request")
    pool, client = authenticated_client(request)
    if form["grant_type"] != "authorization_code":
        raise OAuthError("unsupported_grant_type")
    if "code" not in client.extended_config.get("AllowedOAuthFlows", []):
        raise OAuthError("unauthorized_client")
    grant = domain.use_code(form.get("code", ""), client)
    if grant is None:
        raise OAuthError("invalid_grant")
    authorization = grant.authorization
    if form.get("redirect_uri") != authorization.redirect_uri:
        raise OAuthError("unauthorized_client", "invalid_redirect")
    if not proves(form.get("code_verifier", ""), authorization.challenge):
        raise OAuthError("invalid_grant", "invalid_code_verifier")
    return to_json(tokens(pool, client, grant))


def tokens(pool: Pool, client: CognitoIdpUserPoolClient, grant: Grant) -> dict[str, Any]:
    """Start a session for a grant, and return its tokens in OAuth's format."""
    authorization = grant.authorization
    scopes = authorization.scope.split()
    readable = client.get_readable_fields()
    if "email" in scopes and readable and "email_verified" not in readable:
        raise OAuthError("invalid_grant")
    user = pool.user_by_sub(grant.sub)
    if user is None or not user.enabled:
        raise OAuthError("invalid_grant")
    made = pool.sign_in(
        client,
        user,
        scope=authorization.scope,
        nonce=authorization.nonce,
        auth_time=grant.auth_time,
    )["AuthenticationResult"]
    answer = {
        "id_token": made["IdToken"],
        "access_token": made["AccessToken"],
        "refresh_token": made["RefreshToken"],
        "expires_in": made["ExpiresIn"],
        "token_type": made["TokenType"],
    }
    if "openid" not in scopes:
        del answer["id_token"]
    return answer


def proves(verifier: str, challenge: str | None) -> bool:
    """Return whether a verifier matches the challenge (RFC 7636), or there is no challenge."""
    if challenge is None:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(expected, challenge.encode())


def authenticated_client(request: Request) -> tuple[Pool, CognitoIdpUserPoolClient]:
    """Return the calling app client and its pool. Check the client's secret if it has one."""
    basic = request.authorization
    given = request.form.get("client_id"), request.form.get("client_secret")
    if basic and basic.type == "basic":
        given = basic.username, basic.password
    found = find_client(given[0] or "")
    if found is None:
        raise OAuthError("invalid_client")
    client = found[1]
    if client.generate_secret and not hmac.compare_digest(
        client.secret.encode(), (given[1] or "").encode()
    ):
        raise OAuthError("invalid_client")
    return found


def revoke(domain: Domain, request: Request) -> Response:
    """End the session of a refresh token. An unknown token is not an error.

    https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
    """
    given = request.form.get("token")
    if not given:
        raise OAuthError("invalid_request")
    pool, client = authenticated_client(request)
    if not client.extended_config["EnableTokenRevocation"]:
        raise OAuthError("invalid_request")
    if domain.state.decode_token(given):
        raise OAuthError("unsupported_token_type")
    if session := pool.session_for(given):
        if session.client_id != client.id:
            raise OAuthError("unauthorized_client")
        session.revoked = True
    return Response(status=200)


def user_info(domain: Domain, request: Request) -> Response:
    """Return the attributes that the access token's scopes allow.

    https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
    """
    bearer = request.authorization
    given = bearer.token if bearer and bearer.type == "bearer" else None
    if not given:
        raise OAuthError("invalid_request")
    claims = domain.state.decode_token(given) or {}
    found = _user_of(domain, claims)
    client = found and found[0].clients.get(claims["client_id"])
    if not found or not client or "openid" not in claims["scope"].split():
        raise OAuthError("invalid_token", status=401)
    user = found[1]
    attributes = readable_attributes(client, user, claims["scope"])
    return to_json({**attributes, "sub": user.id, "username": user.username})


def _user_of(domain: Domain, claims: dict[str, Any]) -> tuple[Pool, CognitoIdpUser] | None:
    """Return the user of an access token's claims and the pool, if the token is still valid."""
    pool = next((pool for pool in all_pools() if pool.issuer == claims.get("iss")), None)
    if pool is None or claims["token_use"] != "access":  # noqa: S105 - a kind of token
        return None
    session = pool.sessions.get(claims.get("origin_jti", ""))
    user = pool.user_by_sub(claims["sub"])
    ended = session is None or session.revoked or domain.state.clock.now() >= claims["exp"]
    return None if ended or user is None or not user.enabled else (pool, user)
