"""What a month costs: `python -m infra.costs` prints the table in infra/README.md.

Prices are list prices in US dollars for us-east-1, without taxes and without what is free only in
an account's first year. infra/README.md names their sources. Change the numbers to redo it.
"""

from collections.abc import Sequence

# What one active user does in a month: assumptions, to replace with your own.
SIGN_INS = 2
REFRESHES = 20
OTHER_CALLS = 18  # sign-up, /auth/me, your own routes, and browsers' preflights
EMAILS = 0.17  # a tenth of the users are new and need 1.2 e-mails; one in 20 forgets the password
REQUESTS = SIGN_INS + REFRESHES + OTHER_CALLS
# What one request takes.
GB_SECONDS = 0.15  # 1 GB for 150 ms, mostly waiting for Cognito
LOG_GB = 2e-6  # 2 kB: the app's line, Lambda's and API Gateway's

USERS = (1_000, 100_000, 10_000_000)
Tiers = Sequence[tuple[float, float]]
"""Upper ends and prices, in ascending order; the last end is infinite."""

M = 1e6
ALL = float("inf")
COGNITO: Tiers = [(10_000, 0), (ALL, 0.015)]  # the tier Essentials, per user
REST: Tiers = [(333 * M, 3.5 / M), (1000 * M, 2.8 / M), (ALL, 2.38 / M)]
HTTP: Tiers = [(300 * M, 1 / M), (ALL, 0.9 / M)]
LAMBDA_REQUESTS: Tiers = [(1 * M, 0), (ALL, 0.2 / M)]
LAMBDA_COMPUTE: Tiers = [(400_000, 0), (ALL, 0.0000133334)]  # arm64
SES: Tiers = [(10 * M, 0.16 / 1000), (ALL, 0.14 / 1000)]
LOGS: Tiers = [(5, 0), (ALL, 0.5)]  # per GB


def cost(amount: float, tiers: Tiers) -> float:
    """Return the price of an amount, each part of it at its tier's price."""
    total = begin = 0.0
    for end, price in tiers:
        total += max(0, min(amount, end) - begin) * price
        begin = end
    return total


def month(users: int) -> dict[str, float]:
    """Return what each service costs in a month, in dollars."""
    requests = users * REQUESTS
    return {
        "Cognito, Essentials": cost(users, COGNITO),
        "API Gateway, REST API": cost(requests, REST),
        "Lambda, arm64": cost(requests, LAMBDA_REQUESTS)
        + cost(requests * GB_SECONDS, LAMBDA_COMPUTE),
        "SES": cost(users * EMAILS, SES),
        "CloudWatch Logs": cost(requests * LOG_GB, LOGS),
    }


def table() -> str:
    """Return the costs as a table in Markdown."""
    months = [month(users) for users in USERS]
    rows = [(name, [each[name] for each in months]) for name in months[0]]
    rows.append(("**together**", [sum(each.values()) for each in months]))
    rows.append(("with an HTTP API instead", [_with(users, HTTP) for users in USERS]))
    rows.append(("with a function URL instead", [_with(users, [(ALL, 0)]) for users in USERS]))
    head = f"| USD a month | {' | '.join(f'{users:,} users' for users in USERS)} |"
    lines = [f"| {name} | {' | '.join(map(_dollars, costs))} |" for name, costs in rows]
    return "\n".join([head, "|---" * (len(USERS) + 1) + "|", *lines])


def _with(users: int, gateway: Tiers) -> float:
    costs = month(users) | {"API Gateway, REST API": cost(users * REQUESTS, gateway)}
    return sum(costs.values())


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 10 else f"{amount:,.0f}"  # noqa: PLR2004 - cents, if few


if __name__ == "__main__":
    print(table())  # noqa: T201 (the output of a command)
