"""The template's tables and buckets: which are created, under which names, and what is refused."""

from pathlib import Path

import pytest

from infra.local.pool.intrinsics import TemplateError
from infra.local.server import LocalCognito
from tests.support.resources import BUCKET, TABLE, VARIABLES, client, template_with

INDEX = """
      GlobalSecondaryIndexes:
        - IndexName: by-id
          KeySchema: [{AttributeName: id, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
"""


@pytest.fixture(scope="module")
def cognito() -> LocalCognito:
    """Return a local Cognito that needn't answer over HTTP."""
    return LocalCognito()


def test_the_function_gets_their_names(cognito: LocalCognito, tmp_path: Path) -> None:
    """It gets the variables that name a table or a bucket, and no others."""
    variables = cognito.create_pool("My_Stack", template=template_with(tmp_path)).variables
    assert variables == {
        "PAGES_TABLE": "My_Stack-PagesTable",
        "PAGES_BUCKET": "my-stack-pagesbucket",
        "PAGES_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/My_Stack-PagesTable",
        "PAGES_URL": "https://my-stack-pagesbucket.s3.amazonaws.com",
    }


def test_the_templates_of_today_have_none(cognito: LocalCognito) -> None:
    """Without a table and a bucket there are no variables."""
    assert cognito.create_pool("plain").variables == {}


def test_names_and_indexes_of_your_own(tmp_path: Path) -> None:
    """Names in the template are taken, and an index can be queried."""
    table = TABLE.replace("    Properties:\n", "    Properties:\n      TableName: pages\n")
    table = table.rstrip() + INDEX
    bucket = BUCKET.replace("    Properties:\n", "    Properties:\n      BucketName: my-pages\n")
    with LocalCognito() as cognito:
        pool = cognito.create_pool(template=template_with(tmp_path, table + bucket))
        assert pool.variables["PAGES_TABLE"] == "pages"
        assert pool.variables["PAGES_BUCKET"] == "my-pages"
        dynamodb = client("dynamodb", cognito.url)
        item = {"owner": {"S": "ada"}, "id": {"S": "1"}}
        dynamodb.put_item(TableName="pages", Item=item)
        found = dynamodb.query(
            TableName="pages",
            IndexName="by-id",
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": "1"}},
        )
        assert found["Items"] == [item]


def test_a_condition_that_does_not_hold(cognito: LocalCognito, tmp_path: Path) -> None:
    """Its resource isn't created, and variables without a value are left out."""
    table = TABLE.replace("    Type:", "    Condition: HasGoogleNot\n    Type:", 1)
    variables = VARIABLES.replace(
        "PAGES_TABLE: !Ref PagesTable",
        "PAGES_TABLE: !If [HasGoogleNot, !Ref PagesTable, !Ref AWS::NoValue]",
    ).replace("          PAGES_ARN: !GetAtt PagesTable.Arn\n", "")
    file = template_with(tmp_path, table + BUCKET, variables)
    conditions = "\nConditions:\n  HasGoogleNot: !Equals [a, b]\n"
    file.write_text(file.read_text().replace("\nConditions:\n", conditions, 1))
    made = cognito.create_pool("conditional", template=file).variables
    assert set(made) == {"PAGES_BUCKET", "PAGES_URL"}


@pytest.mark.parametrize(
    ("resource", "line", "told"),
    [
        (TABLE, "StreamSpecification: {StreamViewType: NEW_IMAGE}", "PagesTable.StreamSpec"),
        (TABLE, "KeySchemas: []", r"PagesTable\.KeySchemas: not on this machine"),
        (TABLE, "TableName: !ImportValue x", r"PagesTable\.TableName: .*ImportValue"),
        (BUCKET, "VersioningConfiguration: {Status: Enabled}", "PagesBucket.Versioning"),
        (
            BUCKET,
            "BucketName: Not_A_Name",
            "PagesBucket: 'Not_A_Name' can't be the name of a bucket",
        ),
    ],
)
def test_what_this_machine_cannot_create(
    cognito: LocalCognito, tmp_path: Path, resource: str, line: str, told: str
) -> None:
    """One line names the resource, the property and the reason."""
    changed = resource.replace("    Properties:\n", f"    Properties:\n      {line}\n")
    both = (TABLE + BUCKET).replace(resource, changed)
    with pytest.raises(TemplateError, match=told) as raised:
        cognito.create_pool("refused", template=template_with(tmp_path, both))
    assert "\n" not in str(raised.value)
