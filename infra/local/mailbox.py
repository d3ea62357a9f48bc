"""The mailbox: a page for people, and the same as JSON for programs."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from werkzeug.wrappers import Response

from infra.local.outbox import Outbox

PAGE = Path(__file__).with_name("mailbox.html")

# No CORS header among them: a page from elsewhere can't read the codes.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _page() -> tuple[str, str]:
    """Return the page and its policy, which allows its own script and style by their hashes."""
    html = PAGE.read_text("utf-8")
    policy = ["default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'"]
    policy += ["form-action 'none'", "frame-ancestors 'none'"]
    for element in ("script", "style"):
        inline = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        digests = [hashlib.sha256(text.encode()).digest() for text in inline]
        sources = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
        policy.append(f"{element}-src {sources}")
    return html, "; ".join(policy)


def page() -> Response:
    """Return the mailbox page, which asks `/outbox` for the e-mails by itself."""
    html, policy = _page()
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return Response(html, headers=headers, content_type="text/html; charset=utf-8")


def outbox(mails: Outbox) -> Response:
    """Return every e-mail as JSON, newest last."""
    text = json.dumps(mails.to_json())
    return Response(text, headers=HEADERS, content_type="application/json")
