"""What each version stored is read by this one, every value of it: an upgrade loses nothing.

`tests/integration/stored` has the files of each version, and in `values.py` what they say.
"""

import json
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import MISSING, fields, replace
from itertools import batched
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import scheduled_import
from muster.adapters.aws import change_queue, roster_keys
from muster.adapters.aws.mail_outbox import MailOutbox
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.roster_views import RosterViews
from muster.adapters.aws.run_archive import RunArchive
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.settings_table import SettingsTable
from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
from muster.adapters.aws.webhook_journal import WebhookJournal
from muster.adapters.aws.webhook_registry import WebhookRegistry
from muster.connections.quarantine import Health
from muster.engage import push_items
from muster.errors import Stale
from muster.imports import plan_items
from muster.imports.manager_mails import PendingMail
from muster.lease import LeaseHeld
from muster.roster.decisions import Wanted
from muster.roster.effects import indexed
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.roster.links import keys_of, match_keys
from muster.roster.seats import Pool
from muster.sources.member_states import MemberState
from tests.integration.stored import write
from tests.integration.stored.roster_values import (
    ADA,
    ATTEMPT,
    BOB,
    CLEO,
    DAN,
    GRACE,
    IMPORT,
    NOW,
    ORGANIZATION,
    PUSH,
)
from tests.integration.stored.values import WRITTEN_BY, Stored, as_json

VERSIONS = sorted(folder.name for folder in write.HERE.iterdir() if (folder / "table.json").exists())
SECONDS = NOW.timestamp()


class Left:
    """What a version has left behind, in the table and the bucket of this one; `values` is what it was."""

    def __init__(self, version: str, aws: SimpleNamespace) -> None:
        self.values: Stored = WRITTEN_BY[version]
        self._folder = write.HERE / version
        self.items: list[Any] = self.file("table.json")
        for some in batched(self.items, 25, strict=False):
            aws.dynamodb.batch_write_item(
                RequestItems={"roster": [{"PutRequest": {"Item": item}} for item in some]}
            )
        for key, body in self.file("archive.json").items():
            aws.s3.put_object(Bucket="archive", Key=key, Body=body.encode())
        self.roster = RosterTable(aws.dynamodb, "roster")
        self.views = RosterViews(aws.dynamodb, "roster")
        self.runs = RunTable(aws.dynamodb, "roster")
        self.settings = SettingsTable(aws.dynamodb, "roster")
        self.outbox = MailOutbox(aws.dynamodb, "roster")
        self.journal = WebhookJournal(aws.dynamodb, "roster")
        self.registry = WebhookRegistry(aws.dynamodb, "roster")
        self.archive = RunArchive(aws.s3, "archive")
        self.holders = UnlinkedHolderTable(aws.dynamodb, "roster")

    def file(self, name: str) -> Any:
        """Return one of the version's files."""
        return json.loads((self._folder / name).read_text())

    def item(self, sort_key: str) -> Any:
        """Return the one item with that sort key, as it was written."""
        [found] = [item for item in self.items if item["sk"]["S"] == sort_key]
        return found


@pytest.fixture(params=VERSIONS)
def left(request: pytest.FixtureRequest, aws: SimpleNamespace) -> Left:
    return Left(request.param, aws)


# ── The roster ───────────────────────────────────────────────────────────────────────────────────────


def test_members(left: Left) -> None:
    expected = {member.id: member for member in left.values.members}
    assert left.roster.members(ORGANIZATION, expected) == expected
    found = {member.id: member for member in left.views.everyone(ORGANIZATION, active=None)}
    assert found == {name: replace(member, revision=0) for name, member in expected.items()}


def test_a_member_that_is_written_again_is_the_same_byte_for_byte(left: Left) -> None:
    for member in left.roster.members(ORGANIZATION, ["ada", "bob", "grace"]).values():
        assert roster_keys.member_item(member, indexed(member)) == left.item(f"MEMBER#{member.id}")


def test_history(left: Left) -> None:
    for member in ("ada", "bob", "grace"):
        entries = [as_json(entry) for entry in left.values.history if entry.member == member]
        for entry in entries:
            # Without a reason, none is stored.
            assert entry.pop("why") is None
        assert left.views.history(ORGANIZATION, member, 10, None) == (entries[::-1], None)


def test_the_error_log(left: Left) -> None:
    newest_first = [as_json(entry) for entry in left.values.errors[::-1]]
    for entry in newest_first:
        # Without a member, none is stored.
        assert entry.pop("member") is None
    assert list(left.views.error_log(ORGANIZATION)) == newest_first


def test_links(left: Left) -> None:
    assert [left.views.link(ORGANIZATION, link.crm_id) for link in left.values.links] == list(
        left.values.links
    )


def test_whoever_is_known_is_recognised(left: Left) -> None:
    wanted = {
        ADA: Wanted(manager=GRACE),
        CLEO: Wanted(match_keys=match_keys("cleo@acme.example", "Ada.Lovelace@acme.example")),
        DAN: Wanted(match_keys=match_keys("BOB@acme.example", None)),
    }
    known = left.roster.gather(ORGANIZATION, wanted)
    assert (known[ADA].member, known[ADA].manager) == (left.values.members[0], "grace")
    assert [each.id for each in known[CLEO].namesakes] == ["ada"]
    assert [each.id for each in known[DAN].namesakes] == ["bob"]
    for member in left.values.members:
        for key in keys_of(member):
            assert left.views.matching(ORGANIZATION, (key,)) == [member.id]


def test_who_waits_for_an_address(left: Left) -> None:
    [waits] = left.roster.waiting(ORGANIZATION, ["email#ada.lovelace@acme.example"])
    assert waits.crm_id == CLEO


def test_what_the_index_tells_imports(left: Left) -> None:
    assert sorted(left.roster.states(ORGANIZATION)) == [
        MemberState(ADA, "ada", "00112233.44556677", True, "2026-11-19T08:15:31.000Z", "10042", "8899aabb"),
        MemberState(BOB, "bob", "", False, "", "10043", "", "2026-11-20T08:15:42.000Z"),
        MemberState(GRACE, "grace", "", True),
    ]


def test_what_the_index_tells_pushes_and_imports(left: Left) -> None:
    what = frozenset({"engage_connect", "engage", "user_status", "align", "evaluation", "scim.gong"})
    assert list(left.roster.due(ORGANIZATION, NOW.date())) == [("ada", Due("", what))]


def test_seats_and_lines(left: Left) -> None:
    pools = left.roster.pools(ORGANIZATION, ["gong", "forecast"])
    assert pools == {"gong": Pool(used=1), "forecast": Pool(waiting=1)}
    assert left.roster.line(ORGANIZATION, "forecast", 10) == ["ada"]


def test_lines_for_licences(left: Left) -> None:
    place = Place("engage", "UK Field Force", "2026-11-20T08:10:00.000Z", "2026-11-20T08:14:00.000Z")
    freed = {("engage", "UK Field Force"): 1}
    assert left.roster.licence_lines(ORGANIZATION) == ([("ada", place)], freed)


def test_newcomers_and_mails(left: Left) -> None:
    run = left.values.runs[0].id
    assert left.outbox.newcomers(ORGANIZATION) == {"grace": SECONDS}
    assert left.outbox.mails(ORGANIZATION) == [PendingMail(run, "grace", 2, ("ada", "bob"), SECONDS)]
    assert left.outbox.has_recorded_team(ORGANIZATION, "grace")


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────


def test_runs(left: Left) -> None:
    assert left.runs.runs(ORGANIZATION, 100, None) == (list(left.values.runs[::-1]), None)
    first = left.values.runs[0]
    assert left.runs.run(ORGANIZATION, first.id) == first


def test_only_a_run_that_has_not_ended_is_changed(left: Left) -> None:
    for run in left.values.runs:
        left.runs.save_without_lease(replace(run, message="changed"), run.status)
    lease = left.runs.take(ORGANIZATION, left.values.leased_by, SECONDS, 60)
    for run in left.values.runs:
        with pytest.raises(Stale) if run.status.ended else nullcontext():
            left.runs.save(run, lease)


def test_a_run_at_work_goes_on_having_the_lease(left: Left) -> None:
    assert left.runs.holder(ORGANIZATION, SECONDS + write.LEASED_S - 1) == left.values.leased_by
    with pytest.raises(LeaseHeld):
        left.runs.take(ORGANIZATION, "another", SECONDS, 60)
    assert left.runs.take(ORGANIZATION, "another", SECONDS + write.LEASED_S, 60).epoch == 3


def test_what_imports_remember(left: Left) -> None:
    assert left.runs.state(ORGANIZATION) == left.values.state


def test_users_of_vault_crm_with_a_group_who_are_linked_to_nobody(left: Left) -> None:
    expected = {holder.id: holder for holder in left.values.holders}
    assert left.holders.holders(ORGANIZATION) == expected


def test_how_connections_do(left: Left) -> None:
    found = {name: Health(**left.runs.health(ORGANIZATION, name)) for name in left.values.health}
    assert found == left.values.health


def test_a_plan_of_an_import(left: Left) -> None:
    part = left.archive.part(ORGANIZATION, IMPORT, ATTEMPT, "plan", 1)
    assert plan_items.read(part) == list(left.values.import_plan)
    assert plan_items.written(plan_items.read(part)) == part


def test_an_import_that_was_under_way_is_finished(left: Left, context: LambdaContext) -> None:
    summary, before = left.values.import_summary, left.values.state
    said = scheduled_import.handler({"organization": ORGANIZATION, "run_id": IMPORT}, context)
    assert (said["status"], said["read"]) == ("succeeded_with_errors", summary["read"])
    assert said["seats"] == summary["seats"]
    assert said["vault_crm"] == {
        name: summary["vault_crm"][name] for name in ("read", "unlinked", "ambiguous")
    }
    run = left.runs.run(ORGANIZATION, IMPORT)
    assert run is not None
    # The import looks into Align too, which nobody answers for here.
    assert run.errors == left.values.runs[1].errors + summary["noticed"] + 1
    after, vault = left.runs.state(ORGANIZATION), summary["vault_crm"]
    assert after == replace(
        before,
        salesforce=replace(
            before.salesforce,
            watermark=summary["newest"],
            rows=summary["read"],
            decided_with=summary["evaluated_with"],
        ),
        active=summary["active"],
        full_run=IMPORT,
        completed_at=after.completed_at,
        vault_crm=replace(after.vault_crm, watermark=vault["newest"], rows=vault["read"]),
    )


def test_a_plan_of_a_push(left: Left) -> None:
    part = left.archive.part(ORGANIZATION, PUSH, ATTEMPT, "plan", 1)
    assert push_items.read(part) == list(left.values.push_plan)
    assert push_items.written(push_items.read(part)) == part


# ── Settings and webhook ─────────────────────────────────────────────────────────────────────────────


def test_settings_and_their_history(left: Left) -> None:
    assert left.settings.current(ORGANIZATION) == left.values.settings[-1]
    assert left.settings.versions(ORGANIZATION, 10) == list(left.values.settings[::-1])


def test_settings_mean_what_they_meant(left: Left) -> None:
    """Also where a key is left out: another default would change what organizations do that never asked."""
    meant = left.file("settings_meant.json")
    for number, expected in enumerate(meant, 1):
        version = left.settings.version(ORGANIZATION, number)
        assert version is not None
        lost = list(_lost(expected, version.settings.model_dump(mode="json")))
        assert not lost, lost


def _lost(expected: Any, found: Any, at: str = "settings") -> Iterable[str]:
    """Yield where `found` lacks or contradicts what is expected; keys that are new are fine."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from _lost(value, found.get(key, MISSING), f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _lost(one, other, f"{at}[{number}]")
    elif expected != found:
        yield f"{at}: {expected!r} is now {found!r}"


def test_what_the_schedules_go_by(left: Left) -> None:
    assert left.runs.organizations() == [ORGANIZATION]
    assert left.settings.schedules_follow(left.values.settings[-1].settings)


def test_who_may_call_the_webhook(left: Left) -> None:
    assert left.registry.find(ORGANIZATION) == left.values.registration


def test_the_webhooks_set_up_and_its_last_message(left: Left) -> None:
    assert left.journal.setup(ORGANIZATION) == left.values.setup
    assert left.journal.received_at(ORGANIZATION) == "2026-11-20T08:14:00Z"
    # Where another version wrote the same in other words, it can be replaced all the same.
    left.journal.replace(ORGANIZATION, left.values.setup, left.values.setup)


def test_messages_on_the_queue(left: Left) -> None:
    assert [change_queue.decode(body) for body in left.file("queue.json")] == [left.values.message]


# ── This version ─────────────────────────────────────────────────────────────────────────────────────


def test_this_version_writes_what_is_in_its_files(aws: SimpleNamespace) -> None:
    """Where it is meant to write something else: raise the version, and see `stored/__main__.py`."""
    stored = WRITTEN_BY[write.VERSION]
    write.write(stored, aws.dynamodb, aws.s3)
    for name, text in write.files(stored, aws.dynamodb, aws.s3).items():
        assert text == (write.HERE / write.VERSION / name).read_text(), name


def test_no_attribute_of_what_is_stored_is_left_at_its_default() -> None:
    """Or it would be lost, and the tests above would not see it."""
    stored = WRITTEN_BY[write.VERSION]
    kinds = {
        "members": stored.members,
        "links": stored.links,
        "runs": stored.runs,
        "state": [stored.state],
        "health": stored.health.values(),
        "tokens": stored.registration.tokens,
        "setup": [stored.setup],
        "sendings": stored.push_plan,
        "changes": [item.change for item in stored.import_plan],
        "holders": stored.holders,
    }
    unset = [f"{kind}: {name}" for kind, values in kinds.items() for name in _always_default(values)]
    assert not unset


def _always_default(values: Iterable[Any]) -> Iterable[str]:
    """Yield the attributes that no value sets."""
    all_of_them = list(values)
    for kind in {type(value) for value in all_of_them}:
        some = [value for value in all_of_them if isinstance(value, kind)]
        for field in fields(kind):
            default = field.default if field.default is not MISSING else None
            default = field.default_factory() if field.default_factory is not MISSING else default
            if all(getattr(value, field.name) == default for value in some):
                yield field.name
