"""What each optimisation saves: the instructions of a start and a call without it.

Each is undone separately, in a copy of the bundle. Bytecode is not in the list: the peers are
measured with and without it.
"""

import importlib.util
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.bundle.cut import POSTPONED
from infra.bundle.make import record_strings
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


def whole_modules(names: Sequence[str], folder: Path) -> None:
    """Restore modules as they are installed, with bytecode only, as in the bundle."""
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.origin
        target = folder / f"{name.replace('.', '/')}.pyc"
        py_compile.compile(
            spec.origin,
            str(target),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def compile_all(folder: Path) -> None:
    """Compile the folder in the same way as the bundle."""
    command = [sys.executable, "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)


_routes = "    app.router.routes.extend(route for router in own for route in router.routes)\n"
_include = "    for router in own:\n        app.include_router(router)\n"
_endpoint = "super().__init__, path, _Endpoint(endpoint), **options\n        )\n"
_function = """\
super().__init__, path, _function(_Endpoint(endpoint), endpoint), **options
        )
"""
_as_function = """\
def _function(call: Any, endpoint: Any) -> Any:
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    return update_wrapper(run, endpoint)


class _Endpoint:
"""
_models = "    sys.modules[_MODELS] = _LazyModels(_MODELS)\n"
_pydantic_1 = '    sys.modules["pydantic.v1"] = None  # type: ignore[assignment]\n'
_rules = "Loader if dual else _WithoutRules"
_nine = "include_builtin_handlers=False"
_agent = '            user_agent=f"accounts Botocore/{botocore.__version__}",\n'
_import = "import botocore.session\n"
_validation = "            parameter_validation=False,  # the models in schemas.py have done it\n"


def with_pydantic_1(folder: Path) -> None:
    """Restore pydantic/v1, and let it be found."""
    whole("pydantic/v1", folder)
    without("app/start.py", _pydantic_1, "", folder)


def with_functions(folder: Path) -> None:
    """Give FastAPI a function for each route, instead of an object."""
    without("app/routing.py", _endpoint, _function, folder)
    without("app/routing.py", "class _Endpoint:\n", _as_function, folder)


OPTIMISATIONS = (
    Optimisation("strings compiled beforehand", lambda folder: (folder / "strings.bin").unlink()),
    Optimisation("lazy OpenAPI models", partial(without, "app/start.py", _models, "")),
    Optimisation(
        "no GC during imports", partial(without, "app/start.py", "    gc.disable()\n", "")
    ),
    Optimisation("botocore's data, only what we use", partial(whole, "botocore/data")),
    Optimisation("only Amazon's root certificates", partial(whole, "botocore/cacert.pem")),
    Optimisation("no pydantic/v1", with_pydantic_1),
    Optimisation(
        "pydantic/v1 known to be missing", partial(without, "app/start.py", _pydantic_1, "")
    ),
    Optimisation(
        "TypedDicts without fields", partial(whole_modules, ["pydantic_core.core_schema"])
    ),
    Optimisation("FastAPI's annotations as text", partial(whole_modules, POSTPONED)),
    Optimisation("no boto3", partial(without, "app/aws.py", _import, f"import boto3\n{_import}")),
    Optimisation(
        "botocore's handlers, only what we use",
        partial(without, "app/aws.py", _nine, "include_builtin_handlers=True"),
    ),
    Optimisation("no rules for endpoints", partial(without, "app/aws.py", _rules, "Loader")),
    Optimisation(
        "routes made when needed", partial(without, "app/handler.py", "Route.waits = True", "pass")
    ),
    Optimisation("routes built once", partial(without, "app/main.py", _routes, _include)),
    Optimisation("no source read", with_functions),
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
        if (copy / "strings.bin").exists():
            record_strings(copy, copy)  # other modules have other strings
        yield optimisation, copy


def count(machine: Machine, folder: Path) -> tuple[float, float]:
    """Return the instructions of a cold start and of a warm call."""
    variant = Variant(OURS, bytecode=True, folder=folder)
    return instructions(machine, variant), warm_instructions(machine, variant)
