"""Where entries and recordings are kept: one table for all people, and one bucket.

Each item's partition key is its owner's `sub`, and so is the middle of a recording's key. Every
call here names both after the caller, so nobody can reach another's.
"""

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict

from app.schemas import wire
from app.services import Services

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from types_boto3_s3 import S3Client

PAGE = 20
"""How many entries a list has at most."""
MAX_RECORDING = 10 * 1024 * 1024
"""Bytes. The page's recordings take about 1 MiB in 8 minutes."""
VALID = 300
"""Seconds for which a form and a recording's URL are valid."""
TRIES = 5
"""How often DynamoDB may put off a part of a batch."""


class Entry(BaseModel):
    """An entry of a diary."""

    model_config = wire(
        id="2026-11-26.110511223344-5f1b0a9c",
        day="2026-11-26",
        text="Sunny.",
        createdAt="2026-11-26T11:05:11Z",
        recording="audio/webm",
    ) | ConfigDict(populate_by_name=True)

    id: str
    day: date
    text: str
    created_at: datetime
    recording: str | None = None
    """The type of the recording for which a form was given."""


class EntryStore:
    """The entries and recordings of all people. One instance serves a process and its threads.

    Every method can raise what boto3 raises. One that takes an id raises HTTPException with 404 for
    an entry that the person doesn't have.
    """

    def __init__(self, services: Services, table: str, bucket: str) -> None:
        self._services = services
        self._table = table
        self._bucket = bucket

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._services.client("dynamodb")
        return client

    @property
    def _s3(self) -> "S3Client":
        client: S3Client = self._services.client("s3")
        return client

    def write(self, sub: str, day: date, text: str) -> Entry:
        """Add an entry to a day."""
        now = datetime.now(UTC)
        # Ids sort by day, and by time within a day. The random part keeps two at once apart.
        id_ = f"{day}.{now:%H%M%S%f}-{secrets.token_hex(4)}"
        entry = Entry(id=id_, day=day, text=text, created_at=now.replace(microsecond=0))
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                **_key(sub, entry.id),
                "text": {"S": text},
                "createdAt": {"S": entry.created_at.isoformat()},
            },
            ConditionExpression="attribute_not_exists(id)",
        )
        return entry

    def page(self, sub: str, day: date | None, after: str | None) -> tuple[list[Entry], str | None]:
        """Return the newest entries, of one day if it is given, and the cursor of the next page.

        `after` is such a cursor: the id of the last entry of a page. It can't reach another's,
        because the query names the owner.
        """
        values = {":owner": {"S": sub}}
        expression = "#owner = :owner"
        if day:
            values[":day"] = {"S": f"{day}."}
            expression += " AND begins_with(id, :day)"
        found = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression=expression,
            ExpressionAttributeNames={"#owner": "owner"},  # DynamoDB reserves the word
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            Limit=PAGE,
            **({"ExclusiveStartKey": _key(sub, after)} if after else {}),  # type: ignore[arg-type]
        )
        last = found.get("LastEvaluatedKey")
        return [_entry(item) for item in found["Items"]], last["id"]["S"] if last else None

    def read(self, sub: str, id_: str) -> Entry:
        """Return an entry."""
        found = self._dynamodb.get_item(TableName=self._table, Key=_key(sub, id_))
        if "Item" not in found:
            raise HTTPException(404)
        return _entry(found["Item"])

    def change(self, sub: str, id_: str, text: str) -> Entry:
        """Replace an entry's text."""
        return self._update(sub, id_, "SET #field = :value", "text", text)

    def delete(self, sub: str, id_: str) -> None:
        """Delete an entry and its recording. It is no error if there is none."""
        self._s3.delete_object(Bucket=self._bucket, Key=_recording(sub, id_))
        self._dynamodb.delete_item(TableName=self._table, Key=_key(sub, id_))

    def form(self, sub: str, id_: str, type_: str) -> dict[str, Any]:
        """Return a form with which a browser can upload the entry's recording, straight to S3.

        It is bound to the key, the type and MAX_RECORDING bytes, and valid for VALID seconds.
        """
        self._update(sub, id_, "SET #field = :value", "recording", type_)
        return self._s3.generate_presigned_post(
            self._bucket,
            _recording(sub, id_),
            Fields={"Content-Type": type_},
            Conditions=[{"Content-Type": type_}, ["content-length-range", 1, MAX_RECORDING]],
            ExpiresIn=VALID,
        )

    def recording(self, sub: str, id_: str) -> str:
        """Return a URL that plays the entry's recording for VALID seconds.

        Raise HTTPException with 404 if no form was given for one. If it was, but nothing has been
        uploaded, S3 answers the URL with 404.
        """
        if not self.read(sub, id_).recording:
            raise HTTPException(404)
        about = {"Bucket": self._bucket, "Key": _recording(sub, id_)}
        return self._s3.generate_presigned_url("get_object", about, ExpiresIn=VALID)

    def erase(self, sub: str, _services: Services) -> None:
        """Delete all entries and recordings of a person: see app/deletion.py.

        Recordings are found by their keys, also those whose entry is gone.
        """
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=_recording(sub, "")
        )
        for page in pages:
            if keys := [{"Key": each["Key"]} for each in page.get("Contents", [])]:
                done = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": keys})  # type: ignore[typeddict-item]
                if done.get("Errors"):
                    raise HTTPException(503, "Please try again.")
        while ids := self._ids(sub):
            for start in range(0, len(ids), 25):  # the most that DynamoDB takes at once
                self._delete_entries(sub, ids[start : start + 25])

    def _ids(self, sub: str) -> list[str]:
        """Return the ids of a person's entries, or of many of them."""
        found = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": sub}},
            ProjectionExpression="id",
            ConsistentRead=True,
        )
        return [item["id"]["S"] for item in found["Items"]]

    def _delete_entries(self, sub: str, ids: list[str]) -> None:
        requests: Any = {self._table: [{"DeleteRequest": {"Key": _key(sub, id_)}} for id_ in ids]}
        for pause in _pauses():
            requests = self._dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"]
            if not requests:
                return
            time.sleep(pause)
        raise HTTPException(503, "Please try again.")

    def _update(self, sub: str, id_: str, expression: str, field: str, value: str) -> Entry:
        try:
            found = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(sub, id_),
                UpdateExpression=expression,
                ExpressionAttributeNames={"#field": field},
                ExpressionAttributeValues={":value": {"S": value}},
                ConditionExpression="attribute_exists(id)",
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise HTTPException(404) from None
            raise
        return _entry(found["Attributes"])


def _key(sub: str, id_: str) -> "dict[str, AttributeValueTypeDef]":
    return {"owner": {"S": sub}, "id": {"S": id_}}


def _recording(sub: str, id_: str) -> str:
    return f"recordings/{sub}/{id_}"


def _entry(item: "dict[str, AttributeValueTypeDef]") -> Entry:
    return Entry(
        id=item["id"]["S"],
        day=date.fromisoformat(item["id"]["S"].partition(".")[0]),
        text=item["text"]["S"],
        created_at=datetime.fromisoformat(item["createdAt"]["S"]),
        recording=item["recording"]["S"] if "recording" in item else None,
    )


def _pauses() -> Iterator[float]:
    """Yield the pauses between tries, in seconds: 1.5 in all."""
    return (0.05 * 2**number for number in range(TRIES))
