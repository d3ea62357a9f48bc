"""DynamoDB: moto's operations on items, and which items each of them changes."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.validate import ParamValidator
from werkzeug.wrappers import Response

from infra.local.pool.api_model import service_model
from infra.local.pool.records import Journal
from infra.local.services.backend import Call, RefusedError, dynamodb, send
from infra.local.services.kept import Kept

Body = dict[str, Any]
Key = tuple[str, Body]
"""A table's name, and an item that has the attributes of the key."""


def _one(name: str) -> Callable[[Body], Iterator[Key]]:
    return lambda body: iter([(body["TableName"], body[name])])


def _batch(body: Body) -> Iterator[Key]:
    for table, requests in body["RequestItems"].items():
        for request in requests:
            ((_, parameters),) = request.items()
            yield table, parameters.get("Item") or parameters.get("Key") or {}


def _transaction(body: Body) -> Iterator[Key]:
    for entry in body["TransactItems"]:
        ((name, parameters),) = entry.items()
        if name != "ConditionCheck":
            yield parameters["TableName"], parameters.get("Item") or parameters.get("Key") or {}


# The operations, and which items each one may change. There is no PartiQL, and there are no
# streams, backups, exports or global tables. Tables that are made by hand are not kept.
OPERATIONS: dict[str, Callable[[Body], Iterator[Key]]] = {
    **dict.fromkeys(("GetItem", "BatchGetItem", "TransactGetItems"), lambda _: iter(())),
    **dict.fromkeys(("Query", "Scan"), lambda _: iter(())),
    **dict.fromkeys(("CreateTable", "DeleteTable", "DescribeTable"), lambda _: iter(())),
    **dict.fromkeys(("ListTables", "DescribeTimeToLive"), lambda _: iter(())),
    "PutItem": _one("Item"),
    "UpdateItem": _one("Key"),
    "DeleteItem": _one("Key"),
    "BatchWriteItem": _batch,
    "TransactWriteItems": _transaction,
}


class DynamoDB:
    """The service. `kept` are the items of the template's tables."""

    def __init__(self, journal: Journal) -> None:
        self.kept = Kept("items", journal, _read, _write)
        self.tables: set[str] = set()
        """The template's tables, which are kept."""

    def answer(self, operation: str, call: Call) -> Response:
        """Answer a call, whose changes the journal then has."""
        if operation not in service_model("dynamodb").operation_names:
            return refusal("UnknownOperationException", "There is no such operation.")
        if operation not in OPERATIONS:
            return refusal("UnknownOperationException", f"DynamoDB here has no {operation}.")
        try:
            body = json.loads(call.body)
        except ValueError:
            return refusal("SerializationException", "The body is not JSON.")
        shape = service_model("dynamodb").operation_model(operation).input_shape
        if shape and (report := ParamValidator().validate(body, shape)).has_errors():
            return refusal("ValidationException", report.generate_report())
        for table, item in OPERATIONS[operation](body):
            name = table.rpartition("/")[2]  # an ARN is as good as the name
            if name in self.tables and item.keys() >= set(_key_names(name)):
                self.kept.note(name, _key(name, item))
        return send("dynamodb", call)

    def clear(self) -> None:
        """Delete every item of the template's tables."""
        for table in self.tables:
            start: Body = {}
            while True:
                page = dynamodb("Scan", TableName=table, **start)
                for item in page["Items"]:
                    self.kept.delete(table, _key(table, item))
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def refusal(kind: str, message: str) -> Response:
    """Return an error as DynamoDB answers it."""
    body = json.dumps({"__type": f"com.amazon.coral.service#{kind}", "message": message})
    return Response(body, 400, content_type="application/x-amz-json-1.0")


@cache
def _key_names(table: str) -> tuple[str, ...]:
    schema = dynamodb("DescribeTable", TableName=table)["Table"]["KeySchema"]
    return tuple(part["AttributeName"] for part in schema)


def forget_key_names() -> None:
    """Forget the tables' keys, because a table may have been made anew."""
    _key_names.cache_clear()


def _key(table: str, item: Body) -> str:
    return json.dumps({name: item[name] for name in _key_names(table)}, sort_keys=True)


def _read(table: str, key: str) -> Any:
    try:
        return dynamodb("GetItem", TableName=table, Key=json.loads(key)).get("Item")
    except RefusedError:  # a key that no item can have
        return None


def _write(table: str, key: str, item: Any) -> None:
    if item is None:
        dynamodb("DeleteItem", TableName=table, Key=json.loads(key))
    elif _key(table, item) == key:
        dynamodb("PutItem", TableName=table, Item=item)
    else:
        raise RefusedError("the table has another key than when this item was written")
