"""The ids of the template's pool and app client, with what depends on them, after an edit."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.pool.store import Store
from infra.local.pool.template import TEMPLATE
from infra.local.server import LocalCognito
from tests.support.contract import Contract
from tests.support.contract_srp import srp_sign_in

FLOWS = "- ALLOW_USER_PASSWORD_AUTH\n"
EDITS = {
    "none": ("", ""),
    "the pool's policy": ("MinimumLength: !Ref PasswordLength", "MinimumLength: 10"),
    "the pool's name": ("UserPoolName: !Ref AWS::StackName", "UserPoolName: people"),
    "a property of the pool": ("UserPoolName:", "UserPoolTags: {team: web}\n      UserPoolName:"),
    "the client's name": ("ClientName: !Ref AWS::StackName", "ClientName: page"),
    "the client's tokens": ("AccessTokenValidity: !Ref AccessTokenHours", "AccessTokenValidity: 1"),
}


@contextmanager
def running(file: Path, template: Path, *redirect_uris: str) -> Iterator[Contract]:
    """Run a local Cognito on a store and a template."""
    uris = redirect_uris or ("https://app.example.com/",)
    with Store(file) as store, LocalCognito(store=store) as cognito:
        yield Contract(cognito.create_pool(template=template, redirect_uris=uris), cognito)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_signs_nobody_out(tmp_path: Path, edit: tuple[str, str]) -> None:
    """The ids stay, so sessions go on, and SRP still proves the password."""
    template, file = tmp_path / "template.yaml", tmp_path / "users.db"
    text = TEMPLATE.read_text().replace(FLOWS, FLOWS + " " * 8 + "- ALLOW_USER_SRP_AUTH\n")
    template.write_text(text)
    with running(file, template) as before:
        email = before.member()
        tokens = before.tokens(email)
    assert edit[0] in text
    template.write_text(text.replace(*edit, 1))
    # The demo's addresses are missing if its port is taken.
    with running(file, template, "https://other.example/") as after:
        assert after.pool == before.pool
        after.refresh(tokens["RefreshToken"])
        assert "AuthenticationResult" in srp_sign_in(after, email)


def test_ids_are_like_cognitos(tmp_path: Path) -> None:
    """They have the form of the API's model, and each stack has its own."""
    ids = []
    for name in ("first", "second"):
        with Store(tmp_path / name) as store, LocalCognito(store=store) as cognito:
            pool = cognito.create_pool(name)
            ids += [pool.user_pool_id, pool.client_id]
        assert re.fullmatch(r"us-east-1_[0-9a-zA-Z]{1,45}", pool.user_pool_id)
        assert re.fullmatch(r"[0-9a-zA-Z]{1,128}", pool.client_id)
    assert len(set(ids)) == 4
