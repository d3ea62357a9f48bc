"""Whether SAM can make CloudFormation of the template: `make template` runs it, without AWS.

It runs in an environment of its own, since the translator wants an older pydantic than the app.
"""

import os
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("template.yaml")

# What `sam build` puts in place of the Dockerfile.
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/accounts:latest"

# What the one SAM function and the one SAM API must have become.
EXPECTED = {
    "AWS::Lambda::Function",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
}


class NoPolicies:
    """Stands in for a look-up of AWS's managed policies: the template names none."""

    def load(self) -> dict[str, str]:
        """Return none."""
        return {}


def main() -> None:
    """Transform the template. Raises SystemExit with what SAM has against it."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415 - see above
    from samtranslator.translator.transform import transform  # noqa: PLC0415
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415

    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["ImageUri"] = IMAGE
    try:
        made = transform(template, {}, NoPolicies())
    except InvalidDocumentException as refused:
        reasons = " ".join(cause.message for cause in refused.causes)
        raise SystemExit(f"SAM refuses {TEMPLATE.name}: {reasons}") from None
    types = {resource["Type"] for resource in made["Resources"].values()}
    if missing := EXPECTED - types:
        raise SystemExit(f"SAM made no {', '.join(sorted(missing))} of {TEMPLATE.name}.")
    print(f"SAM makes {len(made['Resources'])} resources of {TEMPLATE.name}.")  # noqa: T201 - a command's


if __name__ == "__main__":
    main()
