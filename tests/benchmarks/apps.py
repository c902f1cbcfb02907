"""What an app costs: everybody's first contact, one who changes, new members of a group, leavers, nobody.

The app and the table are in memory and answer at once: what is measured is what Muster does between calls.
It is compared with the very calls that were made, sent again with nothing decided or recorded.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import orjson
import requests

from muster.adapters.aws import roster_keys
from muster.adapters.aws.app_table import AppTable
from muster.adapters.aws.login_journal import LoginJournal
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.secrets import Secrets
from muster.adapters.scim.client import Scim
from muster.connections import checking
from muster.provisioning.ports import AppPorts
from muster.provisioning.steps import AppTarget
from muster.pushes.pushing import Pushing
from muster.roster.effects import indexed
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.versions import StoredSettings
from tests.benchmarks.canned_app import HOST, CannedApp, Sent
from tests.benchmarks.canned_aws import _key
from tests.benchmarks.paired import Ratio
from tests.benchmarks.pushes import Archive, Table

PEOPLE, TEAMS, SOME = 10_000, 20, 100
ROUNDS = 3
APP = "scim.app"


def whole(people: int = PEOPLE) -> Iterator[Ratio]:
    """Measure everybody's first contact, and what a roster that is in the app already costs."""
    app = CannedApp()
    with app.answering():
        work = _Work(app, people)
        first = work.measured(again=app.forget)
        alone = f"{people:,} members' first contact / its calls alone, cpu"
        yield Ratio(alone, [first.seconds / first.alone], None, first.notes(people))
        quiet = [work.measured() for _ in range(ROUNDS)]
        nobody = "push of nobody / the calls of the first contact alone, cpu"
        yield Ratio(nobody, [each.seconds / first.alone for each in quiet], None, quiet[-1].notes())
        for does, ids_of, fields in (
            ("one changed member", lambda _: range(1), lambda turn: {"title": f"Manager {turn}"}),
            (f"{SOME} new members of a group", work.newcomers, lambda _: {"assignment": "Team 0"}),
            (f"{SOME} leavers", work.newcomers, lambda _: {"active": False}),
        ):
            some = []
            for turn in range(ROUNDS):
                work.change(ids_of(turn), **fields(turn))
                some.append(work.measured())
            ratios = [each.seconds / other.seconds for each, other in zip(some, quiet, strict=True)]
            yield Ratio(f"{does} / push of nobody, cpu", ratios, None, some[-1].notes())


@dataclass(frozen=True, slots=True)
class _Measured:
    """One push: its processor time, that of its calls alone, and what was called."""

    seconds: float
    alone: float
    app: Counter[str]
    table: Counter[str]

    def notes(self, members: int = 1) -> str:
        """Return what was called: of the app, and of the table a member."""
        calls = ", ".join(f"{count:,} {name}" for name, count in sorted(self.app.items())) or "no call"
        table = {name: count / members for name, count in sorted(self.table.items())}
        # A member's share of what is done once a push is nothing.
        shown = [f"{count:.3g} {name}" for name, count in table.items() if members == 1 or count >= 0.05]
        return f"{calls}; table{' a member' if members > 1 else ''}: {', '.join(shown)}"


class _IndexedTable(Table):
    """The roster's table, with its indexes."""

    def __init__(self, *clients: Any) -> None:
        super().__init__(*clients)
        self.listed: dict[str, dict[str, dict[tuple[str, str], str]]] = {
            "by_due": defaultdict(dict),
            "by_state": defaultdict(dict),
        }

    def store(self, item: dict[str, Any]) -> None:
        """Have an item read from now on, where the indexes list it as well."""
        super().store(item)
        key = _key(item)
        for index, partitions in self.listed.items():
            partitions[key[0]].pop(key, None)
            if text := item.get(index.removeprefix("by_")):
                partitions[key[0]][key] = text["S"]

    def _said(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "Query" and "IndexName" in body:
            index = body["IndexName"]
            found = self.listed[index][body["ExpressionAttributeValues"][":pk"]["S"]].values()
            rows = [{index.removeprefix("by_"): {"S": text}} for text in found]
            return {"Items": rows, "Count": len(rows)}
        return super()._said(operation, body)


class _Work:
    """A roster, an app, and pushes from one to the other."""

    def __init__(self, app: CannedApp, people: int) -> None:
        self.app = app
        document: dict[str, Any] = {
            "organization": "acme",
            "guard": {"floor": 1_000_000},
            "connections": {"scim": {"app": {"host": HOST, "who": "everyone"}}},
        }
        settings = Settings.model_validate_json(json.dumps(document))
        client = boto3.client("dynamodb")
        self.table = _IndexedTable(client)
        said = {"SecretString": json.dumps({"token": "token"}), "VersionId": "1"}
        shelf: Any = SimpleNamespace(get_secret_value=lambda **_: said)
        ((_, connection),) = settings.connections.targets()
        secrets = Secrets(shelf, settings.organization)
        scim = Scim(connection, secrets, LoginJournal(client, "roster"))  # type: ignore[arg-type]  # it is
        archive: Any = Archive()
        ports = AppPorts(
            RunTable(client, "roster"),
            archive,
            RosterTable(client, "roster"),
            AppTable(client, "roster"),
            scim,
            partial(checking.failed_app_checks, connection, scim),
        )
        stored = StoredSettings("acme", 1, document, "jane", "2026-11-01T00:00:00Z", "", "attempt")
        self.pushing = Pushing(
            stored,
            ports.of_runs,
            lambda clock: AppTarget(ports, clock, stored.settings, connection),
            lambda: datetime.now(UTC),
            lambda: 900.0,
            app=APP,
        )
        self.people = people
        joining = range(people - ROUNDS * SOME, people)
        for number in range(people):
            self._store(_member(number, None if number in joining else f"Team {number % TEAMS}"))

    def push(self) -> None:
        """Push as the function does."""
        answer = self.pushing.start("bench")
        assert answer.status == "succeeded", answer.message

    def newcomers(self, turn: int) -> range:
        """Return a hundred who are in no group until they join one."""
        return range(self.people - (turn + 1) * SOME, self.people - turn * SOME)

    def change(self, numbers: range, **fields: Any) -> None:
        """Have members change as an import does."""
        for number in numbers:
            item = self.table.items[_key(roster_keys.member_key("acme", _id(number)))]
            self._store(replace(roster_keys.to_member(item), changed_for=(APP,), **fields))

    def measured(self, again: Callable[[], None] = lambda: None) -> _Measured:
        """Push, and send the same calls again, after what `again` does."""
        for counted in (self.app.calls, self.app.requests, self.table.calls):
            counted.clear()
        seconds = _seconds(self.push)
        calls, table, sent = Counter(self.app.calls), Counter(self.table.calls), list(self.app.requests)
        again()
        return _Measured(seconds, _seconds(partial(_send, sent)), calls, table)

    def _store(self, member: Member) -> None:
        self.table.store(roster_keys.member_item(member, indexed(member)))


def _send(requests_: list[Sent]) -> None:
    """Send calls, and read the answers."""
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Authorization": "Bearer token", "Content-Type": "application/scim+json"})
    for method, url, body in requests_:
        answer = session.request(method, url, data=body, timeout=30)
        if answer.content:
            orjson.loads(answer.content)


def _member(number: int, team: str | None) -> Member:
    address = f"ada.lovelace.{number}@acme.example"
    return Member(
        id=_id(number),
        organization="acme",
        active=True,
        first_name=f"Ada {number}",
        last_name=f"Lovelace {number}",
        name=f"Ada Lovelace {number}",
        email=address,
        username=address,
        title="Representative",
        phone_numbers={"other": "+44 20 7946 0001", "mobile": f"+44 7700 {number:06d}"},
        locale="en_GB",
        language="en_GB",
        time_zone="Europe/London",
        crm={"salesforce": {"id": f"005{number:012d}", "username": address}},
        assignment=team,
        changed_for=(APP,),
        version=1,
        revision=1,
    )


def _id(number: int) -> str:
    return f"member-{number:06d}"


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
