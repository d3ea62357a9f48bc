"""What each optimisation saves: the instructions of a start and a call without it.

Each is undone separately, in a copy of the bundle. Bytecode is not in the list: the peers are
measured with and without it.
"""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.measure import Machine, instructions, warm_instructions
from tests.bench.variants import OURS, Variant


@dataclass(frozen=True)
class Optimisation:
    """An optimisation, and the function that undoes it in a bundle's folder."""

    name: str
    undo: Callable[[Path], object]


def without(name: str, text: str, instead: str, folder: Path) -> None:
    """Replace `text` in one of the app's files. Raise AssertionError unless it is there once."""
    file = folder / name
    source = file.read_text()
    assert source.count(text) == 1, f"{name} has no {text!r}"
    file.write_text(source.replace(text, instead))
    compile_all(folder / "app")


def whole(name: str, folder: Path) -> None:
    """Restore a package, or one of its files, from which the bundle leaves out parts."""
    package, _, rest = name.partition("/")
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    origin = Path(spec.submodule_search_locations[0]) / rest
    target = folder / name
    if origin.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
        compile_all(target)
    else:
        shutil.copy(origin, target)


def compile_all(folder: Path) -> None:
    """Compile the folder in the same way as the bundle."""
    command = [sys.executable, "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)


_models = "    sys.modules[_MODELS] = _LazyModels(_MODELS)\n"
_agent = '            user_agent=f"accounts Boto3/{boto3.__version__}",\n'
_validation = "            parameter_validation=False,  # the models in schemas.py have done it\n"
OPTIMISATIONS = (
    Optimisation("strings compiled beforehand", lambda folder: (folder / "strings.bin").unlink()),
    Optimisation("lazy OpenAPI models", partial(without, "app/start.py", _models, "")),
    Optimisation(
        "no GC during imports", partial(without, "app/start.py", "    gc.disable()\n", "")
    ),
    Optimisation("botocore's data, only what we use", partial(whole, "botocore/data")),
    Optimisation("only Amazon's root certificates", partial(whole, "botocore/cacert.pem")),
    Optimisation("no pydantic/v1", partial(whole, "pydantic/v1")),
    Optimisation(
        "no worker thread per request",
        partial(without, "app/handler.py", "Route.uses_threads = False", "pass"),
    ),
    Optimisation("a fixed user agent", partial(without, "app/aws.py", _agent, "")),
    Optimisation("parameters validated once", partial(without, "app/aws.py", _validation, "")),
)


def optimisations_table(machine: Machine, say: Callable[[str], None]) -> str:
    """Measure each optimisation and return a Markdown table.

    The bundle is the folder `ours` in the machine's folder. This takes 3 minutes; `say` prints
    progress.
    """
    ours = machine.folder / "ours"
    say("Counting with all optimisations")
    cold, warm = count(machine, ours)
    lines = ["| optimisation | a start without it | a call without it |", "|---|---:|---:|"]
    for optimisation, folder in undone(ours, machine.folder):
        say(f"Counting without: {optimisation.name}")
        its_cold, its_warm = count(machine, folder)
        lines.append(
            f"| {optimisation.name} | {its_cold / cold - 1:+.1%} | {its_warm / warm - 1:+.1%} |"
        )
    return "\n".join(lines)


def undone(ours: Path, folder: Path) -> Iterator[tuple[Optimisation, Path]]:
    """Copy the bundle for each optimisation and undo the optimisation in the copy."""
    for number, optimisation in enumerate(OPTIMISATIONS):
        copy = folder / f"without-{number}"
        shutil.copytree(ours, copy)
        optimisation.undo(copy)
        yield optimisation, copy


def count(machine: Machine, folder: Path) -> tuple[float, float]:
    """Return the instructions of a cold start and of a warm call."""
    variant = Variant(OURS, bytecode=True, folder=folder)
    cold = instructions(machine, variant)
    return cold, warm_instructions(machine, variant, cold)
