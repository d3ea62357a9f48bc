"""The template's tables and buckets, created as CloudFormation does."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.local.pool.intrinsics import NO_VALUE, TemplateError, section, text_of
from infra.local.pool.template import arguments, exists, load, properties_of, resolved
from infra.local.pool.user_pool import REGION
from infra.local.services.backend import Call, RefusedError, dynamodb, send
from infra.local.services.s3 import keys_in

TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Properties that don't change what is kept, or who may read it on this machine.
WITHOUT_EFFECT = {
    TABLE: {
        "ContributorInsightsSpecification",
        "DeletionProtectionEnabled",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "ResourcePolicy",
        "SSESpecification",
        "TableClass",
        "Tags",
        "TimeToLiveSpecification",  # see README.md
        "WarmThroughput",
    },
    BUCKET: {
        "AccelerateConfiguration",
        "AccessControl",
        "AnalyticsConfigurations",
        "BucketEncryption",
        "IntelligentTieringConfigurations",
        "InventoryConfigurations",
        "LifecycleConfiguration",
        "LoggingConfiguration",
        "MetricsConfigurations",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
    },
}
WITH_EFFECT = {
    TABLE: {
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "TableName",
    },
    BUCKET: {"BucketName", "CorsConfiguration"},
}


class Resources:
    """The tables and buckets of one template, whose stack has a name.

    Every method raises TemplateError for what this machine can't create.
    """

    def __init__(self, name: str, references: Mapping[str, Any], template: Path) -> None:
        self._name = name
        self._template = template
        self.references = dict(references)
        """The references, with the resources that have been created."""
        self.tables: set[str] = set()
        self.rules: dict[str, list[Mapping[str, Any]]] = {}
        """The buckets, and the CORS rules of each."""

    def create(self) -> None:
        """Create every table and bucket, without items and objects.

        moto keeps them per process, so one may be left from an earlier server.
        """
        for logical_id, kind in self._found():
            unknown = properties_of(logical_id, self._template).keys() - WITH_EFFECT[kind]
            for name in sorted(unknown - WITHOUT_EFFECT[kind]):
                raise TemplateError(f"{logical_id}.{name}: not on this machine")
            made = self._table(logical_id) if kind == TABLE else self._bucket(logical_id)
            service = "dynamodb" if kind == TABLE else "s3"
            arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/{made}"
            arn = arn if service == "dynamodb" else f"arn:aws:s3:::{made}"
            self.references |= {logical_id: made, f"{logical_id}.Arn": arn}

    def variables(self, function: str = "Function") -> dict[str, str]:
        """Return the environment variables of a function that name these resources."""
        resources = section(load(self._template), "Resources")
        environment = section(section(resources.get(function, {}), "Properties"), "Environment")
        found = {}
        for name, value in section(environment, "Variables").items():
            if any(_names(value, logical_id) for logical_id, _ in self._found()):
                given = resolved(function, name, value, self.references, self._template)
                if given is not NO_VALUE:
                    found[name] = text_of(given)
        return found

    def _found(self) -> Iterator[tuple[str, str]]:
        """Yield the logical id and the type of each table and bucket that is to be created."""
        for logical_id, resource in section(load(self._template), "Resources").items():
            kind = resource.get("Type") if isinstance(resource, dict) else None
            if kind in WITH_EFFECT and exists(logical_id, self.references, self._template):
                yield logical_id, kind

    def _table(self, logical_id: str) -> str:
        input_ = {"TableName": f"{self._name}-{logical_id}"}
        input_ |= arguments(
            "CreateTable", logical_id, self.references, self._template, service="dynamodb"
        )
        known = WITH_EFFECT[TABLE]
        input_ = {name: value for name, value in input_.items() if name in known}
        name = str(input_["TableName"])
        try:
            if name in dynamodb("ListTables")["TableNames"]:
                dynamodb("DeleteTable", TableName=name)
            dynamodb("CreateTable", **input_)
        except RefusedError as error:
            raise TemplateError(f"{logical_id}: {error}") from None
        self.tables.add(name)
        return name

    def _bucket(self, logical_id: str) -> str:
        given = properties_of(logical_id, self._template)
        name, cors = (
            resolved(logical_id, part, given[part], self.references, self._template)
            if part in given
            else NO_VALUE
            for part in ("BucketName", "CorsConfiguration")
        )
        if name is NO_VALUE:
            name = re.sub(r"[^a-z0-9-]+", "-", f"{self._name}-{logical_id}".lower())[:63].strip("-")
        if not BUCKET_NAME.fullmatch(str(name)):
            raise TemplateError(f"{logical_id}: {name!r} can't be the name of a bucket")
        for key in keys_in(str(name)):
            send("s3", Call("DELETE", f"/{name}/{quote(key)}"))
        send("s3", Call("PUT", f"/{name}"))
        rules = [] if cors is NO_VALUE else section({"": cors}, "").get("CorsRules", [])
        self.rules[str(name)] = [
            {**rule, "ExposedHeaders": rule.get("ExposedHeaders", [])} for rule in rules
        ]
        return str(name)


def _names(value: Any, logical_id: str) -> bool:
    """Return whether a value of the template refers to a resource."""
    if isinstance(value, dict):
        return any(_names(each, logical_id) for each in value.values())
    if isinstance(value, list):
        return any(_names(each, logical_id) for each in value)
    name = re.escape(logical_id)
    return re.search(rf"^{name}(\.|$)|\$\{{{name}[.}}]", str(value)) is not None
