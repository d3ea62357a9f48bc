"""What more routes cost: a start with generated routes like ours, added to a copy of the bundle."""

import shutil
from collections.abc import Callable
from pathlib import Path

from infra.bundle.make import record_strings
from tests.bench.measure import Machine, instructions
from tests.bench.optimisations import compile_all, without
from tests.bench.variants import OURS, Variant

OWN = 29
"""Routes of /auth and /health. The table's steps double their number."""

_HEAD = """\
from pydantic import BaseModel, Field

from app.dependencies import CurrentUser
from app.routing import fails_with, routes_under

router = routes_under("/more")
"""
# As long as ours are on average: a body with two fields, an answer, the caller, own codes
_ROUTE = """

class Note{n}(BaseModel):
    \"\"\"A note.\"\"\"

    text: str = Field(min_length=1, max_length=1000, description="What to keep.")
    tags: list[str] = Field(default=[], max_length=10, description="What to find it by.")


@router.post("/{n}", responses=fails_with("invalid_token", "not_found"))
def note_{n}(body: Note{n}, user: CurrentUser) -> Note{n}:
    \"\"\"Keep a note. It is the caller's own.\"\"\"
    return body
"""
_END = "    return app\n"
_INCLUDE = f"    from app import more\n\n    app.include_router(more.router)\n{_END}"


def with_routes(ours: Path, folder: Path, number: int) -> None:
    """Copy the bundle, and add routes of an app as a team adds its own."""
    shutil.copytree(ours, folder)
    routes = "".join(_ROUTE.format(n=n) for n in range(number))
    (folder / "app/more.py").write_text(_HEAD + routes)
    without("app/main.py", _END, _INCLUDE, folder)
    compile_all(folder / "app")
    record_strings(folder, folder)


def growth_table(machine: Machine, say: Callable[[str], None]) -> str:
    """Count starts with more routes, and return a Markdown table.

    The bundle is the folder `ours` in the machine's folder. This takes a minute.
    """
    lines = ["| routes | a start, M instr. | each further route |", "|---:|---:|---:|"]
    least = 0
    for total in (OWN, 2 * OWN, 4 * OWN):
        say(f"Counting a start with {total} routes")
        folder = machine.folder / "ours"
        if total > OWN:
            folder = machine.folder / f"with-{total}"
            with_routes(machine.folder / "ours", folder, total - OWN)
        count = instructions(machine, Variant(OURS, bytecode=True, folder=folder))
        least = least or count
        each = f"{(count - least) / (total - OWN) / least:+.2%}" if total > OWN else ""
        lines.append(f"| {total} | {count / 1e6:,.0f} | {each} |")
    return "\n".join(lines)
