"""A company of any size behind one address: Salesforce's queries and the AWS calls of an import, canned.

Run as a process of its own, so that its time and memory are nobody's but its own:

    python -m tests.benchmarks.canned_company <users> <changed>

Prints its address. The roster knows every user; of `changed` ones the title has changed since. Reads
of the roster are answered from what the users were; writes are taken, counted and not applied.
`GET /counts` answers what was called, and `POST /counts` forgets it.
"""

import json
import re
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from muster.adapters.aws import roster_keys
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Known
from muster.roster.effects import indexed
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.settings.mappings import fields_to_read
from muster.sources.salesforce_users import change_of, digest
from tests.benchmarks.canned_salesforce import SINCE, CannedSalesforce, RefusedError, user

# DynamoDB answers a query in pages of at most 1 MB.
INDEX_ITEMS_A_PAGE = 8_000
THEN = datetime(2026, 11, 1, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "auto_provision": {"require_call_center": False, "custom_fields": ["Region__c"]},
    "seats": {"gong": {}, "forecast": {"limit": 1_000_000, "requires": ["gong"]}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [
        {
            "name": "Field sales",
            "filter": "Department = 'Sales'",
            "seats": ["gong", "forecast"],
            "workspaces": {"EMEA": "Team member"},
            "data_capture": {"record_web_conferences": "enabled"},
        },
        {"name": "Support", "filter": "Department = 'Support'", "seats": ["gong"]},
        {"name": "Everyone else"},
    ],
}
ORGANIZATION_ID = "00D000000000062EAA"


def settings_at(host: str) -> Settings:
    """Return the settings under which the company's address is that of its Salesforce."""
    return Settings.model_validate_json(json.dumps(_document(host)))


def _document(host: str) -> dict[str, Any]:
    return {**DOCUMENT, "connections": {"salesforce": {"host": host, "organization_id": ORGANIZATION_ID}}}


class Company:
    """What is canned."""

    def __init__(self, host: str, users: int, changed: int) -> None:
        self.document = _document(host)
        self.settings = settings_at(host)
        names = fields_to_read(self.settings)
        rows = [user(number) for number in range(users)]
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.index: dict[str, list[dict[str, Any]]] = {}
        every = users // changed if changed else 0
        for number, row in enumerate(rows):
            changes = changed > 0 and number % every == 0 and number < changed * every
            self._know(row, names, whole=changes)
            if changes:
                row |= {"Title": "Changed", "SystemModstamp": SINCE}
        self.salesforce = CannedSalesforce(rows, self.settings)
        self._store_state(len(rows))
        self.archive: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self._counting = threading.Lock()

    def _know(self, row: dict[str, Any], names: tuple[str, ...], *, whole: bool) -> None:
        """Have the roster know a user: the index all of them, the table those who will change."""
        name = {"Sales": "Field sales", "Support": "Support"}.get(row["Department"])
        matches = frozenset({name} if name else set())
        change = change_of(row, names, matches, self.settings, THEN, "run:before")
        if whole:
            decision = salesforce_lifecycle.decide(
                replace(change, in_loop=False), Known(), self.settings, {}, THEN
            )
            assert decision.after
            assert decision.link
            member = replace(decision.after, revision=1)
            for item in (
                roster_keys.member_item(member, indexed(member)),
                roster_keys.link_item("acme", replace(decision.link, revision=1), None),
            ):
                self.items[item["pk"]["S"], item["sk"]["S"]] = item
        else:
            member = Member(
                id=f"{row['Id']}-member",
                organization="acme",
                active=True,
                crm={"salesforce": {"id": row["Id"]}},
                digest=digest(change.fields_digest, change.matches, None),
            )
        item = roster_keys.member_item(member, indexed(member))
        shown = {key: item[key] for key in ("pk", "sk", "state")}
        self.index.setdefault(item["pk"]["S"], []).append(shown)

    def _store_state(self, rows: int) -> None:
        document = {
            "settings": self.document,
            "by": "jane",
            "at": "2026-11-01T00:00:00Z",
            "why": "",
            "attempt": "a",
        }
        self.items["ORG#acme", "SETTINGS"] = {
            "pk": {"S": "ORG#acme"},
            "sk": {"S": "SETTINGS"},
            "version": {"N": "1"},
            "doc": {"S": json.dumps(document)},
        }
        state = {
            "watermark": "2026-11-01T00:00:00.000Z",
            "rows": rows,
            "evaluated_with": settings_digest(self.settings),
        }
        self.items["ORG#acme", "IMPORT"] = {
            "pk": {"S": "ORG#acme"},
            "sk": {"S": "IMPORT"},
            "doc": {"S": json.dumps(state)},
        }
        for seat in self.settings.seats:
            key = roster_keys.seat_key("acme", seat)
            self.items[key["pk"]["S"], key["sk"]["S"]] = {
                **key,
                "used": {"N": str(rows)},
                "waiting": {"N": str(seats.Pool().waiting)},
            }

    # ── DynamoDB ─────────────────────────────────────────────────────────────────────────────────

    def count(self, what: str, times: int = 1) -> None:
        """Count a call; calls come side by side."""
        with self._counting:
            self.counts[what] += times

    def dynamodb(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        self.count(f"dynamodb {operation}")
        match operation:
            case "GetItem":
                item = self.items.get((body["Key"]["pk"]["S"], body["Key"]["sk"]["S"]))
                return {"Item": item} if item else {}
            case "BatchGetItem":
                [(table, wanted)] = body["RequestItems"].items()
                keys = [(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]
                found = [self.items[key] for key in keys if key in self.items]
                self.count("items read whole", sum("#MEMBER#" in item["pk"]["S"] for item in found))
                return {"Responses": {table: found}, "UnprocessedKeys": {}}
            case "Query":
                return self._query(body)
            case "UpdateItem":
                return {"Attributes": {"epoch": {"N": "1"}, "until": {"N": "9999999999"}}}
            case "TransactWriteItems":
                for action in body["TransactItems"]:
                    [(verb, what)] = action.items()
                    key = what.get("Item") or what["Key"]
                    kind = re.sub(r"#.*", "", key["pk"]["S"].removeprefix("ORG#acme").lstrip("#")) or "run"
                    if verb != "ConditionCheck":
                        self.count(f"written: {kind} {key['sk']['S'].partition('#')[0]}")
        return {}

    def _query(self, body: dict[str, Any]) -> dict[str, Any]:
        partition = body["ExpressionAttributeValues"][":pk"]["S"]
        if body.get("IndexName") != "by_state":
            return {"Items": [], "Count": 0}  # nobody is due
        start = int(body.get("ExclusiveStartKey", {}).get("n", {}).get("N", 0))
        items = self.index.get(partition, [])[start : start + INDEX_ITEMS_A_PAGE]
        if body.get("ProjectionExpression") == "#state":
            items = [{"state": item["state"]} for item in items]
        answer: dict[str, Any] = {"Items": items, "Count": len(items)}
        if start + INDEX_ITEMS_A_PAGE < len(self.index.get(partition, [])):
            answer["LastEvaluatedKey"] = {"n": {"N": str(start + INDEX_ITEMS_A_PAGE)}}
        return answer


class Door(BaseHTTPRequestHandler):
    """Answers over HTTP."""

    protocol_version = "HTTP/1.1"
    # One packet an answer, or each would wait for an acknowledgement.
    wbufsize = 1 << 20
    disable_nagle_algorithm = True
    company: Company

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        """Say at once that a body may come."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/counts":
            return self._answer(orjson.dumps(dict(self.company.counts)))
        if url.path.startswith("/services/data/"):
            return self._page(url.path, parse_qs(url.query).get("q", [""])[0])
        query = parse_qs(url.query)
        if "list-type" in query:
            return self._list(query["prefix"][0])
        self.company.count("s3 GetObject")
        return self._answer(self.company.archive[url.path], "application/json")

    def _page(self, path: str, query: str) -> None:
        self.company.count("salesforce query")
        if not query:
            return self._answer(self.company.salesforce.further_page(path.rpartition("/")[2]))
        try:
            return self._answer(self.company.salesforce.pages_of(query)[0])
        except RefusedError as error:
            refusal = [{"errorCode": "MALFORMED_QUERY", "message": str(error)}]
            return self._answer(orjson.dumps(refusal), status=HTTPStatus.BAD_REQUEST)

    def _list(self, prefix: str) -> None:
        self.company.count("s3 ListObjectsV2")
        keys = sorted(path.removeprefix("/archive/") for path in self.company.archive)
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>1</Size></Contents>"
            for key in keys
            if key.startswith(prefix) and "/" not in key.removeprefix(prefix)
        )
        found = f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        self._answer(found.encode(), "application/xml")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "aws-chunked":
            size, _, rest = body.partition(b"\r\n")
            body = rest[: int(size.split(b";")[0], 16)]
        self.company.count("s3 PutObject")
        self.company.archive[urlsplit(self.path).path] = body
        self._answer(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/counts":
            self.company.counts.clear()
            self.company.archive.clear()
            return self._answer(b"{}")
        if self.path == "/services/oauth2/token":
            host = self.headers["Host"]
            granted = {
                "access_token": "token",
                "instance_url": f"http://{host}",
                "id": f"http://{host}/id/{ORGANIZATION_ID}/005000000000001AAA",
                "token_type": "Bearer",
                "issued_at": "0",
            }
            return self._answer(orjson.dumps(granted))
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if not service:
            return self._answer(b"[]", status=HTTPStatus.NOT_FOUND)
        if service == "secretsmanager":
            text = json.dumps({"client_id": "a", "client_secret": "b"})
            secret = {"SecretString": text, "VersionId": "1"}
            return self._answer(orjson.dumps(secret))
        return self._answer(orjson.dumps(self.company.dynamodb(operation, orjson.loads(body))))

    def _answer(
        self,
        body: bytes,
        kind: str = "application/json;charset=UTF-8",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until standard input ends."""
    users, changed = map(int, sys.argv[1:3])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Door.company = Company(f"127.0.0.1:{server.server_port}", users, changed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
