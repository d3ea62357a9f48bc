"""The order in which the server serves its callers."""

import socket
import threading
from collections import deque


class Turns:
    """A lock that threads get in the order in which they ask for it. Use it in a `with` block.

    threading.Lock lets newcomers go first: of 50 callers, some would wait until they time out.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self.waiting: deque[threading.Event] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Event()
            self.waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._mutex:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self._taken = False


def has_left(connection: socket.socket) -> bool:
    """Return whether a caller has closed its connection, so that nobody waits for the answer.

    In a crowd, callers time out before it is their turn. Their calls would only delay the others.
    """
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False  # it is open, and nothing more has been sent
    except OSError:
        return True
