"""Checks that moto lacks for identity providers and the app clients that offer them."""

from moto.cognitoidp.models import CognitoIdpGroup
from moto.core.responses import ActionResult

from infra.local.operations.request import CognitoRequest
from infra.local.pool.refusals import refuse

# A social provider's name is its type. SAML and OIDC providers may have any name.
SOCIAL_PROVIDERS = {"Google", "Facebook", "LoginWithAmazon", "SignInWithApple"}


class ProviderOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def create_identity_provider(self) -> ActionResult:
        """Create a provider, and the group of its users. A social provider's name is its type."""
        kind, name = self.parameters["ProviderType"], self.parameters["ProviderName"]
        if kind in SOCIAL_PROVIDERS and name != kind:
            raise refuse("provider_name", type=kind)
        answer = super().create_identity_provider()
        pool = self.requested_pool()
        group = pool.provider_group(name)
        pool.groups[group] = CognitoIdpGroup(pool.id, group, "", "", 0)
        return answer

    def create_user_pool_client(self) -> ActionResult:
        """Create an app client. It may offer only the pool's providers."""
        self._check_providers()
        return super().create_user_pool_client()

    def update_user_pool_client(self) -> ActionResult:
        """Update an app client. It may offer only the pool's providers."""
        self._check_providers()
        return super().update_user_pool_client()

    def _check_providers(self) -> None:
        pool = self.requested_pool()
        for name in self.parameters.get("SupportedIdentityProviders") or []:
            if name != "COGNITO" and name not in pool.identity_providers:
                raise refuse("provider_unknown", provider=name, pool=pool.id)
