"""A SCIM app in memory, on the wire of `requests`: it answers as an app does, at next to no cost, and counts.

    with app.answering():        whoever uses `requests` in this process and calls its host reaches it
        …
    app.calls                    by method and endpoint
    app.requests                 as they were sent, to be sent again with nothing around them

It gives out ids in order: the same calls have the same effect in another one.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

HOST = "127.0.0.1:8004"
_BASE = "/scim/v2/"
_FILTER = re.compile(r'(\w+) eq "(.*)"')
_REMOVED = re.compile(r'members\[value eq "(.*)"\]')

type Body = dict[str, Any]
# Method, URL and body.
type Sent = tuple[str, str, bytes | None]


class CannedApp(BaseAdapter):
    """Users and groups by id, and a group's members."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Be as good as new."""
        self.kept: Mapping[str, dict[str, Body]] = {"Users": {}, "Groups": {}}
        self.members: dict[str, set[str]] = {}
        self.calls: Counter[str] = Counter()
        self.requests: list[Sent] = []

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer the calls to its host."""
        others = requests.Session.get_adapter

        def adapter(session: requests.Session, url: str) -> BaseAdapter:
            return self if urlsplit(url).netloc == HOST else others(session, url)

        with patch.object(requests.Session, "get_adapter", adapter):
            yield

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Answer a request."""
        method, url = str(request.method), str(request.url)
        data = request.body
        assert data is None or isinstance(data, bytes)
        self.requests.append((method, url, data))
        parts = urlsplit(url)
        kind, _slash, named = parts.path.removeprefix(_BASE).partition("/")
        self.calls[f"{method} {kind}"] += 1
        status, body = self._answer(method, kind, unquote(named), parts.query, data)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = status, request, url
        answer.headers["Content-Type"] = "application/scim+json"
        content = b"" if body is None else orjson.dumps(body)
        answer.raw = HTTPResponse(io.BytesIO(content), preload_content=False, status=status)
        return answer

    def close(self) -> None:
        """Nothing to close."""

    def _answer(
        self, method: str, kind: str, named: str, query: str, data: bytes | None
    ) -> tuple[int, Body | None]:
        there = self.kept[kind]
        match method:
            case "GET" if named:
                return (200, there[named]) if named in there else (404, None)
            case "GET":
                return 200, self._listed(kind, parse_qs(query))
            case "POST":
                made = orjson.loads(data or b"{}") | {"id": f"{kind[0].lower()}{len(there)}"}
                there[made["id"]] = made
                return 201, made
        for operation in orjson.loads(data or b"{}")["Operations"]:
            self._change(kind, named, operation)
        return 204, None

    def _listed(self, kind: str, query: Mapping[str, list[str]]) -> Body:
        rows = list(self.kept[kind].values())
        if "filter" in query:
            found = _FILTER.fullmatch(query["filter"][0])
            assert found
            rows = [row for row in rows if row.get(found[1]) == found[2]]
        start, count = int(query.get("startIndex", ["1"])[0]), int(query.get("count", ["100"])[0])
        return {"totalResults": len(rows), "Resources": rows[start - 1 : start - 1 + count]}

    def _change(self, kind: str, named: str, operation: Body) -> None:
        path = operation["path"]
        members = self.members.setdefault(named, set())
        if kind == "Users":
            self.kept[kind][named][path] = operation.get("value")
        elif removed := _REMOVED.fullmatch(path):
            members.discard(removed[1])
        else:
            members |= {each["value"] for each in operation["value"]}
