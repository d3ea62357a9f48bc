"""TCP ports: parse a number, and report a port that is not available."""

import argparse
import errno
import socket

from infra.local.threaded_server import HOST


class StartupError(Exception):
    """The start failed; the message is one line that names the remedy."""


def port(text: str) -> int:
    """Return a TCP port number, or raise the error that argparse prints."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 1 to 65535")
    return int(text)


def check_free(variable: str, number: int) -> None:
    """Raise StartupError if a port is taken, on 127.0.0.1 or on ::1."""
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                # The servers set this too: a port that was just closed counts as free.
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
            # Otherwise this machine lacks the address (IPv6 may be off), so the port is free.


def port_in_use(variable: str, number: int) -> StartupError:
    """Return the error for a port that is taken."""
    return StartupError(
        f"port {number} is in use. Choose another: make run {variable}={number + 10}"
    )
