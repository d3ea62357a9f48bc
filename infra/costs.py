"""What a month costs: `python -m infra.costs` prints the tables in infra/README.md.

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

# A million sign-ins, by the function's memory. Seconds of a whole processor, as a sign-in and a
# start take them; 1,769 MB have one, and less memory has the same part of it.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORIES = (512, 1_024, 1_769)  # MB
WHOLE = 1_769
WARM = 0.003
COLD = 0.35
WAIT = 0.12  # for Cognito's answer
STARTS = 0.01  # of all sign-ins meet a start
SNAPSHOT = 0.0000015046  # per GB and second, for each published version
RESTORE = 0.0001397998  # per GB, for each start
MONTH = 30 * 24 * 3600


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


def memory_table() -> str:
    """Return what a million sign-ins cost by memory, as a table in Markdown."""
    rows: dict[str, list[str]] = {
        "a start takes, without SnapStart": [f"{COLD * WHOLE / mb:.2f} s" for mb in MEMORIES],
        "a sign-in takes": [f"{WAIT + WARM * WHOLE / mb:.3f} s" for mb in MEMORIES],
        "USD for the sign-ins": [_dollars(M * _compute(WAIT, WARM, mb)) for mb in MEMORIES],
        "USD for the starts": [_dollars(M * STARTS * _compute(0, COLD, mb)) for mb in MEMORIES],
        "with SnapStart, USD for the restores instead": [
            _dollars(M * STARTS * RESTORE * mb / 1024) for mb in MEMORIES
        ],
        "and a month, for one version's snapshot": [
            _dollars(MONTH * SNAPSHOT * mb / 1024) for mb in MEMORIES
        ],
    }
    head = f"| a million sign-ins | {' | '.join(f'{mb:,} MB' for mb in MEMORIES)} |"
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join([head, "|---" * (len(MEMORIES) + 1) + "|", *lines])


def _compute(wait: float, work: float, mb: int) -> float:
    """Return the price of waiting and working, in seconds, without what is free."""
    return (wait + work * WHOLE / mb) * mb / 1024 * LAMBDA_COMPUTE[-1][1]


def _with(users: int, gateway: Tiers) -> float:
    costs = month(users) | {"API Gateway, REST API": cost(users * REQUESTS, gateway)}
    return sum(costs.values())


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 10 else f"{amount:,.0f}"  # noqa: PLR2004 - cents, if few


if __name__ == "__main__":
    print(f"{table()}\n\n{memory_table()}")  # noqa: T201 (the output of a command)
