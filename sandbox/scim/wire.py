"""Between HTTP and what the quirks see."""

from contextlib import suppress
from typing import Any

import orjson
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from sandbox.scim.protocol import BASE, Answer, Call
from sandbox.scim.quirks import Quirks

_BOM = b"\xef\xbb\xbf"


def read_call(request: Request, path: str) -> Call:
    """Return the call that a request makes; `path` is what follows the base, decoded."""
    endpoint, _, rest = path.strip("/").partition("/")
    raw = request.get_data()
    body: Any = None
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(raw)
    return Call(
        method=request.method,
        endpoint=endpoint,
        id=rest or None,
        query=request.args.to_dict(),
        headers=Headers(list(request.headers.items())),
        body=body,
        raw=raw,
        base_url=f"{request.host_url.rstrip('/')}{BASE}",
    )


def sent(answer: Answer, quirks: Quirks, *, as_admin: bool = False) -> Response:
    """Return an answer as it goes over the wire."""
    match answer.body:
        case None:
            body = b""
        case str():
            body = answer.body.encode()
        case _:
            body = orjson.dumps(answer.body)
    if quirks.bom and body and not as_admin:
        body = _BOM + body
    response = Response(body, answer.status, headers=answer.headers, content_type=answer.content_type)
    if not body:
        response.content_type = ""  # which `app` leaves out
    return response
