"""The flow USER_SRP_AUTH: a sign-in that doesn't send the password.

The challenge PASSWORD_VERIFIER comes without a session: its SECRET_BLOCK identifies the sign-in.
Unlike Cognito, a timestamp is not compared with the clock, because the clock here can be advanced.
"""

import base64
import re
import secrets
import uuid
from datetime import datetime
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient

from infra.local.operations.request import required
from infra.local.operations.unknown_users import fake_bytes
from infra.local.pool import srp
from infra.local.pool.passwords import password_hash
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge
from infra.local.pool.user_pool import Pool

HEX = re.compile(rf"[0-9a-fA-F]{{1,{len(srp.to_bytes(srp.N)) * 2}}}")
# With the day of the month, which has no leading zero, to be filled in.
TIMESTAMP = "%a %b {} %H:%M:%S UTC %Y"


def begin(
    pool: Pool,
    client: CognitoIdpUserPoolClient,
    username: str,
    user: CognitoIdpUser | None,
    client_key: str,
) -> dict[str, Any]:
    """Return the challenge PASSWORD_VERIFIER. An unknown user gets one that no password answers.

    Its salt and its USERNAME are always the same for a name, like those of a user.
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
    """
    if not HEX.fullmatch(client_key) or not 0 < int(client_key, 16) < srp.N:
        raise refuse("srp_key_invalid")
    fake = fake_bytes(pool, username)
    password = password_hash(user) if user else None
    salt = password.salt if password else fake[:16].hex()
    # Nobody knows a password for a random verifier.
    verifier = int(password.verifier if password else secrets.token_hex(384), 16) % srp.N
    sub = user.id if user else str(uuid.UUID(bytes=fake[16:], version=4))
    name = (
        user.username
        if user
        else sub
        if pool.signs_in_by_email
        else pool.normalize_username(username)
    )
    exchange = srp.Exchange(srp.identity_of(pool.id, name), salt, verifier, int(client_key, 16))
    block = base64.b64encode(secrets.token_bytes(512)).decode()
    pool.state.challenges[block] = Challenge(
        "PASSWORD_VERIFIER", client.id, sub, pool.session_end(client), exchange=exchange
    )
    return {
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeParameters": {
            "SALT": salt,
            "SECRET_BLOCK": block,
            "SRP_B": f"{exchange.server_key:x}",
            "USERNAME": name,
            "USER_ID_FOR_SRP": name,
        },
    }


def proves_password(challenge: Challenge, answers: dict[str, str]) -> bool:
    """Return whether the answers to a challenge prove the password."""
    block = required(answers, "PASSWORD_CLAIM_SECRET_BLOCK")
    signature = required(answers, "PASSWORD_CLAIM_SIGNATURE")
    timestamp = canonical(required(answers, "TIMESTAMP"))
    try:
        given = base64.b64decode(signature, validate=True)
    except ValueError:  # binascii's error is one, and so is that for text beyond ASCII
        return False
    message = base64.b64decode(block) + timestamp.encode()
    return challenge.exchange is not None and challenge.exchange.proves(given, message)


def canonical(timestamp: str) -> str:
    """Return a timestamp as Cognito writes it, such as "Tue Nov 3 08:05:09 UTC 2026".

    The client signed its own writing, so that another one of the same time proves nothing.
    """
    try:
        time = datetime.strptime(timestamp, TIMESTAMP.format("%d"))  # noqa: DTZ007 - it is signed
    except ValueError:
        raise refuse("timestamp_invalid") from None
    return time.strftime(TIMESTAMP.format(time.day))
