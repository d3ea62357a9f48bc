"""TCP ports: which numbers there are, and what to say when one can't be had."""

import argparse
import errno
import socket

from infra.local.server import HOST


class StartupError(Exception):
    """Something keeps us from starting; the message is one line that says what to do."""


def port(text: str) -> int:
    """Return a TCP port number, or raise what argparse shows."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535 is")
    return int(text)


def check_free(variable: str, number: int) -> None:
    """Raise StartupError if a port is taken, on 127.0.0.1 or on ::1."""
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                # As the servers do: a port closed a moment ago counts as free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise port_in_use(variable, number) from None
            if error.errno == errno.EACCES:
                raise StartupError(
                    f"port {number} is not allowed to you. Choose one above 1023:"
                    f" make run {variable}=8000"
                ) from None
            # Else this machine has no such address (IPv6 may be off), so nobody is there.


def port_in_use(variable: str, number: int) -> StartupError:
    """Return what to raise when a port is taken."""
    return StartupError(
        f"port {number} is in use. Choose another: make run {variable}={number + 10}"
    )
