"""Check samconfig.toml, without the SAM CLI: commands work as typed, and stages don't meet.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

import copy
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.guarantees import source

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]
# The options of the SAM CLI that we use or that `sam deploy --guided` saves, and their types.
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html
OPTIONS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "validate": {"template_file": str, "lint": bool},
    "build": {"template_file": str},
    "deploy": {
        "stack_name": str,
        "capabilities": str,
        "resolve_image_repos": bool,
        "resolve_s3": bool,
        "confirm_changeset": bool,
        "fail_on_empty_changeset": bool,
        "disable_rollback": bool,
        "parameter_overrides": (list, str),
        "image_repositories": list,
        "profile": str,
        "region": str,
        "s3_prefix": str,
    },
}
STAGES = ("default", "dev", "prod")


def read() -> Config:
    """Return samconfig.toml."""
    return tomllib.loads((ROOT / "samconfig.toml").read_text())


def options(config: Config, stage: str, command: str) -> dict[str, Any]:
    """Return the options of a command in a stage."""
    found: dict[str, Any] = config[stage][command]["parameters"]
    return found


def overrides(config: Config, stage: str) -> dict[str, str]:
    """Return a stage's parameters, from a list or from the text that `--guided` saves."""
    given = options(config, stage, "deploy").get("parameter_overrides", [])
    if isinstance(given, str):
        given = shlex.split(given)
    return dict(each.split("=", 1) for each in given)


def commands_work_as_typed(config: Config) -> None:
    """In each stage, `sam validate`, `build` and `deploy` need no option."""
    assert config["version"] == 0.1
    assert config.keys() - {"version"} == set(STAGES)
    for stage in STAGES:
        assert config[stage].keys() == OPTIONS.keys()
        for command, known in OPTIONS.items():
            given = options(config, stage, command)
            assert given.keys() - known.keys() == set()
            assert all(isinstance(value, known[name]) for name, value in given.items())
        for command in ("validate", "build"):
            assert (ROOT / options(config, stage, command)["template_file"]).is_file()
        assert options(config, stage, "validate")["lint"] is True
        deploy = options(config, stage, "deploy")
        # Without a template, `sam deploy` takes what `sam build` or `make package` wrote
        assert "template_file" not in deploy
        assert deploy["resolve_s3"] is deploy["resolve_image_repos"] is True
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        assert deploy["disable_rollback"] is False


def stages_do_not_meet(config: Config) -> None:
    """Each stage has its own stack. Only production asks before it changes anything."""
    names = [options(config, stage, "deploy")["stack_name"] for stage in STAGES]
    assert len(set(names)) == len(names)
    # CloudFormation's limit, with room for what it appends to name an API's role
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{1,40}", name) for name in names)
    asks = {stage: options(config, stage, "deploy")["confirm_changeset"] for stage in STAGES}
    assert asks == {"default": True, "dev": False, "prod": True}


def parameters_are_the_templates(config: Config) -> None:
    """Every parameter exists, and the template accepts its value."""
    parameters = source()["Parameters"]
    for stage in STAGES:
        for name, value in overrides(config, stage).items():
            assert name in parameters, f"infra/template.yaml has no parameter {name}"
            rule = parameters[name]
            assert re.fullmatch(rule.get("AllowedPattern", ".*"), value)
            assert value in map(str, rule.get("AllowedValues", [value]))


CHECKS: dict[Callable[[Config], None], list[Callable[[Config], object]]] = {
    commands_work_as_typed: [
        lambda it: it["default"].pop("validate"),
        lambda it: options(it, "prod", "build").update(template_file="template.yaml"),
        lambda it: options(it, "default", "validate").pop("lint"),
        lambda it: options(it, "default", "deploy").update(template_file="infra/template.yaml"),
        lambda it: options(it, "dev", "deploy").pop("resolve_s3"),
        lambda it: options(it, "dev", "deploy").update(confirm_change_set=True),
        lambda it: options(it, "dev", "deploy").update(lint="true"),
    ],
    stages_do_not_meet: [
        lambda it: options(it, "dev", "deploy").update(stack_name="accounts"),
        lambda it: options(it, "prod", "deploy").update(confirm_changeset=False),
    ],
    parameters_are_the_templates: [
        lambda it: options(it, "prod", "deploy").update(parameter_overrides=["Origins=x"]),
        lambda it: options(it, "prod", "deploy").update(parameter_overrides=["AllowedOrigins=*"]),
        lambda it: options(it, "prod", "deploy").update(parameter_overrides='Docs="no"'),
    ],
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda it: it.__name__)
def test_samconfig(check: Callable[[Config], None]) -> None:
    """Each check holds, and fails after each change that breaks it."""
    check(read())
    for break_ in CHECKS[check]:
        broken = copy.deepcopy(read())
        break_(broken)
        with pytest.raises((AssertionError, KeyError)):
            check(broken)
