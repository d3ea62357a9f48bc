"""Ports for servers that are started by number, such as what `make run` starts."""

import random
import socket
from itertools import islice

# Below those that a system gives to whoever asks for any: between the choice and the server's
# start, another test's connection could be given it. From 32768 on Linux, 49152 elsewhere.
_OURS = range(20_000, 32_000)


def free_ports(number: int) -> list[int]:
    """Return so many different ports that nobody uses."""
    shuffled = random.sample(_OURS, len(_OURS))
    return list(islice(filter(_is_free, shuffled), number))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
