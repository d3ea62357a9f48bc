"""What a caller gets for a user who doesn't exist, if it must not learn that.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
"""

import hmac

from infra.local.pool.user_pool import Pool, delivery_details


def fake_bytes(pool: Pool, username: str) -> bytes:
    """Return 32 bytes that look random, and are always the same for a name in a pool."""
    secret = pool.state.key.as_dict(private=True)["d"]
    name = f"{pool.id} {pool.normalize_username(username)}"
    return hmac.digest(str(secret).encode(), name.encode("utf-8", "surrogatepass"), "sha256")


def fake_delivery(pool: Pool, username: str) -> dict[str, str]:
    """Return CodeDeliveryDetails: those of the address, or of a made-up one for a user name."""
    if pool.signs_in_by_email:
        return delivery_details(username)
    local, domain = (chr(ord("a") + byte % 26) for byte in fake_bytes(pool, username)[:2])
    return delivery_details(f"{local}@{domain}")
