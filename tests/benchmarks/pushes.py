"""A push of 10,000 people of 100,000, and one of nobody, against the same calls to Vault CRM and no more.

Vault CRM is the sandbox, in a process of its own over loopback; the table is in memory and takes writes.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import requests

from muster.adapters.aws import roster_keys
from muster.adapters.aws.login_journal import LoginJournal
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.secrets import Secrets
from muster.adapters.vault.client import Vault
from muster.connections import checking
from muster.crm import engage_features, vql
from muster.crm.vault_fields import OBJECT
from muster.engage.ports import Ports
from muster.engage.steps import EngageTarget
from muster.pushes.pushing import Pushing
from muster.roster import engage_groups
from muster.roster.effects import indexed
from muster.roster.member import Member
from muster.roster.vault_state import VaultState
from muster.settings import Settings
from muster.settings.mappings import vault_fields_to_read
from muster.settings.versions import StoredSettings
from sandbox.vault_crm.setup_records import DOCUMENT_USER, ENGLISH, ENGLISH_US
from tests.benchmarks.canned_aws import CannedAws, _key
from tests.benchmarks.paired import Ratio

PEOPLE, PENDING = 100_000, 10_000
ROUNDS = 3
API = "/api/v26.1"
_ROOT = Path(__file__).parents[2]


class Table(CannedAws):
    """The roster's table: writes take effect, their conditions are taken to hold."""

    def _said(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "TransactWriteItems":
                for action in body["TransactItems"]:
                    if put := action.get("Put"):
                        self.store(put["Item"])
                        self.calls[f"items written: {put['Item']['sk']['S'].partition('#')[0].lower()}"] += 1
                return {}
            case "UpdateItem":
                return {"Attributes": {"epoch": {"N": "1"}}}
            case "Query" if "IndexName" in body:
                partition = body["ExpressionAttributeValues"][":pk"]["S"]
                found = [{"due": item["due"]} for item in self.due if item["pk"]["S"] == partition]
                return {"Items": found, "Count": len(found)}
            case "Query":
                return {"Items": [], "Count": 0}
            case "BatchGetItem":
                [(_, wanted)] = body["RequestItems"].items()
                self.calls["members read"] += len(wanted["Keys"])
        return super()._said(operation, body)

    @property
    def due(self) -> list[dict[str, Any]]:
        """The members that carry `due`, as the index has them; the asked-for ones are among the first."""
        return [item for key in self.asked if "due" in (item := self.items[key])]

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - set by whoever fills the table


@dataclass
class Archive:
    """A run archive in memory."""

    kept: dict[tuple[Any, ...], bytes] = field(default_factory=dict)

    def put(self, *place: Any) -> None:
        """Keep a part; the last argument is its body."""
        self.kept[place[:-1]] = place[-1]

    def put_document(self, *place: Any) -> None:
        """Keep a document; the last argument is its JSON."""
        self.put(*place[:-1], json.dumps(place[-1]).encode())


def whole(people: int = PEOPLE, pending: int = PENDING) -> Iterator[Ratio]:
    """Measure a push of some people, and a quiet one."""
    with _vault(people) as (vault, ids):
        work = _Work(vault, ids, pending)
        ratios, notes = [], ""
        for _ in range(ROUNDS):
            work.ask()
            before = vault.counts()
            ours = _seconds(work.push)
            notes = work.notes(vault.counts() - before)
            floor = _seconds(work.floor)
            ratios.append(ours / floor)
        yield Ratio(f"push of {pending:,} / the same calls to Vault CRM, cpu", ratios, None, notes)
        before = vault.counts()
        quiet = [_seconds(work.push) / floor for _ in range(ROUNDS)]
        yield Ratio(
            "push of nobody / the calls of the whole push", quiet, None, work.notes(vault.counts() - before)
        )


@dataclass
class _Sandbox:
    url: str
    username: str
    password: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.session.request(method, self.url + path, timeout=300, **options).json()

    def counts(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for each in self.call("GET", "/sandbox/requests"):
            found[f"{each['method']} {each['path'].rpartition('/')[2]}"] += each["count"]
        return found


class _Work:
    """The roster with everyone, and what either side does."""

    def __init__(self, vault: _Sandbox, ids: list[str], pending: int) -> None:
        self.vault, self.ids, self.pending = vault, ids, ids[:pending]
        host = vault.url.removeprefix("http://")
        document: dict[str, Any] = {
            "organization": "acme",
            "guard": {"floor": 1_000_000},
            "connections": {
                "vault_crm": {"host": host, "manage_features": ["engage"], "secret": "muster/acme/v"}
            },
        }
        self.settings = Settings.model_validate_json(json.dumps(document))
        client = boto3.client("dynamodb")
        self.table = Table(client)
        secret = json.dumps({"username": vault.username, "password": vault.password})
        shelf: Any = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": secret, "VersionId": "1"})
        connection = self.settings.connections.vault_crm
        assert connection
        archive: Any = Archive()
        crm = Vault(connection, Secrets(shelf, self.settings.organization), LoginJournal(client, "roster"))
        ports = Ports(
            RunTable(client, "roster"),
            archive,
            RosterTable(client, "roster"),
            crm,
            partial(checking.failed_push_checks, self.settings, crm),
            partial(crm.fields, OBJECT),
            lambda _: None,
        )
        stored = StoredSettings("acme", 1, document, "jane", "2026-11-01T00:00:00Z", "", "attempt")
        self.pushing = Pushing(
            stored,
            ports.of_runs,
            lambda clock: EngageTarget(ports, clock, stored.settings),
            lambda: datetime.now(UTC),
            lambda: 900.0,
        )
        self.turn = 0
        for each in ids:
            self.table.store(_item(_member(each)))

    def ask(self) -> None:
        """Have everyone who is pending ask for another group than before."""
        self.turn += 1
        self.table.asked = []
        for each in self.pending:
            member = roster_keys.to_member(
                self.table.items[_key(roster_keys.member_key("acme", f"member-{each}"))]
            )
            wished = engage_groups.request_group(member, engage_features.ENGAGE, f"G{self.turn % 2}")
            item = _item(replace(member, **wished))
            self.table.store(item)
            self.table.asked.append(_key(item))
        self.table.calls.clear()

    def push(self) -> None:
        """Push as the function does."""
        answer = self.pushing.start("bench")
        assert answer.status == "succeeded", answer.message

    def floor(self) -> None:
        """Ask for leave, read, write and read these people, with nothing decided or recorded."""
        form = {"username": self.vault.username, "password": self.vault.password}
        session = self.vault.call("POST", f"{API}/auth", data=form)["sessionId"]
        headers = {"Authorization": session}
        for path in ("objects/users/me", f"metadata/vobjects/{OBJECT}"):
            self.vault.call("GET", f"{API}/{path}", headers=headers)
        for reads in (True, False, True):
            for some in batched(self.pending, 200 if reads else 500, strict=False):
                if reads:
                    query = vql.select(vault_fields_to_read(self.settings), OBJECT, vql.one_of("id", some))
                    self.vault.call("POST", f"{API}/query", data={"q": query}, headers=headers)
                else:
                    # The same group again: Vault answers as long, and what the roster knows stays true.
                    group = f"G{self.turn % 2}"
                    records = [{"id": each, "engage_group_request__v": group} for each in some]
                    self.vault.call("PUT", f"{API}/vobjects/{OBJECT}", json=records, headers=headers)

    def notes(self, calls: Counter[str]) -> str:
        """Return what was called."""
        aws = ", ".join(f"{count:,} {name}" for name, count in sorted(self.table.calls.items()))
        self.table.calls.clear()
        ours = {name: count for name, count in calls.items() if not name.endswith("requests")}
        return "; ".join(filter(None, [", ".join(f"{count:,} {name}" for name, count in ours.items()), aws]))


def _item(member: Member) -> dict[str, Any]:
    return roster_keys.member_item(member, indexed(member))


def _member(vault_id: str) -> Member:
    return Member(
        id=f"member-{vault_id}",
        organization="acme",
        active=True,
        name="Ada Lovelace",
        crm={"vault_crm": {"id": vault_id, "username": None}},
        vault=VaultState(active=True),
        revision=1,
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@contextmanager
def _vault(people: int) -> Iterator[tuple[_Sandbox, list[str]]]:
    command = [sys.executable, "-m", "sandbox.vault_crm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as running:  # noqa: S603 - our own interpreter
        assert running.stdout
        facts = json.loads(running.stdout.readline())
        vault = _Sandbox(facts["url"], facts["username"], facts["password"])
        try:
            vault.call("PUT", "/sandbox/engage/settle", json={"delay_s": 0})
            vault.call("PUT", "/sandbox/burst", json={"limit": 1_000_000})
            # Everyone, and the user by whom Muster calls.
            vault.call("PUT", "/sandbox/licenses", json={"full_users": people + 1})
            for group in ("G0", "G1"):
                vault.call("PUT", f"/sandbox/engage/engage/groups/{group}", json={"licenses": people})
            form = {"username": vault.username, "password": vault.password}
            session = vault.call("POST", f"{API}/auth", data=form)["sessionId"]
            yield vault, _create(vault, session, people)
        finally:
            running.terminate()


def _create(vault: _Sandbox, session: str, people: int) -> list[str]:
    ids: list[str] = []
    for some in batched(range(people), 500, strict=False):
        users = [
            {
                "username__sys": f"ada{number}@acme.example",
                "email__sys": f"ada{number}@acme.example",
                "first_name__sys": "Ada",
                "last_name__sys": "Lovelace",
                "language__sys": ENGLISH,
                "locale__sys": ENGLISH_US,
                "timezone__sys": "europe_london__sys",
                "security_profile__sys": DOCUMENT_USER,
                "country_code__v": "GB",
                "user_type__v": "sales__v",
            }
            for number in some
        ]
        answer = vault.call(
            "POST", f"{API}/vobjects/{OBJECT}", json=users, headers={"Authorization": session}
        )
        ids += [entry["data"]["id"] for entry in answer["data"]]
    return ids
