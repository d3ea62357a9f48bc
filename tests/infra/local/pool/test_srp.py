"""SRP's arithmetic, against published numbers and against a client that was written apart."""

import base64
import secrets

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.pool import srp
from tests.support.srp import G, N, SrpClient, pad

# https://github.com/soto-project/soto-cognito-authentication-kit (SRPTests.swift)
SECRET = int(
    "37981750af33fdf93fc6dce831fe794aba312572e7c3347252854e5ce7c7f403"
    "43f5ad82f9ad3585c8cb1184c54c562f8317fc2924c6c7ade72f1e8d964f606e"
    "040c8f9f0b12e3fe6b6828202a5e40ca0103e880531921e56de3acc410331b8e"
    "5ddcd0dbf249bfa104f6b797719613aa50eabcdb40fd5457f64861dd71890eba",
    16,
)
SERVER = (
    "a0812a0ee3fa8484a73addeb6a9afa145cff1eca2a6b86537a5d15132d5811dd"
    "088d16e7d581b2798229350e6e473503cebddf19cabd3f14fb3450a6858bafc9"
    "72a29702d8772a22b000a160812a7fe29bcac2c36d43b91c118224626c2f0782"
    "d70f79c82ac5183e0d7d8c7b23ad0bda1f4fba941998bfc82e46415e49026bb3"
    "3f8271cb9a56e69f518e90bc2f4c42c7bb27720e25a14dcfbb5176effb3069a2"
    "bc627f18ec07a3e4118f61402dda56a6da3f331d8c2cf78513d767b2bf040809"
    "e5a334c7bb98cb720ef5654100cfa57d21155fc7630654964370fd512b30febc"
    "6c61bfa3415c72660c5dad3444881d272c3abd7ecec0e483493b1491391bef43"
    "48d1c27be700e443301fc856a9d1b6ca36fdc46eec9f3c51f0ea566f5a85c87d"
    "395d3d9fc2a594945a860841d5b328f1910058b2bb822ac976d961736fac42e8"
    "4b46074762de8b254f37260e3b1da88529dd1060ca52b2dc9de5d77372b1d74e"
    "a111de406aac964993133a6f172e8fae54eb885e6a3cd774f1ca6be98b6ddc35"
)


def test_the_group_is_the_published_one() -> None:
    """The digits are those of RFC 3526's formula."""
    assert (srp.N, srp.G) == (N, G)


def test_the_clients_key_is_the_published_one() -> None:
    """The client of these tests derives the key that another library's tests expect."""
    client = SrpClient("eu-west-1_poolid", "testpassword", SECRET)
    key = client.key("testuser", "8dbcb21f18ae3216", SERVER)
    assert key.hex() == "b70fad71e9658b24b0ec678774ecca30"


def test_the_private_key_is_the_published_one() -> None:
    """The server hashes a password as AWS's client for Android does (SRPHelperTests.kt)."""
    identity = srp.identity_of("us-east-2_KO6fcefgd", "username")
    assert srp.private_key(identity, "Password123", "e7dc204cebbfda6b62b8493e932f7f4c") == int(
        "35002972281322559225995282163712515452164094971035196098842264315967202596678"
    )


@given(st.integers(min_value=0, max_value=2**3072))
def test_numbers_are_hashed_as_the_clients_hash_them(number: int) -> None:
    """Numbers of any length are padded alike, also those whose first bit is set."""
    assert srp.to_bytes(number).hex() == pad(number)


@settings(max_examples=5, deadline=None)
@given(password=st.text(min_size=1), other=st.text(min_size=1))
def test_only_the_right_password_proves_itself(password: str, other: str) -> None:
    """Client and server agree on the key exactly if the password is the same."""
    salt, name = secrets.token_hex(16), "ada"
    identity = srp.identity_of("us-east-1_pool", name)
    for given_password in (password, other):
        client = SrpClient("us-east-1_pool", given_password)
        verifier = srp.verifier(identity, password, salt)
        exchange = srp.Exchange(identity, salt, verifier, int(client.public, 16))
        challenge = {
            "ChallengeParameters": {
                "USER_ID_FOR_SRP": name,
                "SECRET_BLOCK": "c2VjcmV0",
                "SALT": salt,
                "SRP_B": f"{exchange.server_key:x}",
            }
        }
        answers = client.answers(challenge, "Tue Nov 3 08:05:09 UTC 2026")
        proof = base64.b64decode(answers["PASSWORD_CLAIM_SIGNATURE"])
        message = b"secret" + answers["TIMESTAMP"].encode()
        assert exchange.proves(proof, message) == (given_password == password)
        assert not exchange.proves(proof, message + b"!")
