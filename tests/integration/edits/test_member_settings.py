"""MemberSettingsFunction, on a real table whose members real imports keep: what admins and managers edit."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest

import member_settings
import scheduled_import
from muster import bootstrap
from muster.errors import Unavailable
from muster.roster.finding import find
from muster.roster.member import Member
from muster.roster.seats import HELD_SEAT, Pool
from tests.integration import beginnings
from tests.integration.beginnings import Built, Connected, begin
from tests.integration.company import store, table
from tests.integration.edits.acme import break_second_write, lose_answers, meanwhile, wheres
from tests.integration.pasted import events_for, pasted

SETTINGS = {
    "organization": "acme",
    "auto_provision": {"require_call_center": False},
    "seats": {"gong": {"limit": 5}, "forecast": {"limit": 1, "requires": ["gong"]}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [
        {
            "name": "Sales",
            "filter": "Department = 'Sales'",
            "seats": ["gong"],
            "workspaces": {"EMEA": "Team member"},
            "data_capture": {
                "record_web_conferences": "enabled",
                "import_emails": {"field": "Title", "map": {"Rep": "enabled"}},
            },
        },
        {
            "name": "Support",
            "filter": "Department = 'Support'",
            "update_mode": "manual",
            "seats": ["gong"],
            "data_capture": {"record_web_conferences": "prevented"},
        },
    ],
    "managers": {"may_toggle_capture": True},
}


@dataclass
class Acme(beginnings.Acme):
    """The organization: Ada (automatic) and Bob, Cy (manual) report to Grace, Eve to nobody; Zoe has left."""

    crm_ids: dict[str, str] = field(default_factory=dict)

    def put(self, **sections: Any) -> None:
        """Store settings with these sections changed."""
        document = {**SETTINGS, "connections": {"salesforce": self.salesforce.connection}, **sections}
        store(document)

    def edit(self, *changes: Any, **event: Any) -> dict[str, Any]:
        """Invoke the function, by default as Jane, an admin; every change names its member by first name."""
        named = [
            {**change, "member": f"{change['member']}@acme.example"} if isinstance(change, dict) else change
            for change in changes
        ]
        asked = {"organization": "acme", "by": "jane@acme.example", "changes": named, **event}
        said: dict[str, Any] = json.loads(json.dumps(member_settings.handler(asked, self.context)))
        return said

    def switch(self, *changes: Any, by: str = "grace@acme.example") -> dict[str, Any]:
        """Invoke the function as a manager."""
        return self.edit(*changes, **{"by": by, "as": "manager"})

    def member(self, name: str) -> Member:
        return find(bootstrap.roster_views(), "acme", f"{name}@acme.example")

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return a member's history, newest first."""
        return bootstrap.roster_views().history("acme", self.member(name).id, 100, None)[0]

    def hire(self, name: str, department: str, **fields: Any) -> None:
        address = f"{name}@acme.example"
        self.crm_ids[name] = self.salesforce.create(
            FirstName=name, LastName="X", Username=address, Email=address, Department=department, **fields
        )

    def update(self, name: str, **fields: Any) -> None:
        """Change a user in Salesforce, and import everyone."""
        self.salesforce.update(self.crm_ids[name], **fields)
        self.run()

    def run(self) -> None:
        said = scheduled_import.handler({"organization": "acme", "mode": "full", "by": "jane"}, self.context)
        assert said["status"] == "succeeded", said


@pytest.fixture
def acme(connected: Connected, built: Built) -> Acme:
    """Return Acme with its people as two imports have brought them in."""
    acme = Acme(*connected)
    acme.crm_ids = dict(begin(acme, built, found))
    return acme


def found(acme: Acme) -> dict[str, str]:
    acme.put()
    acme.hire("grace", "Sales")
    boss = {"ManagerId": acme.crm_ids["grace"]}
    acme.hire("ada", "Sales", Title="Rep", **boss)
    acme.hire("bob", "Support", **boss)
    acme.hire("cy", "Support", **boss)
    acme.hire("eve", "Support")
    acme.hire("zoe", "Support", **boss)
    acme.run()
    acme.update("zoe", IsActive=False)
    return acme.crm_ids


@pytest.fixture
def calls(acme: Acme) -> Counter[str]:
    """Return the calls to DynamoDB, counted from now on."""
    made: Counter[str] = Counter()
    client = bootstrap._dynamodb()
    client.meta.events.register("before-call.dynamodb", lambda model, **_: made.update([model.name]))
    return made


def changed(said: dict[str, Any], place: int = 0) -> dict[str, tuple[Any, Any]]:
    return {each["field"]: (each["before"], each["after"]) for each in said["results"][place]["changed"]}


# ── Admins ────────────────────────────────────────────────────────────────────────────────────────


def test_an_admin_edits_seats_workspaces_and_data_capture_of_who_is_managed_by_hand(acme: Acme) -> None:
    said = acme.edit(
        {
            "member": "bob",
            "seats": ["gong", "forecast"],
            "workspaces": {"EMEA": "Manager"},
            "data_capture": {"record_web_conferences": "enabled", "import_emails": "prevented"},
        }
    )
    assert (said["status"], said["message"]) == ("succeeded", "1 change was made.")
    assert said["errors"] == []
    assert said["results"][0] == {
        "where": "changes[0]",
        "member": acme.member("bob").id,
        "name": acme.member("bob").name,
        "changed": said["results"][0]["changed"],
        "seats": {"gong": {"state": "held"}, "forecast": {"state": "held"}},
    }
    assert changed(said)["workspaces.EMEA"] == (None, "Manager")
    assert changed(said)["data_capture.record_web_conferences.effective"] == ("prevented", "enabled")
    bob = acme.member("bob")
    assert bob.data_capture["import_emails"].origin == "manual:jane@acme.example"
    entry = acme.history("bob")[0]
    assert (entry["origin"], entry["run"]) == ("manual:jane@acme.example", said["run"])
    assert said["run"] == f"edit:{acme.context.aws_request_id}"
    assert entry["changes"] == said["results"][0]["changed"]
    assert bootstrap.roster_table().pools("acme", ["forecast"]) == {"forecast": Pool(1, 0)}


def test_an_import_leaves_alone_what_was_edited(acme: Acme) -> None:
    acme.edit({"member": "bob", "seats": [], "workspaces": {"US": "Lead"}, "end_date": "2026-12-31"})
    edited = acme.member("bob")
    acme.update("bob", Title="Chief")
    bob = acme.member("bob")
    assert bob.title == "Chief"
    for name in ("seats", "workspaces", "data_capture", "end_date", "origins"):
        assert getattr(bob, name) == getattr(edited, name), name


def test_an_import_takes_nothing_of_the_person_back_in_mode_automatic_either(acme: Acme) -> None:
    acme.edit({"member": "ada", "crm_user_status": "inactive", "end_date": "2026-12-31"})
    acme.update("ada", Title="Chief")
    ada = acme.member("ada")
    assert (ada.title, ada.crm_user_status, ada.end_date) == ("Chief", "inactive", "2026-12-31")
    assert ada.origins == dict.fromkeys(("crm_user_status", "end_date"), "manual:jane@acme.example")


def test_good_changes_go_on_when_others_are_refused(acme: Acme) -> None:
    before = acme.member("ada")
    said = acme.edit(
        {"member": "ada", "seats": [], "end_date": "2026-12-31"},
        {"member": "nobody", "end_date": "2026-12-31"},
        {"member": "bob", "seats": ["gong", "gnog"]},
        {"member": "bob", "end_date": "2026-02-30"},
        "not a change",
        {"member": "zoe", "end_date": "2026-12-31"},
        {"member": "zoe", "workspaces": {"EMEA": "Manager"}},
        {"member": "bob", "crm_user_status": "inactive"},
        {"member": "bob", "crm_user_status": "inactive"},
    )
    assert said["status"] == "succeeded_with_errors"
    assert said["message"] == "2 changes were made, 1 was already so, 6 were refused."
    assert [result["where"] for result in said["results"]] == ["changes[5]", "changes[7]", "changes[8]"]
    assert said["results"][2]["changed"] == []
    assert wheres(said) == [
        "changes[0].seats",
        "changes[1].member",
        "changes[2].seats[1]",
        "changes[3].end_date",
        "changes[4]",
        "changes[6].workspaces",
    ]
    assert said["errors"][0]["message"] == "follows Salesforce through assignment 'Sales' (automatic)"
    assert all(problem["remedy"] for problem in said["errors"])
    assert acme.member("ada") == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [{"member": "nobody", "end_date": None}],
            "changes[0].member is not in the roster: 'nobody@acme.example'.",
        ),
        ([{"member": "ada", "seats": []}, {"member": "bob"}], "0 changes were made, 2 were refused."),
    ],
)
def test_where_no_change_is_good_the_call_is_rejected(
    acme: Acme, changes: list[dict[str, Any]], message: str
) -> None:
    said = acme.edit(*changes)
    assert (said["status"], said["message"], said["results"]) == ("rejected", message, [])


def test_changes_of_one_member_are_made_in_their_order(acme: Acme) -> None:
    said = acme.edit(
        {"member": "bob", "end_date": "2026-12-31"},
        {"member": "bob", "seats": ["forecast"]},
        {"member": "bob", "seats": ["gong", "forecast"], "end_date": None},
    )
    assert [sorted(changed(said, place)) for place in range(3)] == [
        ["end_date"],
        ["seats.forecast.requires", "seats.forecast.state", "seats.gong.state"],
        ["end_date", "seats.forecast.requires", "seats.forecast.state", "seats.gong.state"],
    ]
    bob = acme.member("bob")
    assert (bob.end_date, set(bob.seats)) == (None, {"gong", "forecast"})
    assert len(acme.history("bob")) == bob.version == 4


def test_the_same_call_again_writes_nothing(acme: Acme) -> None:
    changes = (
        {"member": "bob", "seats": ["gong", "forecast"], "workspaces": {"US": "Lead", "EMEA": None}},
        {"member": "cy", "seats": ["gong", "forecast"], "data_capture": {"record_web_conferences": None}},
        {"member": "ada", "crm_user_status": "active", "end_date": "2026-12-31"},
    )
    acme.edit(*changes)
    before = table()
    said = acme.edit(*changes, by="ann@acme.example")
    assert (said["status"], said["message"]) == (
        "succeeded",
        "0 changes were made, 3 were already so.",
    )
    assert table() == before


@pytest.mark.parametrize("kind", ["id", "crm_id", "crm_id_of_15", "upper case", "blanks"])
def test_a_member_is_named_in_any_of_the_usual_ways(acme: Acme, kind: str) -> None:
    bob = acme.member("bob")
    reference = {
        "id": bob.id,
        "crm_id": acme.crm_ids["bob"],
        "crm_id_of_15": acme.crm_ids["bob"][:15],
        "upper case": "BOB@ACME.EXAMPLE",
        "blanks": " bob@acme.example ",
    }[kind]
    said = acme.edit(changes=[{"member": reference, "end_date": "2026-12-31"}])
    assert [result["member"] for result in said["results"]] == [bob.id]
    assert acme.member("bob").end_date == "2026-12-31"


# ── Seats ─────────────────────────────────────────────────────────────────────────────────────────


def test_who_gets_no_seat_waits_and_is_served_when_one_is_taken_from_another(acme: Acme) -> None:
    acme.edit({"member": "bob", "seats": ["gong", "forecast"]})
    said = acme.edit({"member": "cy", "seats": ["gong", "forecast"]})
    place = said["results"][0]["seats"]["forecast"]
    assert (place["state"], place["place"]) == ("waiting", 1)
    assert said["results"][0]["note"] == "No seat forecast is free: the member waits in line."
    freed = acme.edit({"member": "bob", "seats": ["gong"]})
    assert acme.member("cy").seats["forecast"] == HELD_SEAT
    assert acme.history("cy")[0]["run"] == freed["run"]
    assert bootstrap.roster_table().pools("acme", ["forecast"]) == {"forecast": Pool(1, 0)}


def test_the_answer_shows_the_seats_as_they_are_in_the_end(acme: Acme) -> None:
    acme.edit({"member": "bob", "seats": ["gong", "forecast"]})
    said = acme.edit(
        {"member": "cy", "seats": ["gong", "forecast"]},
        {"member": "bob", "seats": ["gong"]},
    )
    assert changed(said)["seats.forecast.state"] == (None, "waiting")
    assert said["results"][0]["seats"]["forecast"] == {"state": "held"}
    assert "note" not in said["results"][0]


def test_a_seat_that_someone_else_takes_at_this_moment_is_not_given_twice(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(lambda: acme.edit({"member": "cy", "seats": ["gong", "forecast"]}), monkeypatch)
    said = acme.edit({"member": "bob", "seats": ["gong", "forecast"]})
    assert said["results"][0]["seats"]["forecast"]["state"] == "waiting"
    assert acme.member("cy").seats["forecast"] == HELD_SEAT
    assert bootstrap.roster_table().pools("acme", ["forecast"]) == {"forecast": Pool(1, 1)}


# ── Races ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_edit_is_decided_again_on_what_someone_else_has_written(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(lambda: acme.edit({"member": "bob", "workspaces": {"US": "Lead"}}), monkeypatch)
    said = acme.edit({"member": "bob", "workspaces": {"EMEA": "Manager"}})
    assert said["status"] == "succeeded"
    assert acme.member("bob").workspaces == {"US": "Lead", "EMEA": "Manager"}
    assert [entry["version"] for entry in acme.history("bob")] == [3, 2, 1]


def test_what_is_not_theirs_any_more_at_this_moment_is_refused(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave() -> None:
        acme.update("bob", IsActive=False)

    meanwhile(leave, monkeypatch)
    said = acme.edit({"member": "bob", "seats": ["gong"], "workspaces": {"EMEA": "Manager"}})
    assert wheres(said) == ["changes[0].seats", "changes[0].workspaces"]
    assert (acme.member("bob").active, acme.member("bob").workspaces) == (False, {})


def test_who_is_beaten_every_time_says_so_and_the_others_go_on(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = iter(range(100))
    meanwhile(
        lambda: acme.edit({"member": "bob", "workspaces": {"US": f"{next(count)}"}}), monkeypatch, times=8
    )
    said = acme.edit({"member": "bob", "end_date": "2026-12-31"}, {"member": "cy", "end_date": "2026-12-31"})
    assert [problem["message"] for problem in said["errors"]] == ["is being changed by others all the time"]
    assert (acme.member("bob").end_date, acme.member("cy").end_date) == (None, "2026-12-31")


def test_an_answer_that_is_lost_is_not_taken_for_someone_elses_write(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_answers(monkeypatch)
    said = acme.edit({"member": "bob", "end_date": "2026-12-31"})
    assert changed(said) == {"end_date": (None, "2026-12-31")}
    assert len(acme.history("bob")) == 2


def test_two_who_become_each_others_manager_at_once_make_no_circle(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.put(ignore_organizational_structure=True)
    meanwhile(lambda: acme.edit({"member": "cy", "manager": "bob@acme.example"}), monkeypatch)
    said = acme.edit({"member": "bob", "manager": "cy@acme.example"})
    assert said["errors"][0]["message"] == "reports to the member, directly or over others"
    assert acme.member("cy").manager == acme.member("bob").id
    assert acme.member("bob").manager == acme.member("grace").id


def test_a_table_that_is_down_is_a_fault_and_the_call_can_be_sent_again(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [{"member": name, "seats": ["gong"], "end_date": "2026-12-31"} for name in ("bob", "cy")]
    with monkeypatch.context() as broken:
        break_second_write(broken)
        with pytest.raises(Unavailable):
            acme.edit(*changes)
    assert (acme.member("bob").end_date, acme.member("cy").end_date) == ("2026-12-31", None)
    assert acme.edit(*changes)["message"] == "1 change was made, 1 was already so."


# ── Managers ──────────────────────────────────────────────────────────────────────────────────────


def test_a_manager_switches_data_capture_of_reports_in_both_modes(acme: Acme) -> None:
    said = acme.switch(
        {"member": "ada", "data_capture": {"record_web_conferences": "disabled"}},
        {"member": "bob", "data_capture": {"record_web_conferences": "enabled"}},
    )
    assert said["status"] == "succeeded", said
    origin = f"manager:{acme.member('grace').id}"
    for name, value in (("ada", "disabled"), ("bob", "enabled")):
        setting = acme.member(name).data_capture["record_web_conferences"]
        assert (setting.effective, setting.origin) == (value, origin)
        assert acme.history(name)[0]["origin"] == origin


def test_the_override_survives_runs_until_the_member_changes_assignment(acme: Acme) -> None:
    acme.switch({"member": "ada", "data_capture": {"record_web_conferences": "disabled"}})
    acme.update("ada", Title="Rep 2")
    ada = acme.member("ada")
    assert ada.title == "Rep 2"
    assert ada.data_capture["record_web_conferences"].effective == "disabled"
    acme.update("ada", Department="Support")
    setting = acme.member("ada").data_capture["record_web_conferences"]
    assert (setting.intended, setting.origin) == ("prevented", "assignment:Support")


def test_taken_away_the_override_gives_way_to_the_assignments_value(acme: Acme) -> None:
    given = acme.member("ada").data_capture
    assert given["import_emails"].intended == "enabled"
    acme.switch(
        {
            "member": "ada",
            "data_capture": {"record_web_conferences": "disabled", "import_emails": "prevented"},
        }
    )
    said = acme.switch(
        {"member": "ada", "data_capture": {"record_web_conferences": None, "import_emails": None}}
    )
    assert said["results"][0]["note"] == (
        "import_emails comes from a Salesforce field: the next full import restores it."
    )
    assert acme.member("ada").data_capture == {
        "record_web_conferences": given["record_web_conferences"],
    }
    acme.run()
    assert acme.member("ada").data_capture == given


@pytest.mark.parametrize(
    ("name", "where", "message"),
    [
        ("eve", "changes[0].member", "is not an active direct report of the manager who asks"),
        ("zoe", "changes[0].member", "is not an active direct report of the manager who asks"),
        ("grace", "changes[0].member", "is not an active direct report of the manager who asks"),
        ("nobody", "changes[0].member", "is not in the roster: 'nobody@acme.example'"),
    ],
)
def test_a_manager_edits_active_direct_reports_only(acme: Acme, name: str, where: str, message: str) -> None:
    said = acme.switch({"member": name, "data_capture": {"record_web_conferences": "disabled"}})
    assert said["status"] == "rejected"
    assert [(each["where"], each["message"]) for each in said["errors"]] == [(where, message)]


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("nobody@acme.example", "by is not in the roster: 'nobody@acme.example'."),
        ("a script", "by is not in the roster: 'a script'."),
        ("zoe@acme.example", "by is not an active member."),
    ],
)
def test_a_manager_is_an_active_member(acme: Acme, by: str, message: str) -> None:
    said = acme.switch({"member": "ada", "data_capture": {"import_emails": "disabled"}}, by=by)
    assert (said["status"], said["message"]) == ("rejected", message)


def test_managers_switch_nothing_where_the_settings_do_not_let_them(acme: Acme) -> None:
    acme.put(managers={"may_toggle_capture": False})
    said = acme.switch({"member": "ada", "data_capture": {"import_emails": "disabled"}})
    assert (said["status"], wheres(said)) == ("rejected", ["as"])
    assert "may_toggle_capture" in said["errors"][0]["remedy"]


def test_the_manager_is_edited_where_the_structure_is_ignored_and_nowhere_else(acme: Acme) -> None:
    change = {"member": "bob", "manager": "eve@acme.example"}
    assert acme.edit(change)["errors"][0]["message"] == "follows Salesforce"
    acme.put(ignore_organizational_structure=True)
    assert acme.edit(change)["status"] == "succeeded"
    assert acme.member("bob").manager == acme.member("eve").id
    acme.update("bob", Title="Chief")
    assert (acme.member("bob").title, acme.member("bob").manager) == ("Chief", acme.member("eve").id)
    unknown = acme.edit({"member": "bob", "manager": "nobody@acme.example"})
    assert wheres(unknown) == ["changes[0].manager"]
    above = acme.edit({"member": "eve", "manager": "bob@acme.example"})
    assert above["errors"][0]["message"] == "reports to the member, directly or over others"
    own = acme.edit({"member": "eve", "manager": acme.crm_ids["eve"]})
    assert own["errors"][0]["message"] == "is the member itself"


# ── The event ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ({"changes": []}, "changes"),
        ({"changes": [{"member": "ada@acme.example", "end_date": None}] * 501}, "changes"),
        ({"changes": {"member": "ada@acme.example"}}, "changes"),
        ({"by": None}, "by"),
        ({"by": " "}, "by"),
        ({"as": "owner"}, "as"),
        ({"acting_as": "manager"}, "acting_as"),
        ({"why": "because"}, "event"),
        ({"organization": "other"}, "organization"),
        ({"organization": "../acme"}, "organization"),
    ],
)
def test_an_event_that_is_wrong_as_a_whole_changes_nothing(
    acme: Acme, event: dict[str, Any], where: str
) -> None:
    before = table()
    said = acme.edit({"member": "ada", "end_date": "2026-12-31"}, **event)
    assert (said["status"], wheres(said)) == ("rejected", [where])
    assert said["errors"][0]["remedy"]
    assert table() == before


def test_who_asks_is_always_said(acme: Acme) -> None:
    event = {"organization": "acme", "changes": [{"member": "ada@acme.example", "end_date": None}]}
    assert wheres(member_settings.handler(event, acme.context)) == ["by"]


def test_another_organization_reaches_no_member(acme: Acme) -> None:
    acme.put(organization="other")
    references = [acme.member("ada").id, acme.crm_ids["ada"], "ada@acme.example"]
    said = acme.edit(
        organization="other", changes=[{"member": each, "end_date": "2026-12-31"} for each in references]
    )
    assert (said["status"], len(said["errors"])) == ("rejected", 3)
    assert acme.member("ada").end_date is None


def test_five_hundred_changes_look_everybody_up_in_a_few_calls(acme: Acme, calls: Counter[str]) -> None:
    names = [("ada", "crm"), ("bob", "address"), ("cy", "id"), ("grace", "address"), ("eve", "crm")]
    references = {
        "crm": acme.crm_ids,
        "address": {name: f"{name}@acme.example" for name, _ in names},
        "id": {name: acme.member(name).id for name, _ in names},
    }
    calls.clear()
    said = acme.edit(
        changes=[
            {"member": references[kind][name], "end_date": f"2026-12-{day + 1:02d}"}
            for day in range(10)
            for name, kind in names
            for _ in range(10)
        ]
    )
    assert said["message"] == "50 changes were made, 450 were already so."
    # The settings; links, their members, match keys, members by key and id, pools; then a write a change.
    assert calls == {"GetItem": 1, "BatchGetItem": 5, "TransactWriteItems": 50}


def test_nothing_personal_is_logged(acme: Acme, log: StringIO) -> None:
    acme.edit({"member": "ada", "end_date": "2026-12-31"}, {"member": "bob", "end_date": "soon"})
    acme.switch({"member": "eve", "data_capture": {"import_emails": "disabled"}})
    lines = log.getvalue().splitlines()
    assert len(lines) == 2
    assert not re.search(r"@|\b(ada|bob|eve|grace|jane|2026-12-31|soon)\b", "".join(lines))


@pytest.mark.parametrize(
    "name", [each for each in events_for("member_settings") if "accounts" not in pasted(each)]
)
def test_every_sample_event_is_answered(acme: Acme, name: str) -> None:
    if name == "member_settings_manager":
        acme.put(ignore_organizational_structure=True)
    said = member_settings.handler(pasted(name), acme.context)
    assert said["status"] == "succeeded", said
