"""Many people at once: whole accounts, by a number of clients, through the API of `make run`."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]
PASSWORD = "Correct-horse-9"
PATIENCE = 30  # seconds; the API itself gives up on Cognito after 10


@dataclass
class Load:
    """Flows through one API, how long their steps took in seconds, and what failed."""

    api: str
    mailbox: str
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)

    def run(
        self, flows: int, clients: int, progress: Callable[[int], object] = lambda _: None
    ) -> None:
        """Run flows, at most `clients` at a time. `progress` gets the number of those done."""
        limits = httpx.Limits(max_connections=clients)
        with (
            httpx.Client(timeout=PATIENCE, limits=limits, trust_env=False) as http,
            ThreadPoolExecutor(clients) as pool,
        ):
            for done, _ in enumerate(pool.map(lambda _: self._flow(http), range(flows)), 1):
                progress(done)

    def _flow(self, http: httpx.Client) -> None:
        """Live the whole life of one session. Stop at the first fault."""
        email = f"{uuid4().hex}@example.com"
        try:
            self._post(http, "sign-up", email=email, password=PASSWORD)
            code = self._code(http, email)
            self._post(http, "confirm", email=email, code=code)
            tokens = self._post(http, "sign-in", email=email, password=PASSWORD)
            bearer = {"Authorization": f"Bearer {tokens['AccessToken']}"}
            self._step("me", lambda: http.get(f"{self.api}/auth/me", headers=bearer))
            fresh = self._post(http, "refresh", refreshToken=tokens["RefreshToken"])
            self._post(http, "sign-out", refreshToken=fresh["RefreshToken"])
        except (httpx.HTTPError, LookupError) as error:
            self.faults.append(f"{type(error).__name__}: {error}")

    def _post(self, http: httpx.Client, route: str, **body: str) -> dict[str, Any]:
        answer = self._step(route, lambda: http.post(f"{self.api}/auth/{route}", json=body))
        result: dict[str, Any] = answer.json().get("body", {})
        return result

    def _code(self, http: httpx.Client, email: str) -> str:
        mails = self._step("outbox", lambda: http.get(f"{self.mailbox}/outbox")).json()
        return next(str(mail["code"]) for mail in reversed(mails) if mail["to"] == email)

    def _step(self, name: str, call: Callable[[], httpx.Response]) -> httpx.Response:
        begun = time.monotonic()
        answer = call()
        self.times[name].append(time.monotonic() - begun)
        if answer.status_code != httpx.codes.OK:
            raise httpx.HTTPStatusError(
                f"{name}: {answer.status_code} {answer.text}",
                request=answer.request,
                response=answer,
            )
        return answer

    def table(self) -> str:
        """Return the median of each step, of the first and the last tenth and of all."""
        lines = ["step       first tenth  last tenth  median  longest (ms)"]
        for name, times in self.times.items():
            tenth = max(1, len(times) // 10)
            parts = [times[:tenth], times[-tenth:], times]
            medians = [round(statistics.median(part) * 1000) for part in parts]
            first, last, middle = medians
            longest = round(max(times) * 1000)
            lines.append(f"{name:<10} {first:>11}  {last:>10}  {middle:>6}  {longest:>7}")
        return "\n".join(lines)


@contextmanager
def service() -> Iterator[tuple[str, str]]:
    """Run what `make run` runs, on free ports, without output; yield both addresses."""
    api, cognito, demo = free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        ports = ["--port", str(api), "--cognito-port", str(cognito), "--demo-port", str(demo)]
        command = [sys.executable, "-m", "infra.local", *ports, "--store", f"{folder}/users.db"]
        with (Path(folder) / "output").open("w+") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
            try:
                _wait(process, f"http://127.0.0.1:{api}/health")
                yield f"http://127.0.0.1:{api}", f"http://127.0.0.1:{cognito}"
            finally:
                process.terminate()
                process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    while process.poll() is None:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("The service did not start.")
