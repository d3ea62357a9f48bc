"""Items and objects survive a restart like users, and a call that fails changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.infra.local.services.conftest import Start
from tests.support.resources import BUCKET, TABLE
from tests.support.restarts import no_space

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES: dict[str, Any] = {
    "text": {"S": "Grüße, 안녕"},
    "number": {"N": "1.50"},
    "bytes": {"B": b"\x00\xff"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": ""}, {"M": {"deep": {"N": "1"}}}]},
    "set": {"SS": ["a", "b"]},
}


def test_everything_is_there_after_a_restart(start: Start) -> None:
    """Every type of value, and an object with its headers."""
    services = start()
    services.put("1", **VALUES)
    services.s3.put_object(
        Bucket=services.bucket,
        Key="ada/a b+ü%2F.webm",
        Body=b"\x00silence",
        ContentType="audio/webm;codecs=opus",
        CacheControl="private",
        Metadata={"seconds": "3"},
    )
    services = start()
    assert services.items() == [{"owner": {"S": "ada"}, "id": {"S": "1"}, **VALUES}]
    answer = services.s3.get_object(Bucket=services.bucket, Key="ada/a b+ü%2F.webm")
    assert answer["Body"].read() == b"\x00silence"
    assert answer["ContentType"] == "audio/webm;codecs=opus"
    assert answer["CacheControl"] == "private"
    assert answer["Metadata"] == {"seconds": "3"}


def test_every_way_to_change_an_item(start: Start) -> None:
    """What each operation did is there after a restart."""
    services = start()
    table, owner = services.table, {"owner": {"S": "ada"}}
    for number in range(1, 7):
        services.put(str(number))
    services.dynamodb.delete_item(TableName=table, Key=owner | {"id": {"S": "1"}})
    services.dynamodb.update_item(
        TableName=table,
        Key=owner | {"id": {"S": "2"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "2"}},
    )
    services.dynamodb.batch_write_item(
        RequestItems={
            table: [
                {"DeleteRequest": {"Key": owner | {"id": {"S": "3"}}}},
                {"PutRequest": {"Item": owner | {"id": {"S": "7"}}}},
            ]
        }
    )
    arn = services.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    services.dynamodb.transact_write_items(
        TransactItems=[
            {"Delete": {"TableName": table, "Key": owner | {"id": {"S": "4"}}}},
            {"Put": {"TableName": table, "Item": owner | {"id": {"S": "8"}}}},
            {
                "Update": {
                    "TableName": table,
                    "Key": owner | {"id": {"S": "5"}},
                    "UpdateExpression": "SET n = :n",
                    "ExpressionAttributeValues": {":n": {"N": "5"}},
                }
            },
        ]
    )
    services.dynamodb.put_item(TableName=arn, Item=owner | {"id": {"S": "9"}})
    before = services.items()
    assert services.ids() == ["2", "5", "6", "7", "8", "9"]
    services = start()
    assert services.items() == before


def test_every_way_to_change_an_object(start: Start) -> None:
    """Written, copied, deleted, deleted in a batch, and uploaded in parts."""
    services = start()
    s3, bucket = services.s3, services.bucket
    for key in ("a", "b/1", "b/2 & <3>", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key="d", CopySource={"Bucket": bucket, "Key": "a"})
    s3.delete_object(Bucket=bucket, Key="c")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b/1"}, {"Key": "b/2 & <3>"}]})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="e")["UploadId"]
    about: Any = {"Bucket": bucket, "Key": "e", "UploadId": upload}
    etag = s3.upload_part(**about, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**about, MultipartUpload=parts)
    expected = {"a": b"a", "d": b"a", "e": b"part"}
    assert services.objects() == expected
    assert start().objects() == expected


def test_forgotten(start: Start) -> None:
    """FRESH=1 and the console's button forget items and objects; tables stay usable."""
    services = start()
    for number in range(3):
        services.put(str(number))
        services.s3.put_object(Bucket=services.bucket, Key=str(number), Body=b"x")
    services.cognito.forget()
    assert (services.items(), services.objects()) == ([], {})
    services.put("after")
    services = start()
    assert (services.ids(), services.objects()) == (["after"], {})
    services = start(fresh=True)
    assert (services.ids(), services.objects()) == ([], {})


def test_a_call_that_cannot_be_saved(
    start: Start, file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On a full disk, a call fails and changes nothing, and the terminal says why."""
    services = start()
    services.put("1")
    services.s3.put_object(Bucket=services.bucket, Key="a", Body=b"before")
    known = services.items(), services.objects()
    changes: list[Callable[[], object]] = [
        lambda: services.put("1", text={"S": "changed"}),
        lambda: services.put("2"),
        lambda: services.s3.put_object(Bucket=services.bucket, Key="a", Body=b"after"),
        lambda: services.s3.put_object(Bucket=services.bucket, Key="b", Body=b"new"),
        lambda: services.s3.delete_object(Bucket=services.bucket, Key="a"),
    ]
    with no_space(file.with_name("users.db-wal").stat().st_size):
        for change in changes:
            with pytest.raises(ClientError) as caught:
                change()
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert (services.items(), services.objects()) == known
    assert "free some space" in capfd.readouterr().err
    changes[0]()
    known = services.items(), services.objects()
    services = start()
    assert (services.items(), services.objects()) == known


def test_an_item_costs_as_much_in_a_large_table(start: Start, file: Path) -> None:
    """A change writes a few pages of the file, and reading writes nothing."""
    services = start()
    log = file.with_name("users.db-wal")
    for number in range(100):
        services.put(str(number), text={"S": "x" * 10_000})
    before = log.stat().st_size
    services.items()
    services.dynamodb.get_item(
        TableName=services.table, Key={"owner": {"S": "ada"}, "id": {"S": "6"}}
    )
    assert log.stat().st_size == before
    services.put("5", text={"S": "changed"})
    assert 0 < log.stat().st_size - before < 20 * 4096


def test_another_key_sets_old_items_aside(start: Start) -> None:
    """They don't fit the new table, and come back with the old key."""
    services = start()
    services.put("1")
    hash_only = TABLE.replace("        - {AttributeName: id, AttributeType: S}\n", "").replace(
        "        - {AttributeName: id, KeyType: RANGE}\n", ""
    )
    services = start(resources=hash_only + BUCKET)
    assert services.items() == []
    assert start.printed[-1].startswith(f"1 items of {services.table} don't fit its key.")
    services = start()
    assert services.ids() == ["1"]


ID = st.sampled_from("abcd")
STEPS = st.lists(st.tuples(st.sampled_from(["put", "update", "delete"]), ID, st.integers(0, 9)))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_any_calls(start: Start, steps: list[tuple[str, str, int]]) -> None:
    """After any calls, a restart finds what was there before it."""
    services = start(fresh=True)
    for step, id_, number in steps:
        key = {"owner": {"S": "ada"}, "id": {"S": id_}}
        if step == "put":
            services.put(id_, n={"N": str(number)})
        elif step == "delete":
            services.dynamodb.delete_item(TableName=services.table, Key=key)
        else:
            services.dynamodb.update_item(
                TableName=services.table,
                Key=key,
                UpdateExpression="ADD n :n",
                ExpressionAttributeValues={":n": {"N": str(number)}},
            )
    before = services.items()
    assert start().items() == before
