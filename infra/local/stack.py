"""The template's user pool, created through Cognito's API as CloudFormation creates it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.oauth.google import Google
from infra.local.pool.functions import Function, load
from infra.local.pool.intrinsics import TemplateError
from infra.local.pool.template import TEMPLATE, arguments, exists, inline_function, mfa_arguments
from infra.local.pool.user_pool import REGION

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# The default redirect URIs of sign-in with Google.
REDIRECT_URIS = ("https://app.example.com/",)


@dataclass(frozen=True)
class LocalPool:
    """The ids that a client needs to use a user pool, and whether it has sign-in with Google."""

    user_pool_id: str
    client_id: str
    region: str = REGION
    google: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)
    """The function's environment variables that name the template's tables and buckets."""


@dataclass
class Stack:
    """A template with its parameters filled in. `name` is the stack's name.

    Without `google`, the parameters for Google are empty, and there is no provider. Every method
    raises TemplateError for a template that can't be used here.
    """

    cognito: "CognitoIdentityProviderClient"
    name: str
    redirect_uris: Sequence[str]
    google: Google | None
    template: Path = TEMPLATE

    def __post_init__(self) -> None:
        self._references = {
            "AWS::StackName": self.name,
            "AWS::Region": REGION,
            "RedirectUris": ",".join(self.redirect_uris),
            "GoogleClientId": self.google.client_id if self.google else "",
            # The template refers to a secret in Secrets Manager. There is none locally.
            "GoogleSecretArn": "local",
            "GoogleSecretVersion": "local",
            # Codes to sign in with need a sender, which stands for this machine's outbox.
            "SenderArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
            "SenderAddress": "accounts@example.com",
            # WebAuthn takes no address of this machine, only its name.
            "PasskeyDomain": "localhost",
        }

    @property
    def references(self) -> Mapping[str, Any]:
        """The values of parameters and resources that are known so far."""
        return self._references

    @property
    def function_arn(self) -> str:
        """The ARN of the pre sign-up function."""
        return f"arn:aws:lambda:{REGION}:123456789012:function:{self.name}-PreSignUpFunction"

    def function(self) -> Function | None:
        """Return the pre sign-up function, if there is one. The first call takes half a second."""
        if not self._has("PreSignUpFunction"):
            return None
        source, handler, variables = inline_function(
            "PreSignUpFunction", self._references, self.template
        )
        # Lambda sets these two. boto3 reads the second.
        variables |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        try:
            return load(source, handler, frozenset(variables.items()))
        except Exception as error:  # noqa: BLE001 - its source can raise anything
            raise TemplateError(f"PreSignUpFunction: {type(error).__name__}: {error}") from None

    def create(
        self, pool: dict[str, Any], client: dict[str, Any], mfa: dict[str, Any]
    ) -> LocalPool:
        """Create the pool, its domain, provider and app client, in CloudFormation's order.

        The arguments override the template's values.
        """
        # CloudFormation makes up a name, too.
        input_: dict[str, Any] = {"PoolName": f"{self.name}-UserPool"}
        input_ |= self._arguments("CreateUserPool", "UserPool")
        # The other functions of the template can't run on this machine.
        if isinstance(triggers := input_.get("LambdaConfig"), dict):
            own = {name: arn for name, arn in triggers.items() if arn == self.function_arn}
            input_["LambdaConfig"] = own
        input_ |= pool
        pool_id = self.cognito.create_user_pool(**input_)["UserPool"]["Id"]
        input_ = mfa_arguments("UserPool", self._references, self.template) | mfa
        self.cognito.set_user_pool_mfa_config(UserPoolId=pool_id, **input_)
        self._references |= {
            "UserPool": pool_id,
            # A prefix must be unique in its region.
            "SignInDomain": pool_id.partition("_")[2].lower(),
        }
        # The local Cognito has no branding.
        if self._has("UserPoolDomain"):
            domain = self._arguments("CreateUserPoolDomain", "UserPoolDomain")
            self.cognito.create_user_pool_domain(**domain)
        if self.google and self._has("GoogleProvider"):
            self._create_provider(self.google)
        input_ = {"ClientName": f"{self.name}-UserPoolClient"}
        input_ |= self._arguments("CreateUserPoolClient", "UserPoolClient") | client
        made = self.cognito.create_user_pool_client(**input_)["UserPoolClient"]
        self._references["UserPoolClient"] = made["ClientId"]
        return LocalPool(pool_id, made["ClientId"], google="GoogleProvider" in self._references)

    def _create_provider(self, google: Google) -> None:
        provider = self._arguments("CreateIdentityProvider", "GoogleProvider")
        if isinstance(details := provider.get("ProviderDetails"), dict):
            details["client_secret"] = google.client_secret
        self._references["GoogleProvider"] = provider.get("ProviderName", "")
        self.cognito.create_identity_provider(**provider)

    def _has(self, logical_id: str) -> bool:
        return exists(logical_id, self._references, self.template)

    def _arguments(self, operation: str, logical_id: str) -> dict[str, Any]:
        return arguments(operation, logical_id, self._references, self.template)
