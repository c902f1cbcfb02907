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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from muster.adapters.aws import roster_keys
from muster.crm import salesforce_ids
from muster.roster import salesforce_lifecycle, seats
from muster.roster.decisions import Known
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.assignment_order import filtered
from muster.settings.digests import settings_digest
from muster.settings.mappings import fields_to_read
from muster.sources.salesforce_users import change_of, digest

ROWS_A_PAGE = 2_000
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


class Company:
    """What is canned."""

    def __init__(self, host: str, users: int, changed: int) -> None:
        connection = {"host": host, "organization_id": ORGANIZATION_ID}
        self.document = {**DOCUMENT, "connections": {"salesforce": connection}}
        self.settings = Settings.model_validate_json(json.dumps(self.document))
        names = fields_to_read(self.settings)
        rows = [_row(number) for number in range(users)]
        self.filters = [
            [{"Id": row["Id"]} for row in rows if f"'{row['Department']}'" in condition]
            for condition in filtered(self.settings).values()
        ]
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.index: dict[str, list[dict[str, Any]]] = {}
        every = max(1, users // changed) if changed else users + 1
        for number, row in enumerate(rows):
            self._know(row, names, whole=number % every == 0)
            if number % every == 0:
                row["Title"] = "Changed"
                row["SystemModstamp"] = "2026-11-20T08:15:31.000+0000"
        self.pages = {"users": _pages("users", [_shown(row, names) for row in rows])}
        self.pages["logins"] = _pages("logins", [])  # nobody is frozen
        self.pages |= {str(n): _pages(str(n), each) for n, each in enumerate(self.filters)}
        self._store_state(len(rows))
        self.archive: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()

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
                roster_keys.member_item(member),
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
        item = roster_keys.member_item(member)
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

    def dynamodb(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        self.counts[f"dynamodb {operation}"] += 1
        match operation:
            case "GetItem":
                item = self.items.get((body["Key"]["pk"]["S"], body["Key"]["sk"]["S"]))
                return {"Item": item} if item else {}
            case "BatchGetItem":
                [(table, wanted)] = body["RequestItems"].items()
                keys = [(key["pk"]["S"], key["sk"]["S"]) for key in wanted["Keys"]]
                found = [self.items[key] for key in keys if key in self.items]
                self.counts["items read whole"] += sum("#MEMBER#" in item["pk"]["S"] for item in found)
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
                        self.counts[f"written: {kind or 'run'} {key['sk']['S'].partition('#')[0]}"] += 1
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


def _row(number: int) -> dict[str, Any]:
    department = ("Sales", "Support", "Kitchen", "Sales")[number % 4]
    crm_id = salesforce_ids.to_18(f"005{number:012d}")
    return {
        "Id": crm_id,
        "SystemModstamp": "2026-11-01T00:00:00.000+0000",
        "LastModifiedDate": "2026-11-01T00:00:00.000+0000",
        "IsActive": True,
        "FirstName": f"Ada {number}",
        "LastName": f"Lovelace {number}",
        "Username": f"ada.lovelace.{number}@acme.example.prod",
        "Email": f"ada.lovelace.{number}@acme.example",
        "CallCenterId": None,
        "Title": "Representative",
        "Phone": "+44 20 7946 0001",
        "MobilePhone": f"+44 7700 {number:06d}",
        "Extension": str(number % 1000),
        "LanguageLocaleKey": "en_GB",
        "LocaleSidKey": "en_GB",
        "TimeZoneSidKey": "Europe/London",
        "SmallPhotoUrl": "https://acme.file.force.com/profilephoto/005/T/" + crm_id,
        "ProfileId": "00e000000000003AAA",
        "UserRoleId": "00E000000000003AAA",
        "UserType": "Standard",
        "ManagerId": None,
        "Region__c": "EMEA",
        "Department": department,
    }


def _shown(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _pages(name: str, rows: list[dict[str, Any]]) -> list[bytes]:
    pages = []
    for start in range(0, len(rows), ROWS_A_PAGE):
        records = [
            {
                "attributes": {"type": "User", "url": f"/services/data/v66.0/sobjects/User/{row['Id']}"},
                **row,
            }
            for row in rows[start : start + ROWS_A_PAGE]
        ]
        page: dict[str, Any] = {"totalSize": len(rows), "done": start + ROWS_A_PAGE >= len(rows)}
        if not page["done"]:
            page["nextRecordsUrl"] = f"/services/data/v66.0/query/{name}-{start // ROWS_A_PAGE + 1}"
        pages.append(orjson.dumps({**page, "records": records}))
    return pages or [orjson.dumps({"totalSize": 0, "done": True, "records": []})]


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
        self.company.counts["s3 GetObject"] += 1
        return self._answer(self.company.archive[url.path], "application/json")

    def _page(self, path: str, soql: str) -> None:
        self.company.counts["salesforce query"] += 1
        if not soql:
            name, _, number = path.rpartition("/")[2].partition("-")
            return self._answer(self.company.pages[name][int(number)])
        conditions = filtered(self.company.settings).values()
        name = next((str(n) for n, each in enumerate(conditions) if each in soql), "users")
        name = "logins" if "FROM UserLogin" in soql else name
        return self._answer(self.company.pages[name][0])

    def _list(self, prefix: str) -> None:
        self.company.counts["s3 ListObjectsV2"] += 1
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
        self.company.counts["s3 PutObject"] += 1
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
        service, _, operation = self.headers["X-Amz-Target"].partition(".")
        if service == "secretsmanager":
            text = json.dumps({"client_id": "a", "client_secret": "b"})
            secret = {"SecretString": text, "VersionId": "1"}
            return self._answer(orjson.dumps(secret))
        return self._answer(orjson.dumps(self.company.dynamodb(operation, orjson.loads(body))))

    def _answer(self, body: bytes, kind: str = "application/json;charset=UTF-8") -> None:
        self.send_response(200)
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
