"""Google users in a user pool, and their limits, are as in Cognito."""

from typing import Any

import pytest

from infra.local.pool.user_pool import all_pools
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import STATE, attributes, comes_back, google_tokens
from tests.support.contract_mfa import ON

NEW = "Another-Horse-2"
NO_TRIGGER: dict[str, Any] = {"LambdaConfig": {}}


def test_get_user(contract: Contract) -> None:
    """GetUser returns Google's attributes and the identity."""
    email = contract.address()
    found = attributes(contract, google_tokens(contract, email))
    assert set(found) == {"Username", "sub", "email", "email_verified", "identities"}
    assert (found["email"], found["email_verified"]) == (email, "true")
    assert '"providerName": "Google"' in found["identities"]
    assert found["Username"].startswith("google_")


def test_list_users(contract: Contract) -> None:
    """An administrator can find a Google user by address; the status is EXTERNAL_PROVIDER."""
    email = contract.address()
    google_tokens(contract, email)
    contract.member()
    (found,) = contract.admin.list_users(
        UserPoolId=contract.pool.user_pool_id, Filter=f'email = "{email}"'
    )["Users"]
    assert found["UserStatus"] == "EXTERNAL_PROVIDER"
    assert found["Enabled"]
    assert {"Name": "email", "Value": email} in found["Attributes"]


def test_a_second_sign_in_is_the_same_person(contract: Contract) -> None:
    """One Google account is always the same user, whatever the letter case of its address."""
    email = contract.address()
    first = attributes(contract, google_tokens(contract, email))
    again = attributes(contract, google_tokens(contract, email.upper()))
    assert (again["sub"], again["Username"]) == (first["sub"], first["Username"])
    other = attributes(contract, google_tokens(contract, contract.address()))
    assert other["sub"] != first["sub"]


def test_attributes_are_rewritten_at_every_sign_in(contract: Contract) -> None:
    """Each sign-in overwrites the mapped attributes with Google's values."""
    email = contract.address()
    first = attributes(contract, google_tokens(contract, email))
    changed = [
        {"Name": "email", "Value": "old@example.com"},
        {"Name": "email_verified", "Value": "false"},
        {"Name": "name", "Value": "Ada"},
    ]
    contract.administer("admin_update_user_attributes", first["Username"], UserAttributes=changed)
    again = attributes(contract, google_tokens(contract, email))
    assert (again["email"], again["email_verified"]) == (email, "true")
    assert again["name"] == "Ada"  # Google's `name` is not mapped


def test_address_that_is_no_longer_verified(contract: Contract) -> None:
    """The trigger runs only for new users, so apps must check `email_verified`."""
    email = contract.address()
    google_tokens(contract, email)
    found = attributes(contract, google_tokens(contract, email, verified=False))
    assert found["email_verified"] == "false"


def test_an_unmapped_claim(contract: Contract) -> None:
    """If `email_verified` is not mapped, every address is unverified."""
    contract = contract.with_settings(pool=NO_TRIGGER)
    contract.admin.update_identity_provider(
        UserPoolId=contract.pool.user_pool_id,
        ProviderName="Google",
        AttributeMapping={"email": "email", "username": "sub"},
    )
    found = attributes(contract, google_tokens(contract, contract.address()))
    assert found["email_verified"] == "false"


def test_an_immutable_address(contract: Contract) -> None:
    """The first sign-in sets the address; the second fails, even if the address is the same.

    https://github.com/amazon-archives/amazon-cognito-auth-js/issues/159
    """
    schema = {"Name": "email", "AttributeDataType": "String", "Mutable": False, "Required": True}
    contract = contract.with_settings(pool={"Schema": [schema]})
    email = contract.address()
    assert "code" in comes_back(contract, email)
    given = comes_back(contract, email)
    assert given["error"] == "invalid_request"
    assert given["error_description"].startswith("user.email: Attribute cannot be updated.")


def test_one_address_two_users(contract: Contract) -> None:
    """Without the trigger, Cognito creates two users for one address, in either order."""
    contract = contract.with_settings(pool=NO_TRIGGER)
    email, other = contract.member(), contract.address()
    native = contract.user(email)["sub"]
    assert attributes(contract, google_tokens(contract, email))["sub"] != native
    google = attributes(contract, google_tokens(contract, other))["sub"]
    contract.sign_up_and_confirm(other, PASSWORD)
    assert contract.user(other)["sub"] != google
    contract.sign_in(other)
    found = contract.admin.list_users(UserPoolId=contract.pool.user_pool_id)["Users"]
    assert len(found) == 4


def test_the_trigger_refuses_a_taken_address(contract: Contract) -> None:
    """If a confirmed user has the Google account's address, no user is created."""
    email = contract.member()
    given = comes_back(contract, email)
    assert given == {
        "error": "invalid_request",
        "error_description": "PreSignUp failed with error email_taken. ",
        "state": STATE,
    }
    found = contract.admin.list_users(UserPoolId=contract.pool.user_pool_id)["Users"]
    assert [user["UserStatus"] for user in found] == ["CONFIRMED"]


def test_an_unconfirmed_user_blocks_nobody(contract: Contract) -> None:
    """An unconfirmed sign-up with the same address doesn't block the Google user."""
    email = contract.address()
    contract.local  # noqa: B018 - skips before anything is sent
    contract.sign_up(email)
    assert "code" in comes_back(contract, email)


def test_the_trigger_refuses_an_unverified_address(contract: Contract) -> None:
    """Google accounts can have unverified addresses of other mail providers."""
    given = comes_back(contract, contract.address(), verified=False)
    assert given["error_description"] == "PreSignUp failed with error email_not_verified. "


def test_the_trigger_refuses_to_sign_up_a_google_users_address(contract: Contract) -> None:
    """SignUp fails with the trigger's error."""
    email = contract.address()
    google_tokens(contract, email)
    with refused("UserLambdaValidation", "PreSignUp failed with error email_taken."):
        contract.sign_up(email)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email)


def test_the_trigger_lets_an_administrator_create_users(contract: Contract) -> None:
    """The trigger also runs for AdminCreateUser, but refuses nobody."""
    email = contract.address()
    google_tokens(contract, email)
    contract.administer("admin_create_user", email)
    assert contract.user(email)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


def test_the_address_does_not_find_a_google_user(contract: Contract) -> None:
    """No operation that takes an address finds the Google user."""
    email = contract.address()
    google_tokens(contract, email)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email)
    assert contract.forgot(email)["Destination"]
    assert contract.local.outbox.to_json() == [] or all(
        mail["to"] != email for mail in contract.local.outbox.to_json()
    )
    with refused("CodeMismatch"):
        contract.confirm(email, "000000")
    with refused("CodeMismatch"):
        contract.reset(email, "000000", NEW)
    with refused("UserNotFound"):
        contract.user(email)
    assert contract.resend(email)["CodeDeliveryDetails"]["Destination"]


def test_the_address_finds_the_native_user(contract: Contract) -> None:
    """The address finds the native user, even if a Google user has the same one."""
    contract = contract.with_settings(pool=NO_TRIGGER)
    email = contract.address()
    google_tokens(contract, email)
    contract.sign_up_and_confirm(email, PASSWORD)
    google_tokens(contract, email)
    contract.sign_in(email)
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)
    contract.sign_in(email, NEW)


def test_a_google_user_has_no_password(contract: Contract) -> None:
    """A Google user can't sign in with a password, reset it or change it."""
    tokens = google_tokens(contract, contract.address())
    name = attributes(contract, tokens)["Username"]
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(name)
    with refused("NotAuthorized", "User password cannot be reset in the current state."):
        contract.forgot(name)
    with refused("NotAuthorized", "User password cannot be reset in the current state."):
        contract.administer("admin_reset_user_password", name)
    with refused("NotAuthorized"):
        contract.confirm(name, "000000")
    with refused("NotAuthorized"):
        contract.users.change_password(
            AccessToken=tokens["access_token"], PreviousPassword=PASSWORD, ProposedPassword=NEW
        )


def test_a_google_user_has_no_second_factor(contract: Contract) -> None:
    """A Google user can't set up an authenticator app."""
    token = google_tokens(contract, contract.address())["access_token"]
    users = contract.users
    with refused("InvalidParameter"):
        users.associate_software_token(AccessToken=token)
    with refused("InvalidParameter"):
        users.verify_software_token(AccessToken=token, UserCode="000000")
    with refused("InvalidParameter"):
        users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=ON)


def test_an_administrator_may_give_a_password(contract: Contract) -> None:
    """The user is then CONFIRMED, and can still sign in with Google."""
    email = contract.address()
    name = attributes(contract, google_tokens(contract, email))["Username"]
    contract.administer("admin_set_user_password", name, Password=PASSWORD, Permanent=True)
    assert contract.user(name)["UserStatus"] == "CONFIRMED"
    contract.sign_in(name)
    assert attributes(contract, google_tokens(contract, email))["Username"] == name


def test_a_disabled_google_user(contract: Contract) -> None:
    """A disabled Google user can't sign in until an administrator enables the user."""
    email = contract.address()
    tokens = google_tokens(contract, email)
    name = attributes(contract, tokens)["Username"]
    contract.administer("admin_disable_user", name)
    given = comes_back(contract, email)
    assert (given["error"], "code" in given) == ("invalid_request", False)
    with refused("NotAuthorized", "User is disabled."):
        contract.refresh(tokens["refresh_token"])
    contract.administer("admin_enable_user", name)
    assert "code" in comes_back(contract, email)


@pytest.mark.parametrize("by", ["the user", "an administrator"])
def test_a_deleted_user_returns_as_a_new_user(contract: Contract, by: str) -> None:
    """The user name is the same, because the Google account is; the `sub` is new."""
    email = contract.address()
    tokens = google_tokens(contract, email)
    first = attributes(contract, tokens)
    if by == "the user":
        contract.users.delete_user(AccessToken=tokens["access_token"])
    else:
        contract.administer("admin_delete_user", first["Username"])
    with refused("UserNotFound"):
        contract.users.get_user(AccessToken=tokens["access_token"])
    with refused("NotAuthorized"):
        contract.refresh(tokens["refresh_token"])
    again = attributes(contract, google_tokens(contract, email))
    assert again["Username"] == first["Username"]
    assert again["sub"] != first["sub"]


def test_the_group_of_the_provider(contract: Contract) -> None:
    """A Google user is in the provider's group, and may be in other groups."""
    pool_id, email = contract.pool.user_pool_id, contract.address()
    name = attributes(contract, google_tokens(contract, email))["Username"]
    contract.admin.create_group(UserPoolId=pool_id, GroupName="editors")
    contract.administer("admin_add_user_to_group", name, GroupName="editors")
    groups = contract.administer("admin_list_groups_for_user", name)["Groups"]
    assert {group["GroupName"] for group in groups} == {"editors", f"{pool_id}_Google"}


def test_a_custom_triggers_message(contract: Contract) -> None:
    """A custom function's error message reaches the caller in all three ways."""

    def refuse(event: dict[str, Any], _context: object) -> Any:
        raise ValueError(f"Not on a {event['request']['userAttributes']['email'][:3]}day")

    contract = with_function(contract, refuse)
    with refused("UserLambdaValidation", "PreSignUp failed with error Not on a sunday."):
        contract.sign_up("sunny@example.com")
    with refused("UserLambdaValidation", "PreSignUp failed with error Not on a sunday."):
        contract.administer("admin_create_user", "sunny@example.com")
    given = comes_back(contract, "sunny@example.com")
    assert given["error_description"] == "PreSignUp failed with error Not on a sunday. "


def test_invalid_triggers(contract: Contract) -> None:
    """The trigger must return the event, and the function must exist."""
    contract = with_function(contract, lambda *_: None)
    with refused("InvalidLambdaResponse", "Unrecognizable lambda output"):
        contract.sign_up(contract.address())
    arn = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    gone = contract.with_settings(pool={"LambdaConfig": {"PreSignUp": arn}})
    with refused("UnexpectedLambda"):
        gone.sign_up(gone.address())


def test_the_triggers_event(contract: Contract) -> None:
    """The event is the documented one for each of the three ways to create a user.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html
    """
    events: list[dict[str, Any]] = []

    def note(event: dict[str, Any], _context: object) -> Any:
        events.append(event)
        return event

    contract = with_function(contract, note)
    email, other, third = (contract.address() for _ in range(3))
    data = [{"Name": "invitation", "Value": "x"}]
    contract.sign_up(email, ValidationData=data, ClientMetadata={"page": "/"})
    tokens = google_tokens(contract, other)
    google_tokens(contract, other)
    contract.administer("admin_create_user", third)
    assert [event["triggerSource"] for event in events] == [
        "PreSignUp_SignUp",
        "PreSignUp_ExternalProvider",
        "PreSignUp_AdminCreateUser",
    ]
    for event in events:
        assert event["version"] == "1"
        assert (event["region"], event["userPoolId"]) == (
            contract.pool.region,
            contract.pool.user_pool_id,
        )
        assert event["response"] == {
            "autoConfirmUser": False,
            "autoVerifyEmail": False,
            "autoVerifyPhone": False,
        }
    signed_up, google, made = events
    assert signed_up["callerContext"]["clientId"] == contract.pool.client_id
    assert signed_up["userName"] == contract.user(email)["Username"]
    assert signed_up["request"] == {
        "userAttributes": {"email": email},
        "validationData": {"invitation": "x"},
        "clientMetadata": {"page": "/"},
    }
    assert google["userName"] == attributes(contract, tokens)["Username"]
    assert google["request"]["userAttributes"] == {
        "email": other,
        "email_verified": "true",
        "cognito:email_alias": "",
        "cognito:phone_number_alias": "",
    }
    assert made["request"]["userAttributes"] == {"email": third}


def with_function(contract: Contract, function: Any) -> Contract:
    """Return a new pool with this function as its trigger."""
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{contract.pool.client_id}"
    contract.local.functions[arn] = function
    return contract.with_settings(pool={"LambdaConfig": {"PreSignUp": arn}})


def test_invalid_providers(contract: Contract) -> None:
    """A Google provider must be named Google, and a client may offer only existing providers."""
    pool_id, admin = contract.pool.user_pool_id, contract.admin
    with refused("InvalidParameter"):
        admin.create_identity_provider(
            UserPoolId=pool_id,
            ProviderName="Search",
            ProviderType="Google",
            ProviderDetails={},
        )
    contract = contract.with_settings(google=False)
    client = {"UserPoolId": contract.pool.user_pool_id}
    offers = {"SupportedIdentityProviders": ["COGNITO", "Google"]}
    missing = f"The provider Google does not exist for User Pool {client['UserPoolId']}."
    with refused("InvalidParameter", missing):
        admin.create_user_pool_client(**client, ClientName="x", **offers)
    with refused("InvalidParameter", missing):
        admin.update_user_pool_client(**client, ClientId=contract.pool.client_id, **offers)
    admin.update_user_pool_client(
        **client,
        ClientId=contract.pool.client_id,
        SupportedIdentityProviders=["COGNITO"],
    )


def test_a_pool_without_google(contract: Contract) -> None:
    """Without Google, the template creates no domain, provider or trigger."""
    contract = contract.with_settings(google=False)
    (pool,) = (pool for pool in all_pools() if pool.id == contract.pool.user_pool_id)
    assert pool.domain is None
    assert not pool.identity_providers
    assert "LambdaConfig" not in pool.extended_config
    contract.sign_in(contract.member())
