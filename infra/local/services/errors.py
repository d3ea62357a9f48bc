"""Errors of S3, in its XML."""

from html import escape

from werkzeug.wrappers import Response


class S3Error(Exception):
    """A request that S3 refuses, with its status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> Response:
        """Return the answer."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error>'
            f"<Code>{self.code}</Code><Message>{escape(str(self), quote=False)}</Message>"
            "<RequestId>local</RequestId></Error>"
        )
        return Response(body, self.status, content_type="application/xml")
