"""Free ports for servers that need a port number at start, such as those of `make run`."""

import random
import socket
from itertools import islice

# Below the ephemeral ports, which start at 32768 on Linux and 49152 elsewhere. Before our server
# starts, the system could give one of those to another test's connection.
_OURS = range(20_000, 32_000)


def free_ports(number: int) -> list[int]:
    """Return this number of different free ports."""
    shuffled = random.sample(_OURS, len(_OURS))
    return list(islice(filter(_is_free, shuffled), number))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
