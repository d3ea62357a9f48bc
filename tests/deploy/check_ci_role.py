"""Check what infra/ci-role.yaml and the workflow guarantee, and break each guarantee once."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.deploy.guarantees import Template, get_att, source

ROOT = Path(__file__).parents[2]
GITHUB = "token.actions.githubusercontent.com"


def read() -> Template:
    """Return the template, and the workflow as Workflow."""
    template: Template = yaml_parse((ROOT / "infra/ci-role.yaml").read_text())
    workflow = yaml_parse((ROOT / ".github/workflows/deploy.yml").read_text())
    return {**template, "Workflow": workflow}


def role(template: Template, name: str) -> dict[str, Any]:
    """Return a role's properties."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def trust(template: Template, name: str) -> dict[str, Any]:
    """Return the one statement that says who may assume a role."""
    (statement,) = role(template, name)["AssumeRolePolicyDocument"]["Statement"]
    found: dict[str, Any] = statement
    return found


def statements(template: Template, name: str) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role's one policy, also those behind a condition."""
    (policy,) = role(template, name)["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    """Return a value or a list of values as a list."""
    return value if isinstance(value, list) else [value]


def allowed(template: Template, name: str, action: str) -> list[dict[str, Any]]:
    """Return the statements that allow an action."""

    def matches(pattern: str) -> bool:
        return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action))

    found = [it for it in statements(template, name) if any(map(matches, listed(it["Action"])))]
    assert all(it["Effect"] == "Allow" for it in found)
    return found


def only_one_repository_and_environment_is_trusted(template: Template) -> None:
    """AWS compares GitHub's whole statement, without patterns."""
    assert trust(template, "DeployRole") == {
        "Effect": "Allow",
        "Principal": {
            "Federated": {"Fn::If": ["MakesProvider", {"Ref": "Provider"}, {"Ref": "ProviderArn"}]}
        },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{GITHUB}:aud": "sts.amazonaws.com",
                f"{GITHUB}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
            }
        },
    }
    assert template["Resources"]["Provider"]["Properties"] == {
        "Url": f"https://{GITHUB}",
        "ClientIdList": ["sts.amazonaws.com"],
    }
    for name, wrong in (("Repository", ["you/*", "*", "you"]), ("Environment", ["*", "prod:x"])):
        pattern = template["Parameters"][name]["AllowedPattern"]
        assert [each for each in wrong if re.fullmatch(pattern, each)] == []


def workflow_deploys_only_this_stack(template: Template) -> None:
    """Its role can hand over a template for the stack. It has no other way to change anything."""
    writes = [
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:ExecuteChangeSet",
    ]
    for action in writes:
        resources = {it["Resource"]["Fn::Sub"] for it in allowed(template, "DeployRole", action)}
        others = {each for each in resources if ":stack/${StackName}/*" not in each}
        assert all(each.endswith(":aws:transform/Serverless-2016-10-31") for each in others)
    actions = {
        action for it in statements(template, "DeployRole") for action in listed(it["Action"])
    }
    assert not [action for action in actions if "*" in action]
    services = {action.partition(":")[0] for action in actions}
    assert services == {"cloudformation", "s3", "iam"}
    assert {action for action in actions if action.startswith("iam:")} == {"iam:PassRole"}
    (uploads,) = allowed(template, "DeployRole", "s3:PutObject")
    assert uploads["Resource"]["Fn::Sub"].endswith(
        ":::aws-sam-cli-managed-default-*/${StackName}/*"
    )


def roles_go_only_where_they_belong(template: Template) -> None:
    """Only CloudFormation gets the second role, and only Lambda and API Gateway the stack's."""
    (own,) = allowed(template, "DeployRole", "iam:PassRole")
    assert own["Resource"] == get_att("ExecutionRole", "Arn")
    cloudformation = "cloudformation.amazonaws.com"
    assert own["Condition"] == {"StringEquals": {"iam:PassedToService": cloudformation}}
    assert trust(template, "ExecutionRole")["Principal"] == {"Service": cloudformation}
    (stacks,) = allowed(template, "ExecutionRole", "iam:PassRole")
    assert stacks["Resource"]["Fn::Sub"].endswith(":role/${StackName}-*")
    assert stacks["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "lambda.amazonaws.com",
        "apigateway.amazonaws.com",
    ]


GRANTS = ["CreateRole", "AttachRolePolicy", "PutRolePolicy", "PutRolePermissionsBoundary"]


def no_role_gets_more_than_the_boundary(template: Template) -> None:
    """Each role that a deployment makes or changes has the boundary, which it can't take away."""
    for action in GRANTS:
        (found,) = allowed(template, "ExecutionRole", f"iam:{action}")
        assert found["Condition"] == {
            "StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}
        }
        assert found["Resource"]["Fn::Sub"].endswith(":role/${StackName}-*")
    for action in (
        "iam:DeleteRolePermissionsBoundary",
        "iam:CreatePolicyVersion",
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "sts:AssumeRole",
    ):
        assert allowed(template, "ExecutionRole", action) == []
    # Or a stack with the right name could change these: role/NAME-* doesn't match role/ci/NAME-...
    for name in ("DeployRole", "ExecutionRole", "Boundary"):
        assert role(template, name)["Path"] == "/ci/"


def people_and_their_pool_are_out_of_reach(template: Template) -> None:
    """No deployment can delete a user pool, or read or change a user."""
    for operation in (
        "AdminCreateUser",
        "AdminDeleteUser",
        "AdminSetUserPassword",
        "DeleteUserPool",
        "ListUsers",
    ):
        assert allowed(template, "ExecutionRole", f"cognito-idp:{operation}") == []


# Actions on what has no name of ours: they need every resource of a kind.
UNNAMED = {"apigateway", "cognito-idp", "logs:DescribeLogGroups", "route53:GetChange"}


def other_stacks_are_out_of_reach(template: Template) -> None:
    """Whatever can have a name bears the stack's."""
    for statement in statements(template, "ExecutionRole"):
        actions = listed(statement["Action"])
        if all(action in UNNAMED or action.partition(":")[0] in UNNAMED for action in actions):
            continue
        for resource in listed(statement["Resource"]):
            text = json.dumps(resource)
            parameter = any(f"{{{name}}}" in text for name in ("StackName", "HostedZoneId"))
            linked = ":role/aws-service-role/" in text  # AWS's own, which it alone can use
            assert parameter or linked or resource == {"Ref": "GoogleSecretArn"}, text


def roles_of_the_stack_work_within_the_boundary(template: Template) -> None:
    """Allow what the stack's inline policies do, and no more than logs and traces."""
    document = role(template, "Boundary")["PolicyDocument"]
    inside = {action for it in document["Statement"] for action in listed(it["Action"])}
    resources = source()["Resources"]
    policies = [resources["PreSignUpPolicy"]["Properties"]["PolicyDocument"]]
    policies += resources["Function"]["Properties"].get("Policies", [])
    needed = {
        action
        for policy in policies
        for it in policy["Statement"]
        for action in listed(it["Action"])
    }
    assert needed <= inside, "Add them to Boundary in infra/ci-role.yaml"
    services = {action.partition(":")[0] for action in needed}
    assert {action.partition(":")[0] for action in inside} == services | {"logs", "xray"}
    assert not [action for action in inside if "*" in action]


def github_stores_no_key(template: Template) -> None:
    """Read no secret, and ask for GitHub's statement only in the job that deploys."""
    workflow = template["Workflow"]
    text = (ROOT / ".github/workflows/deploy.yml").read_text()
    assert "secrets." not in text
    assert "aws-access-key-id" not in json.dumps(workflow)
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert job["environment"] == "${{ inputs.stage }}"
    # yaml reads the key `on` as true
    assert set(workflow[True]) == {"workflow_dispatch"}
    for step in job["steps"]:  # an input in a script could add commands to it
        assert "${{" not in step.get("run", "")


CHECKS: dict[Callable[[Template], None], list[Callable[[Template], object]]] = {
    only_one_repository_and_environment_is_trusted: [
        lambda it: trust(it, "DeployRole").update(
            Condition={"StringLike": trust(it, "DeployRole")["Condition"]["StringEquals"]}
        ),
        lambda it: trust(it, "DeployRole")["Condition"]["StringEquals"].pop(f"{GITHUB}:sub"),
        lambda it: it["Parameters"]["Repository"].update(AllowedPattern=".*"),
        lambda it: it["Parameters"]["Environment"].update(AllowedPattern=".+"),
    ],
    workflow_deploys_only_this_stack: [
        lambda it: next(statements(it, "DeployRole")).update(Resource={"Fn::Sub": "*"}),
        lambda it: next(statements(it, "DeployRole")).update(Action="cloudformation:*"),
        lambda it: next(statements(it, "DeployRole"))["Action"].append("lambda:InvokeFunction"),
    ],
    roles_go_only_where_they_belong: [
        lambda it: allowed(it, "DeployRole", "iam:PassRole")[0].pop("Condition"),
        lambda it: allowed(it, "ExecutionRole", "iam:PassRole")[0].pop("Condition"),
        lambda it: trust(it, "ExecutionRole").update(Principal={"AWS": "*"}),
    ],
    no_role_gets_more_than_the_boundary: [
        lambda it: allowed(it, "ExecutionRole", "iam:CreateRole")[0].pop("Condition"),
        lambda it: allowed(it, "ExecutionRole", "iam:GetRole")[0].update(Action="iam:*"),
        lambda it: role(it, "ExecutionRole").pop("Path"),
    ],
    people_and_their_pool_are_out_of_reach: [
        lambda it: allowed(it, "ExecutionRole", "cognito-idp:CreateUserPool")[0].update(
            Action="cognito-idp:*"
        ),
    ],
    other_stacks_are_out_of_reach: [
        lambda it: next(statements(it, "ExecutionRole")).update(Resource="*"),
        lambda it: allowed(it, "ExecutionRole", "route53:GetHostedZone")[0].update(Resource="*"),
    ],
    roles_of_the_stack_work_within_the_boundary: [
        lambda it: role(it, "Boundary")["PolicyDocument"]["Statement"].pop(),
        lambda it: role(it, "Boundary")["PolicyDocument"]["Statement"][0].update(Action="*"),
    ],
    github_stores_no_key: [
        lambda it: it["Workflow"].update(permissions="write-all"),
        lambda it: it["Workflow"]["jobs"]["deploy"].pop("environment"),
        lambda it: it["Workflow"][True].update(pull_request={}),
        lambda it: it["Workflow"]["jobs"]["deploy"]["steps"].append(
            {"run": "sam deploy --config-env ${{ inputs.stage }}"}
        ),
        lambda it: it["Workflow"]["jobs"]["deploy"]["steps"].append(
            {"with": {"aws-access-key-id": "AKIA"}}
        ),
    ],
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda it: it.__name__)
def test_ci_role(check: Callable[[Template], None]) -> None:
    """Each guarantee holds, and is noticed when it is broken."""
    check(read())
    for break_ in CHECKS[check]:
        broken = copy.deepcopy(read())
        break_(broken)
        with pytest.raises((AssertionError, KeyError, ValueError)):
            check(broken)
