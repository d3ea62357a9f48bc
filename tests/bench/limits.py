"""Limits of our instructions, as multiples of the plain function's. test_gate.py checks them."""

import sys

# Measured: 0.81 and 0.83 cold on Python 3.11.7 and 3.13.0, 1.1 warm. On Debian's 3.13.5, from which
# the plain function gains more, it was 0.95 before routes waited. After a change that lowers these,
# lower the limits.
COLD_AT_MOST, COLD_SINCE_3_13_1 = 0.87, 0.98
WARM_AT_MOST = 1.2


def cold_at_most() -> float:
    """Return the limit of a start on the Python that runs this."""
    return COLD_SINCE_3_13_1 if sys.version_info >= (3, 13, 1) else COLD_AT_MOST
