"""Checks of the user pool's settings that only Cognito's API shows.

The credentials need cognito-idp:Describe* and, for passkeys, cognito-idp:GetUserPoolMfaConfig. Two
answers may contain a secret. It is dropped at once.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from app.oauth import SCOPES
from infra.doctor import passkeys
from infra.doctor.client import check_client
from infra.doctor.findings import Findings
from infra.doctor.google import OTHER_TYPE
from infra.doctor.stack import LIMITS, error_code

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

PREFIX = re.compile(r"([a-z0-9-]+)\.auth\.[a-z0-9-]+\.amazoncognito\.com")
# The template's GoogleProvider.
MAPPING = {"email": "email", "email_verified": "email_verified", "username": "sub"}
# Every AWS service uses the first; only Cognito uses the second.
DENIED = {"AccessDeniedException", "NotAuthorizedException"}


class Pool:
    """A user pool, read through Cognito's API."""

    def __init__(self, findings: Findings, region: str | None, endpoint_url: str | None) -> None:
        self._findings = findings
        self._cognito: CognitoIdentityProviderClient = boto3.Session().client(
            "cognito-idp", region_name=region, endpoint_url=endpoint_url, config=LIMITS
        )

    def id_of(self, host: str) -> str | None:
        """Return the id of the user pool that owns a domain."""
        prefix = PREFIX.fullmatch(host)
        found = self._describe_domain(prefix[1] if prefix else host)
        return found.get("UserPoolId") if found else None

    def check(
        self,
        pool_id: str,
        client_id: str,
        *,
        redirect_uri: str | None,
        google_client_id: str | None,
        pre_sign_up: str | None,
    ) -> None:
        """Check every setting of the pool and app client that sign-in with Google needs.

        `pre_sign_up` is the name of the stack's PreSignUpFunction. Values that aren't known are
        None.
        """
        if pool := self.check_pool(pool_id):
            self._check_pool_for_google(pool, pre_sign_up)
        self._check_provider(pool_id, google_client_id)
        client = self.check_client(pool_id, client_id, pool)
        if client:
            self._check_oauth(client, redirect_uri)
        self._check_branding(pool_id, client_id)

    def check_pool(self, pool_id: str) -> dict[str, Any] | None:
        """Check what the API needs of any user pool. Return the pool, or None as `check_client`."""
        answer = self._ask(self._cognito.describe_user_pool, UserPoolId=pool_id)
        if not answer:
            self._missing(answer, f"There is no user pool {pool_id}: see the output UserPoolId")
            return None
        pool: dict[str, Any] = answer["UserPool"]
        first = pool.get("UserAttributeUpdateSettings", {})
        self._findings.check(
            "A new address counts once it is verified",
            "A new address counts before it is verified, so a typo locks its owner out. Set the "
            "pool's UserAttributeUpdateSettings, as in the template",
            right="email" in first.get("AttributesRequireVerificationBeforeUpdate", []),
        )
        if "WEB_AUTHN" in passkeys.first_factors(pool):
            config = self._ask(self._cognito.get_user_pool_mfa_config, UserPoolId=pool_id)
            if config is not None:
                passkeys.check_relying_party(self._findings, config)
        return pool

    def check_client(
        self, pool_id: str, client_id: str, pool: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        """Check what the API needs of any app client. Return the client without its secret.

        `pool` is what `check_pool` returned. Return None if there is no such client, or if the
        credentials can't read it.
        """
        answer = self._ask(
            self._cognito.describe_user_pool_client, UserPoolId=pool_id, ClientId=client_id
        )
        if not answer:
            self._missing(answer, f"The pool has no app client {client_id}: see UserPoolClientId")
            return None
        client: dict[str, Any] = answer["UserPoolClient"]
        check_client(
            self._findings, client, has_secret=client.pop("ClientSecret", None) is not None
        )
        passkeys.check_flow(self._findings, client, passkeys.first_factors(pool or {}))
        return client

    def _check_pool_for_google(self, pool: Mapping[str, Any], pre_sign_up: str | None) -> None:
        mutable = {each["Name"]: each.get("Mutable") for each in pool.get("SchemaAttributes", [])}
        if mutable.get("email") is None:
            self._findings.unknown("whether the attribute email can change")
        else:
            self._findings.check(
                "The attribute email can change",
                "The attribute email can't change, so only a person's first sign-in works: "
                "Cognito writes it at every sign-in. Create a new user pool with the template",
                right=mutable["email"],
            )
        self._check_trigger(pool.get("LambdaConfig", {}).get("PreSignUp"), pre_sign_up)
        domains = [pool[name] for name in ("Domain", "CustomDomain") if pool.get(name)]
        if not domains:
            self._findings.wrong("The pool has no domain: set the template's SignInDomain")
        for domain in domains:
            self._check_domain(domain)

    def _check_trigger(self, arn: str | None, expected: str | None) -> None:
        if not arn:
            self._findings.wrong(
                "There is no pre sign-up trigger, so an address can have two accounts. Set the "
                "pool's LambdaConfig: PreSignUp to the template's PreSignUpFunction"
            )
            return
        name = arn.partition(":function:")[2].partition(":")[0]  # without a version or alias
        if expected is None:
            self._findings.unknown(
                f"whether the pre sign-up trigger {name} is the template's PreSignUpFunction: pass "
                "--stack, with credentials for cloudformation:DescribeStackResource"
            )
            return
        self._findings.check(
            "The pre sign-up trigger is the stack's",
            f"The pre sign-up trigger is {name}, not the stack's {expected}, which refuses a "
            "second account for an address. Move your code into the template's PreSignUpFunction, "
            "and set LambdaConfig: PreSignUp to it",
            right=name == expected,
        )

    def _check_domain(self, name: str) -> None:
        domain = self._describe_domain(name)
        if not domain:
            self._missing(domain, f"There is no domain {name}: set the template's SignInDomain")
            return
        status, version = domain.get("Status"), domain.get("ManagedLoginVersion")
        self._findings.check(
            f"The domain {name} is active",
            f"The domain {name} is {status}, not ACTIVE. Wait a few minutes; if it is FAILED, "
            "deploy again",
            right=status == "ACTIVE",
        )
        if version is None:
            self._findings.unknown(f"which version of managed login the domain {name} uses")
            return
        self._findings.check(
            f"The domain {name} uses managed login 2",
            f"The domain {name} uses managed login {version}, which ignores `prompt`. Set "
            "ManagedLoginVersion to 2, as in the template's UserPoolDomain",
            right=version == 2,  # noqa: PLR2004 - the version of managed login
        )

    def _check_provider(self, pool_id: str, google_client_id: str | None) -> None:
        answer = self._ask(
            self._cognito.describe_identity_provider, UserPoolId=pool_id, ProviderName="Google"
        )
        if not answer:
            self._missing(answer, "The pool has no provider Google: deploy with GoogleClientId")
            return
        provider = answer["IdentityProvider"]
        details = provider["ProviderDetails"]
        details.pop("client_secret", None)
        scopes, client_id = details.get("authorize_scopes", "").split(), details.get("client_id")
        self._findings.check(
            "The provider's type is Google",
            f"The type of the provider named Google is {provider.get('ProviderType')}: "
            f"{OTHER_TYPE}",
            right=provider.get("ProviderType") == "Google",
        )
        self._findings.check(
            "The provider asks Google for openid and email",
            "The provider doesn't ask Google for openid and email. Set its authorize_scopes to "
            "`openid email`, as in the template's GoogleProvider",
            right={"openid", "email"} <= set(scopes),
        )
        mapping = provider.get("AttributeMapping", {})
        for attribute, claim in MAPPING.items():
            self._findings.check(
                f"The provider maps {attribute} to Google's {claim}",
                f"The provider maps {attribute} to {mapping.get(attribute, 'nothing')}. Map it to "
                f"Google's {claim}: AttributeMapping of the template's GoogleProvider",
                right=mapping.get(attribute) == claim,
            )
        if google_client_id is None:
            self._findings.unknown(
                f"whether the provider's client {client_id} is yours: pass --google-client-id"
            )
        else:
            self._findings.check(
                f"The provider uses Google's client {google_client_id}",
                f"The provider uses Google's client {client_id}, not {google_client_id}. Correct "
                "the template's parameter GoogleClientId, and deploy",
                right=client_id == google_client_id,
            )

    def _check_oauth(self, client: Mapping[str, Any], redirect_uri: str | None) -> None:
        self._findings.check(
            "OAuth is on for the app client",
            "OAuth is off for the app client: set AllowedOAuthFlowsUserPoolClient to true, as in "
            "the template",
            right=client.get("AllowedOAuthFlowsUserPoolClient") is True,
        )
        self._has(client, "AllowedOAuthFlows", ["code"])
        self._has(client, "AllowedOAuthScopes", SCOPES.split())
        self._has(client, "SupportedIdentityProviders", ["COGNITO", "Google"])
        if redirect_uri:
            self._has(client, "CallbackURLs", [redirect_uri], "add it to RedirectUris, and deploy")
        else:
            self._findings.unknown("whether CallbackURLs lists your page: pass --redirect-uri")
        # Without a list, the client may read every attribute
        if client.get("ReadAttributes"):
            needed = ["email", "email_verified"]
            self._has(client, "ReadAttributes", needed, "remove the list, as in the template")

    def _check_branding(self, pool_id: str, client_id: str) -> None:
        answer = self._ask(
            self._cognito.describe_managed_login_branding_by_client,
            UserPoolId=pool_id,
            ClientId=client_id,
        )
        if answer:
            self._findings.right("The app client has a style for Cognito's pages")
        else:
            self._missing(
                answer,
                "The app client has no style, so Cognito's pages show that they are unavailable. "
                "Add the template's ManagedLoginBranding",
            )

    def _describe_domain(self, name: str) -> dict[str, Any] | None:
        # For a missing domain, Cognito answers with an empty description
        answer = self._ask(self._cognito.describe_user_pool_domain, Domain=name)
        return answer and answer["DomainDescription"]

    def _has(
        self, client: Mapping[str, Any], name: str, needed: list[str], remedy: str | None = None
    ) -> None:
        """Check that a list of the app client contains every needed value."""
        lacking = ", ".join(value for value in needed if value not in client.get(name, []))
        needs = ", ".join(needed)
        self._findings.check(
            f"The app client's {name}: {needs}",
            f"The app client's {name} lacks {lacking}: "
            f"{remedy or f'set it to {needs}, as in the template'}",
            right=not lacking,
        )

    def _missing(self, answer: dict[str, Any] | None, line: str) -> None:
        """Print that a resource doesn't exist, unless the request was refused (None)."""
        if answer is not None:
            self._findings.wrong(line)

    def _ask(self, operation: Callable[..., Any], **given: str) -> dict[str, Any] | None:
        """Return an operation's answer: {} if the resource is missing, None if it is refused."""
        try:
            answer: dict[str, Any] = operation(**given)
        except ClientError as error:
            code, name = error_code(error), error.operation_name
            if code == "ResourceNotFoundException":
                return {}
            needed = f". The credentials need cognito-idp:{name}" if code in DENIED else ""
            self._findings.unknown(f"{name} answers {code}{needed}")
            return None
        return answer
