"""S3: moto's operations, uploads by a form, and which objects each of them changes."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Request, Response

from infra.local.pool.records import Journal
from infra.local.services import forms
from infra.local.services.backend import Call, send
from infra.local.services.errors import S3Error
from infra.local.services.kept import Kept

# What of an object's headers is kept with it.
KEPT = re.compile(
    r"(?i)content-(?:type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.*"
)
DATE = "%Y%m%dT%H%M%SZ"


@dataclass
class S3:
    """The service. `rules` are the CORS rules of the template's buckets."""

    journal: Journal
    rules: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kept = Kept("objects", self.journal, _read, _write)

    def serves(self, request: Request) -> bool:
        """Return whether a request is for S3: by its credentials, its path or its form.

        The local Cognito's own forms are never multipart.
        """
        scope = request.headers.get("Authorization", "") + request.args.get("X-Amz-Credential", "")
        by_path = _split(request.path)[0] in self.rules
        form = request.path != "/" and request.mimetype == "multipart/form-data"
        return by_path or form or "/s3/aws4_request" in scope

    def answer(self, request: Request) -> Response:
        """Answer a request, whose changes the journal then has."""
        bucket, key = _split(request.path)
        try:
            if request.method == "POST" and request.mimetype == "multipart/form-data" and not key:
                return self._upload(bucket, request)
            _check_credentials(request)
        except S3Error as error:
            return error.response()
        body = request.get_data()
        if bucket in self.rules and request.method not in ("GET", "HEAD"):
            for each in [key] if key else _listed(body):
                self.kept.note(bucket, each)
        return send(
            "s3",
            Call(
                request.method,
                quote(request.path),
                request.query_string.decode(),
                {name: value for name, value in request.headers if name != "Content-Length"},
                body,
            ),
        )

    def cors(self, request: Request, origin: str) -> dict[str, str]:
        """Return the headers that let a page read an answer, if a rule of the bucket does.

        The rule's origins are not compared: they are those of the cloud.
        """
        asked = request.headers.get("Access-Control-Request-Method", request.method)
        for rule in self.rules.get(_split(request.path)[0], []):
            if asked in rule.get("AllowedMethods", []):
                headers = {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethods"]),
                    "Access-Control-Allow-Headers": ", ".join(rule.get("AllowedHeaders", [])),
                    "Access-Control-Expose-Headers": ", ".join(rule.get("ExposedHeaders", [])),
                    "Access-Control-Max-Age": str(rule.get("MaxAge", "")),
                }
                return {name: value for name, value in headers.items() if value}
        return {}

    def clear(self) -> None:
        """Delete every object of the template's buckets."""
        for bucket in self.rules:
            for key in keys_in(bucket):
                self.kept.delete(bucket, key)

    def _upload(self, bucket: str, request: Request) -> Response:
        files = request.files.getlist("file")
        if len(files) != 1:
            text = "POST requires exactly one file upload per request."
            raise S3Error(400, "InvalidArgument", text)
        if bucket not in _buckets():
            raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist")
        fields = {name.lower(): value for name, value in request.form.items()}
        upload = forms.Upload(bucket, fields, files[0].filename or "", files[0].read())
        forms.check(upload, datetime.now(UTC))
        if bucket in self.rules:
            self.kept.note(bucket, upload.key)
        path = f"/{bucket}/{quote(upload.key)}"
        etag = send("s3", Call("PUT", path, headers=upload.headers, body=upload.body)).headers[
            "ETag"
        ]
        return _uploaded(upload, etag, f"{request.host_url.rstrip('/')}{path}")


def _uploaded(upload: forms.Upload, etag: str, location: str) -> Response:
    """Return the answer to an upload, of the kind that the form asks for."""
    headers = {"ETag": etag, "Location": location}
    target = upload.fields.get("success_action_redirect")
    if target and target.startswith(("http://", "https://")):
        mark = "&" if "?" in target else "?"
        query = urlencode({"bucket": upload.bucket, "key": upload.key, "etag": etag})
        return Response(status=303, headers={**headers, "Location": f"{target}{mark}{query}"})
    status = upload.fields.get("success_action_status")
    if status != "201":
        return Response(status=200 if status == "200" else 204, headers=headers)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>'
        f"<Location>{escape(location)}</Location><Bucket>{upload.bucket}</Bucket>"
        f"<Key>{escape(upload.key)}</Key><ETag>{escape(etag)}</ETag></PostResponse>"
    )
    return Response(body, 201, headers, content_type="application/xml")


def _check_credentials(request: Request) -> None:
    """Raise S3Error for a request without credentials, or with ones that have expired.

    The template's buckets are private. The signature isn't checked: any credentials are good here.
    """
    query = request.args
    if request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
        return
    if "X-Amz-Signature" not in query:
        raise S3Error(403, "AccessDenied", "Access Denied")
    try:
        made = datetime.strptime(query["X-Amz-Date"], DATE).replace(tzinfo=UTC)
        ends = made + timedelta(seconds=int(query["X-Amz-Expires"]))
    except (KeyError, OverflowError, ValueError):
        text = "Query-string authentication requires the date and the time of expiry."
        raise S3Error(400, "AuthorizationQueryParametersError", text) from None
    if datetime.now(UTC) >= ends:
        raise S3Error(403, "AccessDenied", "Request has expired")


def _split(path: str) -> tuple[str, str]:
    """Return the bucket and the key of a path."""
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def _listed(body: bytes) -> list[str]:
    """Return the keys in the body of a call that deletes several objects."""
    return [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", body.decode(errors="replace"))]


def _buckets() -> set[str]:
    body = send("s3", Call("GET")).get_data(as_text=True)
    return set(re.findall(r"<Bucket><Name>(.*?)</Name>", body))


def keys_in(bucket: str) -> list[str]:
    """Return the keys of a bucket's objects; none if there is no such bucket."""
    keys: list[str] = []
    while True:
        after = urlencode({"list-type": 2, "start-after": keys[-1] if keys else ""})
        page = _listed(send("s3", Call("GET", f"/{bucket}", after)).get_data())
        if not page:
            return keys
        keys += page


def _read(bucket: str, key: str) -> Any:
    answer = send("s3", Call("GET", f"/{bucket}/{quote(key)}"))
    if answer.status_code != 200:  # noqa: PLR2004
        return None
    headers = {name: value for name, value in answer.headers if KEPT.fullmatch(name)}
    return {"headers": headers, "body": base64.b64encode(answer.get_data()).decode()}


def _write(bucket: str, key: str, record: Any) -> None:
    path = f"/{bucket}/{quote(key)}"
    if record is None:
        send("s3", Call("DELETE", path))
    else:
        body = base64.b64decode(record["body"])
        send("s3", Call("PUT", path, headers=record["headers"], body=body))
