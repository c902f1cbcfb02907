"""Who may edit what on a member, and what an edit makes of it (A5, A9, A10, A11)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.edits import member_edits
from muster.edits.member_edits import Editor, Others, read
from muster.errors import Rejected
from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.seats import HELD_SEAT as HELD
from muster.roster.seats import Pool, SeatPlace
from tests.examples import NOW, settings

AT = "2026-11-20T08:16:00.000Z"
JANE = Editor("jane@acme.example")
GRACE = Editor("grace@acme.example", manager="grace")

FIELD_SALES = {
    "name": "Field sales",
    "seats": ["gong"],
    "data_capture": {
        "record_web_conferences": "enabled",
        "import_emails": {"field": "Title", "map": {"Rep": "enabled"}},
    },
}
PARTNERS = {**FIELD_SALES, "name": "Partners", "update_mode": "manual"}
ACME: dict[str, Any] = {
    "seats": {"gong": {"limit": 2}, "forecast": {"limit": 1, "requires": ["gong"]}, "notes": {}},
    "seat_required": {"record_web_conferences": "gong"},
    "assignments": [FIELD_SALES, PARTNERS],
}
ENABLED = Capture("enabled", "enabled", "gong", "assignment:Partners")


def member(**attributes: Any) -> Member:
    """Return Ada, a report of Grace's in the manual assignment, who holds one seat."""
    ada = Member(
        id="ada",
        organization="acme",
        active=True,
        assignment="Partners",
        update_mode="manual",
        manager="grace",
        seats={"gong": HELD},
        workspaces={"EMEA": "Team member"},
        data_capture={"record_web_conferences": ENABLED},
        digest="of.fields",
        version=3,
        revision=5,
    )
    return replace(ada, **attributes)


AUTOMATIC = member(assignment="Field sales", update_mode="automatic")


def decided(
    ada: Member,
    edit: dict[str, Any],
    by: Editor = JANE,
    above: tuple[Member, ...] = (),
    pools: dict[str, Pool] | None = None,
    **sections: Any,
) -> tuple[Decision, list[str]]:
    return member_edits.decide(
        ada,
        read({"member": "ada", **edit}),
        by,
        Others(above),
        settings(**{**ACME, **sections}),
        pools or {"gong": Pool(used=1)},
        NOW,
        "edit:1",
    )


def edited(ada: Member, edit: dict[str, Any], by: Editor = JANE, **rest: Any) -> Member:
    decision, _ = decided(ada, edit, by, **rest)
    assert decision.after
    return decision.after


def refusals(ada: Member, edit: dict[str, Any], by: Editor = JANE, **rest: Any) -> dict[str, str]:
    with pytest.raises(Rejected) as refused:
        decided(ada, edit, by, **rest)
    assert all(problem.remedy for problem in refused.value.problems)
    return {problem.where: problem.message for problem in refused.value.problems}


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("edit", "where", "message"),
    [
        ({}, "", "says nothing to change"),
        ({"end_date": "2026-02-30"}, "end_date", "is not a date"),
        ({"end_date": "tomorrow"}, "end_date", "is not a date"),
        ({"end_date": "20261231"}, "end_date", "is not a date"),
        ({"end_date": "2026-W01-1"}, "end_date", "is not a date"),
        ({"end_date": "\uff12\uff10\uff12\uff16-12-31"}, "end_date", "is not a date"),
        ({"end_date": "2026-12-31T00:00:00Z"}, "end_date", "is not a date"),
        ({"end_date": 20261231}, "end_date", "is not text"),
        ({"crm_user_status": "Active"}, "crm_user_status", "is not one of active, inactive"),
        ({"seats": "gong"}, "seats", "is not a list"),
        ({"seats": None}, "seats", "has no value"),
        ({"seats": ["gong"] * 21}, "seats", "holds more than 20"),
        ({"seats": ["gong", "<script>"]}, "seats[1]", "is not the name of a seat"),
        ({"workspaces": {"EMEA": ""}}, "workspaces.EMEA", "is empty, begins or ends with a blank"),
        ({"workspaces": {"a\nb": "x"}}, 'workspaces["a\nb"]', "is empty, begins or ends with a blank"),
        ({"workspaces": {f"w{n}": "x" for n in range(51)}}, "workspaces", "holds more than 50"),
        ({"data_capture": {"import_emails": True}}, "data_capture.import_emails", "is not one of enabled"),
        ({"data_capture": {"import_mails": "enabled"}}, "data_capture.import_mails", "is not a data capture"),
        ({"manager": ""}, "manager", "is empty"),
        ({"member": "", "end_date": None}, "member", "is empty"),
        ({"member": "x" * 255, "end_date": None}, "member", "is longer than 254 characters"),
        ({"seat": ["gong"], "end_date": None}, "seat", "is not a known key"),
        ({"title": "Chief", "end_date": None}, "title", "follows Salesforce in both update modes"),
        ({"active": False, "end_date": None}, "active", "follows the user's activity and call center"),
        ({"update_mode": "manual", "end_date": None}, "update_mode", "is decided by the assignments"),
        ({"engage": {"request": "x"}, "end_date": None}, "engage", "is not a member setting"),
    ],
)
def test_what_is_no_edit_is_refused_at_its_place(edit: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(Rejected) as refused:
        read({"member": "ada", **edit})
    (problem,) = refused.value.problems
    assert problem.where == where
    assert problem.message.startswith(message)
    assert problem.remedy


@pytest.mark.parametrize("document", [None, "ada", ["ada"], 1, {"seats": ["gong"]}])
def test_an_edit_is_an_object_that_names_a_member(document: object) -> None:
    with pytest.raises(Rejected):
        read(document)


def test_an_edit_with_hundreds_of_faults_tells_the_first_few() -> None:
    with pytest.raises(Rejected) as refused:
        read({"member": "ada", **{f"k{n}": n for n in range(500)}})
    assert len(refused.value.problems) == member_edits.MOST_PROBLEMS


# ── Who may edit what ─────────────────────────────────────────────────────────────────────────────

SEATS, WORKSPACES = {"seats": ["gong"]}, {"workspaces": {"EMEA": None}}
CAPTURE = {"data_capture": {"import_emails": "disabled"}}
STATUS, ENDS, MANAGER = {"crm_user_status": "inactive"}, {"end_date": "2026-12-31"}, {"manager": None}
LEFT = member(active=False, inactive_reason="inactive_user", assignment=None, update_mode=None, seats={})
UNASSIGNED = member(assignment=None, update_mode=None)
BY_ASSIGNMENT = "follows Salesforce through assignment 'Field sales' (automatic)"
NOT_ACTIVE = "is not for a member who is not active"
NO_ASSIGNMENT = "is given to nobody without an assignment, and runs take it back"
NOT_THEIRS = "is not an active direct report of the manager who asks"
FOR_ADMINS = "is for admins to change"


@pytest.mark.parametrize(
    ("ada", "edit", "by", "refused"),
    [
        (AUTOMATIC, SEATS, JANE, {"seats": BY_ASSIGNMENT}),
        (AUTOMATIC, WORKSPACES | CAPTURE, JANE, {"workspaces": BY_ASSIGNMENT, "data_capture": BY_ASSIGNMENT}),
        (LEFT, SEATS | ENDS, JANE, {"seats": NOT_ACTIVE}),
        (UNASSIGNED, CAPTURE, JANE, {"data_capture": NO_ASSIGNMENT}),
        (UNASSIGNED, CAPTURE, GRACE, {"data_capture": NO_ASSIGNMENT}),
        (member(), MANAGER, JANE, {"manager": "follows Salesforce"}),
        (member(manager="x"), CAPTURE, GRACE, {"member": NOT_THEIRS}),
        (member(manager=None), CAPTURE, GRACE, {"member": NOT_THEIRS}),
        (LEFT, CAPTURE, GRACE, {"member": NOT_THEIRS}),
        (member(), SEATS | CAPTURE | STATUS, GRACE, {"seats": FOR_ADMINS, "crm_user_status": FOR_ADMINS}),
        (member(), MANAGER | ENDS, GRACE, {"manager": FOR_ADMINS, "end_date": FOR_ADMINS}),
    ],
)
def test_what_is_not_theirs_is_refused_with_who_governs_it(
    ada: Member, edit: dict[str, Any], by: Editor, refused: dict[str, str]
) -> None:
    assert refusals(ada, edit, by) == refused


@pytest.mark.parametrize(
    ("ada", "edit", "by"),
    [
        *((each, edit, JANE) for each in (AUTOMATIC, LEFT, UNASSIGNED, member()) for edit in (STATUS, ENDS)),
        (member(), SEATS | WORKSPACES | CAPTURE, JANE),
        (member(), CAPTURE, GRACE),
        (AUTOMATIC, CAPTURE, GRACE),
    ],
)
def test_what_is_theirs_is_edited(ada: Member, edit: dict[str, Any], by: Editor) -> None:
    leaves = edit is STATUS and ada.active
    assert decided(ada, edit, by)[0].outcome is (Outcome.DEACTIVATED if leaves else Outcome.UPDATED)


def test_the_update_mode_is_the_one_the_settings_have_now() -> None:
    """That is what the next run goes by, whatever the member was last evaluated with."""
    now_manual = {**FIELD_SALES, "update_mode": "manual"}
    assert edited(AUTOMATIC, {"seats": []}, assignments=[now_manual]).seats == {}
    now_automatic = {**PARTNERS, "update_mode": "automatic"}
    assert refusals(member(), {"seats": []}, assignments=[now_automatic]) == {
        "seats": "follows Salesforce through assignment 'Partners' (automatic)"
    }
    # An assignment that is gone has nothing to say any more, except for what it was.
    assert edited(member(), {"seats": []}, assignments=[FIELD_SALES]).seats == {}


# ── Seats and workspaces ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wanted", "pools", "expected"),
    [
        (["gong"], {"gong": Pool(2)}, {"gong": HELD}),
        ([], {}, {}),
        (["gong", "notes"], {}, {"gong": HELD, "notes": HELD}),
        (["gong", "gong"], {}, {"gong": HELD}),
        (["forecast", "gong"], {}, {"gong": HELD, "forecast": HELD}),
        (
            ["gong", "forecast"],
            {"forecast": Pool(used=1)},
            {"gong": HELD, "forecast": SeatPlace("waiting", AT, 1)},
        ),
        # A seat is free, but others came first.
        (
            ["gong", "forecast"],
            {"forecast": Pool(used=0, waiting=1)},
            {"gong": HELD, "forecast": SeatPlace("waiting", AT, 1)},
        ),
        (["forecast"], {}, {"forecast": SeatPlace("blocked", requires="gong")}),
    ],
)
def test_the_seats_are_all_that_the_member_should_have(
    wanted: list[str], pools: dict[str, Pool], expected: dict[str, Any]
) -> None:
    assert edited(member(), {"seats": wanted}, pools=pools).seats == expected


def test_seats_that_the_settings_do_not_have_are_refused_with_the_likely_one() -> None:
    with pytest.raises(Rejected) as refused:
        decided(member(), {"seats": ["gong", "forcast", "zzz"]})
    assert [(each.where, each.remedy) for each in refused.value.problems] == [
        ("seats[1]", "Did you mean 'forecast'?"),
        ("seats[2]", "Known are forecast, gong, notes."),
    ]


def test_the_limits_go_with_the_decision() -> None:
    assert decided(member(), {"seats": []})[0].limits == {"gong": 2, "forecast": 1}


@pytest.mark.parametrize(
    ("workspaces", "expected"),
    [
        ({"US": "Manager"}, {"EMEA": "Team member", "US": "Manager"}),
        ({"EMEA": "Manager"}, {"EMEA": "Manager"}),
        ({"EMEA": None}, {}),
        ({"EMEA": None, "US": "Manager"}, {"US": "Manager"}),
    ],
)
def test_workspaces_are_merged(workspaces: dict[str, Any], expected: dict[str, str]) -> None:
    assert edited(member(), {"workspaces": workspaces}).workspaces == expected


def test_a_member_has_fifty_workspaces_at_most_by_hand() -> None:
    full = member(workspaces={f"w{n}": "x" for n in range(50)})
    assert refusals(full, {"workspaces": {"one more": "x"}}) == {"workspaces": "would be more than 50"}
    assert len(edited(full, {"workspaces": {"one more": "x", "w0": None}}).workspaces) == 50
    # An assignment may have given more; they can be edited, and taken away one by one.
    over = member(workspaces={f"w{n}": "x" for n in range(60)})
    assert len(edited(over, {"workspaces": {"w0": None, "w1": "Lead"}}).workspaces) == 59


def test_origins_tell_who_gave_what_was_not_there() -> None:
    origins = {"seats.gong": "manual:ann", "workspaces.EMEA": "manual:ann", "end_date": "manual:ann"}
    ada = member(origins=origins, end_date="2026-12-31")
    after = edited(ada, {"seats": ["gong", "notes"], "workspaces": {"EMEA": "Team member", "US": "Manager"}})
    assert after.origins == {
        "seats.gong": "manual:ann",
        "seats.notes": "manual:jane@acme.example",
        "workspaces.EMEA": "manual:ann",
        "workspaces.US": "manual:jane@acme.example",
        "end_date": "manual:ann",
    }
    assert edited(after, {"seats": ["notes"], "workspaces": {"EMEA": None}, "end_date": None}).origins == {
        "seats.notes": "manual:jane@acme.example",
        "workspaces.US": "manual:jane@acme.example",
    }


# ── Data capture ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("by", "origin"), [(JANE, "manual:jane@acme.example"), (GRACE, "manager:grace")])
def test_data_capture_is_merged_with_its_effect_and_who_switched_it(by: Editor, origin: str) -> None:
    after = edited(member(), {"data_capture": {"import_emails": "prevented"}}, by)
    assert after.data_capture == {
        "record_web_conferences": ENABLED,
        "import_emails": Capture("prevented", "prevented", None, origin),
    }
    assert after.digest == "of.fields"


def test_without_the_seat_a_setting_is_stored_without_effect_and_that_is_said() -> None:
    edit = {"seats": [], "data_capture": {"record_web_conferences": "enabled"}}
    after = edited(member(), edit)
    setting = after.data_capture["record_web_conferences"]
    assert (setting.intended, setting.effective) == ("enabled", "disabled")
    assert member_edits.remarks(after, read({"member": "ada", **edit})) == [
        "record_web_conferences is without effect until the seat gong is held."
    ]


@pytest.mark.parametrize(
    ("origin", "by", "taken_away"),
    [
        ("manual:ann", JANE, True),
        ("manager:grace", JANE, True),
        ("assignment:Partners", JANE, False),
        ("manager:grace", GRACE, True),
        ("manager:her predecessor", GRACE, True),
        ("manual:ann", GRACE, False),
        ("assignment:Partners", GRACE, False),
    ],
)
def test_null_takes_an_override_away_and_nothing_else(origin: str, by: Editor, taken_away: bool) -> None:
    prevented = replace(ENABLED, intended="prevented", effective="prevented", origin=origin)
    ada = member(data_capture={"record_web_conferences": prevented})
    decision, notes = decided(ada, {"data_capture": {"record_web_conferences": None}}, by)
    assert notes == []
    assert decision.after
    assert decision.after.data_capture == {"record_web_conferences": ENABLED if taken_away else prevented}
    assert (decision.outcome is Outcome.UPDATED) == taken_away


@pytest.mark.parametrize(
    ("ada", "name", "digest", "note"),
    [
        (AUTOMATIC, "gong_connect", "of.fields", []),
        (
            AUTOMATIC,
            "import_emails",
            "",
            ["import_emails comes from a Salesforce field: the next full import restores it."],
        ),
        (
            member(),
            "import_emails",
            "of.fields",
            ["import_emails came from a Salesforce field, once: set it by hand if it is wanted."],
        ),
    ],
)
def test_what_the_assignment_does_not_give_goes_and_what_comes_of_a_field_is_said(
    ada: Member, name: str, digest: str, note: list[str]
) -> None:
    switched = Capture("prevented", "prevented", None, "manager:grace")
    ada = replace(ada, data_capture={name: switched})
    decision, notes = decided(ada, {"data_capture": {name: None}}, GRACE)
    assert decision.after
    assert (decision.after.data_capture, decision.after.digest, notes) == ({}, digest, note)


# ── Status, end date, manager ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "value"), [("crm_user_status", "inactive"), ("end_date", "2026-12-31")])
def test_status_and_end_date_carry_their_origin_while_they_are_set(name: str, value: str) -> None:
    after = edited(LEFT, {name: value})
    assert getattr(after, name) == value
    assert after.origins == {name: "manual:jane@acme.example"}
    again = edited(after, {name: None})
    assert getattr(again, name) is None
    assert again.origins == {}


def person(name: str, manager: str | None = None, **attributes: Any) -> Member:
    return Member(id=name, organization="acme", manager=manager, **{"active": True, **attributes})


def test_a_manager_is_set_and_everyone_above_must_stay_as_read() -> None:
    above = (person("bob", "eve"), person("eve"))
    decision, notes = decided(
        AUTOMATIC, {"manager": "bob"}, above=above, ignore_organizational_structure=True
    )
    assert decision.after
    assert decision.after.manager == "bob"
    assert decision.after.origins == {"manager": "manual:jane@acme.example"}
    assert decision.unchanged == above
    assert notes == []


def test_nobody_is_a_manager_too() -> None:
    after = edited(
        member(origins={"manager": "manual:ann"}), {"manager": None}, ignore_organizational_structure=True
    )
    assert (after.manager, after.origins) == (None, {})


def test_a_manager_who_has_left_is_set_and_that_is_said() -> None:
    left = person("bob", active=False)
    _, notes = decided(member(), {"manager": "bob"}, above=(left,), ignore_organizational_structure=True)
    assert notes == ["The manager is not an active member."]


@pytest.mark.parametrize(
    ("above", "message"),
    [
        ([member()], "is the member itself"),
        ([person("bob", "ada"), member()], "reports to the member, directly or over others"),
        ([person("bob", "eve"), person("eve", "ada"), member()], "reports to the member, directly or over"),
        ([person(f"p{n}", f"p{n + 1}") for n in range(31)], "has more than 30 levels of managers above"),
    ],
)
def test_managers_never_go_round_in_a_circle(above: list[Member], message: str) -> None:
    said = refusals(member(), {"manager": "x"}, above=tuple(above), ignore_organizational_structure=True)
    assert said["manager"].startswith(message)


# ── What is written ───────────────────────────────────────────────────────────────────────────────


def test_history_says_who_and_why_and_the_member_is_the_one_that_was_read() -> None:
    decision, _ = decided(member(), {"end_date": "2026-12-31"})
    assert decision.before == member()
    assert decision.after
    assert (decision.after.version, decision.after.revision) == (4, 5)
    assert decision.after.updated_at == AT
    assert decision.history
    assert (decision.history.origin, decision.history.run) == ("manual:jane@acme.example", "edit:1")
    assert [(each.field, each.before, each.after) for each in decision.history.changes] == [
        ("end_date", None, "2026-12-31")
    ]
    by_manager, _ = decided(member(), CAPTURE, GRACE)
    assert by_manager.history
    assert by_manager.history.origin == "manager:grace"


@pytest.mark.parametrize(
    ("edit", "by"),
    [
        ({"seats": ["gong", "forecast", "notes"]}, JANE),
        ({"seats": ["forecast"]}, JANE),
        ({"workspaces": {"EMEA": None, "US": "Manager"}}, JANE),
        ({"data_capture": {"record_web_conferences": None, "import_emails": "enabled"}}, JANE),
        ({"data_capture": {"record_web_conferences": "prevented"}}, GRACE),
        ({"crm_user_status": "inactive", "end_date": "2026-12-31"}, JANE),
    ],
)
def test_the_same_edit_again_changes_nothing_whoever_sends_it(edit: dict[str, Any], by: Editor) -> None:
    pools = {"forecast": Pool(used=1)}
    once = edited(member(), edit, by, pools=pools)
    again = replace(by, by="ann@acme.example")
    decision, _ = decided(once, edit, again, pools={"forecast": Pool(used=1, waiting=1)})
    assert decision.outcome is Outcome.UNCHANGED
    assert decision.history is None


def test_what_an_edit_does_not_name_stays() -> None:
    """Other settings may have changed since; an edit is no evaluation."""
    stale = member(data_capture={"record_web_conferences": replace(ENABLED, seat_required="notes")})
    after = edited(stale, {"end_date": "2026-12-31", "workspaces": {"US": "Manager"}})
    assert (after.seats, after.data_capture) == (stale.seats, stale.data_capture)


def test_what_waits_or_is_blocked_is_said() -> None:
    edit = read({"member": "ada", "seats": ["gong", "forecast", "notes"]})
    ada = member(
        seats={
            "gong": HELD,
            "notes": SeatPlace("waiting", AT, 1),
            "forecast": SeatPlace("blocked", requires="gong"),
        }
    )
    assert member_edits.remarks(ada, edit) == [
        "The seat forecast needs the seat gong first.",
        "No seat notes is free: the member waits in line.",
    ]
