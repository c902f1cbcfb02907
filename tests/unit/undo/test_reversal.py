"""What undoing a run puts back on one member, and what it holds back and why (Q2, A5, A9, A14, G6)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.roster.decisions import Outcome
from muster.roster.history import values_of
from muster.roster.member import Member
from muster.roster.seats import Pool
from muster.undo.topics import topics_named
from tests.examples import BOB, settings
from tests.unit.undo.story import JANE, VAULT, Story, all_of, held

FIELD = {"name": "Field", "filter": "Title = 'Rep'", "seats": ["gong"], "workspaces": {"EMEA": "Member"}}
PARTNERS = {
    "name": "Partners",
    "filter": "Title = 'Partner'",
    "update_mode": "manual",
    "seats": ["notes"],
    "data_capture": {"import_emails": "enabled"},
    "engage": {"group": "UK"},
}
SECTIONS: dict[str, Any] = {
    "seats": {"gong": {"limit": 2}, "notes": {}, "forecast": {}},
    "managers": {"may_toggle_capture": True},
    "connections": {"vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": ["engage"]}},
}
ACME = settings(**SECTIONS, assignments=[FIELD, PARTNERS])


def in_field(**sections: Any) -> Story:
    """Return Ada, imported into the automatic assignment."""
    story = Story(settings(**{**SECTIONS, "assignments": [FIELD, PARTNERS], **sections}))
    story.imported("first", "Field")
    return story


def in_partners() -> Story:
    """Return Ada, imported into the manual assignment, and edited there."""
    story = Story(ACME)
    story.imported("first", "Partners")
    story.edited(seats=["notes", "forecast"], workspaces={"APAC": "Guest"})
    story.edited(data_capture={"import_emails": "disabled"})
    return story


def test_who_was_closed_by_a_bad_filter_comes_back_once_it_is_mended() -> None:
    story = in_field()
    before = story.values
    story.imported("bad")
    assert not story.ada.active
    found = story.undo("bad", "Field")
    assert found.decision.outcome is Outcome.REACTIVATED
    assert (story.values, found.held) == (before, ())
    # And once more: there is nothing left to put back.
    found = story.undo("bad", "Field")
    assert (found.decision.writes, found.held) == (False, ())


def test_who_was_closed_stays_out_while_the_cause_stands() -> None:
    story = in_field()
    story.imported("bad")
    found = story.undo("bad")
    assert not found.decision.writes
    assert all_of(found.held) == [
        "active cannot be put back: no assignment's filter matches the user (settings: assignments)."
    ]
    assert "then undo the run again" in found.held[0].remedy


def test_the_next_import_changes_nothing_about_what_was_put_back() -> None:
    story = in_field()
    story.imported("bad")
    story.undo("bad", "Field")
    version = story.ada.version
    story.imported("next", "Field")
    assert story.ada.version == version


def test_what_was_edited_by_hand_comes_back_with_the_manual_assignment() -> None:
    story = in_partners()
    before = story.values
    story.imported("bad", "Field")
    assert story.values["seats.gong.state"] == "held"
    found = story.undo("bad", "Partners")
    assert found.held == ()
    # What was set by hand is set by whoever asked for the undo, so that runs keep it.
    assert story.values == before
    assert story.ada.origins["seats.forecast"] == f"manual:{JANE}"
    version = story.ada.version
    story.imported("next", "Partners")
    assert story.ada.version == version


def test_what_was_taken_away_by_hand_is_not_given_again() -> None:
    """A manual assignment gives once to whoever comes back; before the run, that was edited."""
    story = Story(ACME)
    story.imported("first", "Partners")
    story.edited(seats=[], workspaces={"APAC": "Guest"})
    before = story.values
    story.imported("bad")
    found = story.undo("bad", "Partners")
    assert (story.values, found.held) == (before, ())


def test_what_was_edited_by_hand_comes_back_to_whom_salesforce_has_brought_back() -> None:
    """The manual assignment has given anew what it gives; nobody has decided that since the run (A5)."""
    story = in_partners()
    before = story.values
    story.imported("bad", Department="Care")
    story.imported("back", "Partners", Department=None)
    assert story.values["data_capture.import_emails.intended"] == "enabled"
    found = story.undo("bad", "Partners", Department=None)
    assert (story.values, found.held) == (before, ())


def test_what_was_edited_since_whoever_was_closed_came_back_stays() -> None:
    story = in_partners()
    story.imported("bad", Department="Care")
    story.imported("back", "Partners", Department=None)
    story.edited(workspaces={"APAC": "Lead"})
    story.imported("again", Department="Care")
    story.imported("back again", "Partners", Department=None)
    found = story.undo("bad", "Partners", Department=None)
    assert "workspaces.APAC" not in story.values
    assert ("workspaces.APAC", "changed since, 2026-11-20") in held(found)


def test_it_all_is_one_entry_of_history_by_whoever_asked() -> None:
    story = in_partners()
    story.imported("bad", "Field")
    entries = len(story.entries)
    story.undo("bad", "Partners")
    assert len(story.entries) == entries + 1
    assert (story.entries[-1]["origin"], story.entries[-1]["run"]) == (f"manual:{JANE}", "run:undo")
    assert story.ada.version == story.entries[-1]["version"] == entries + 1


def test_a_managers_override_stays_the_managers() -> None:
    grace = Member(id="grace", organization="acme", active=True)
    story = in_field(ignore_organizational_structure=False)
    story.imported("chain", "Field", manager="grace", ManagerId=BOB)
    overridden = {"import_emails": {"intended": "disabled", "effective": "disabled", "seat_required": None}}
    capture = {name: {**each, "origin": "manager:grace"} for name, each in overridden.items()}
    story.became("override", "manager:grace", data_capture=capture)
    before = story.values
    story.imported("bad", "Partners", manager="grace", ManagerId=BOB)
    assert story.values["data_capture.import_emails.origin"] == "assignment:Partners"
    found = story.undo("bad", "Field", manager="grace", above=(grace,), ManagerId=BOB)
    assert (story.values, found.held) == (before, ())


@pytest.mark.parametrize("origin", ["manual:bob", "manager:grace"])
def test_an_override_where_there_was_none_gives_way_to_the_assignment(origin: str) -> None:
    story = Story(ACME)
    grace: dict[str, Any] = {"manager": "grace", "ManagerId": BOB}
    story.imported("first", "Partners", **grace)
    before = story.values
    emails = {"intended": "disabled", "effective": "disabled", "seat_required": None, "origin": origin}
    story.became("run", data_capture={"import_emails": emails})
    assert (story.undo("run", "Partners", **grace).held, story.values) == ((), before)
    # A second time, there is nothing left of it.
    again = story.undo("run", "Partners", **grace)
    assert (again.held, again.decision.writes) == ((), False)


def test_a_seat_that_went_to_somebody_else_is_waited_for() -> None:
    story = in_field()
    story.imported("bad")
    story.pools = {"gong": Pool(used=2)}
    found = story.undo("bad", "Field")
    assert story.values["seats.gong.state"] == "waiting"
    assert all_of(found.held) == ["seats.gong has gone to somebody else: the member waits in line"]


def test_a_seat_that_the_run_gave_from_the_line_is_kept() -> None:
    story = in_field(seats={"gong": {"limit": 0}, "notes": {}, "forecast": {}})
    story.became("served", "assignment:Field", seats={"gong": {"state": "held"}})
    found = story.undo("served", "Field")
    assert not found.decision.writes
    assert all_of(found.held) == ["seats.gong was given from the line, and is held"]


def test_what_was_changed_since_is_left_alone_and_said_by_whom() -> None:
    story = in_partners()
    story.imported("bad", "Partners", Title="Chief")
    story.became("other", title="Boss")
    found = story.undo("bad", "Partners", Title="Rep")
    assert not found.decision.writes
    assert all_of(found.held) == ["title changed since, 2026-11-20 08:21: run other"]


def test_nothing_changed_by_hand_since_is_overwritten() -> None:
    """Going back to the automatic assignment would take away what an admin has edited meanwhile."""
    story = in_field()
    story.imported("bad", "Partners")
    story.edited(seats=["notes", "forecast"])
    found = story.undo("bad", "Field")
    assert not found.decision.writes
    assert "would overwrite what was changed since (seats.forecast)" in all_of(found.held)[0]


def test_what_salesforce_says_still_is_held_back_with_the_cause() -> None:
    story = in_field()
    story.imported("title", "Field", Title="Chief", Extension="99")
    found = story.undo("title", "Field", Title="Chief", Extension="12")
    # The one that Salesforce has changed back since, comes back.
    assert (story.ada.title, story.ada.extension) == ("Chief", "12")
    assert held(found) == [("title", "follows Salesforce, which")]


def test_a_move_to_another_assignment_is_held_back_while_it_still_matches() -> None:
    story = in_field()
    story.imported("moved", "Partners")
    found = story.undo("moved", "Partners")
    assert not found.decision.writes
    (only,) = found.held
    assert only.where.startswith("assignment, update_mode, seats.")
    assert only.message == "follows Salesforce and the assignments, by which it is assignment 'Partners' now"


def test_whom_the_run_let_in_is_closed_only_if_the_rules_leave_the_person_out() -> None:
    story = in_field()
    found = story.undo("first", "Field")
    assert not found.decision.writes
    assert "active stays: Salesforce shows the user as active, and assignment 'Field' matches" in all_of(
        found.held
    )
    found = story.undo("first")
    assert (found.decision.outcome, found.held) == (Outcome.DEACTIVATED, ())
    assert (story.ada.inactive_reason, dict(story.ada.seats)) == ("unmatched", {})


def test_an_undo_closes_nobody_whom_the_run_has_not_let_in() -> None:
    """Whoever has left Salesforce since is for the next import, not for an undo."""
    story = in_field()
    story.imported("title", "Field", Title="Chief")
    found = story.undo("title", "Field", Title="Rep", IsActive="false")
    assert not found.decision.writes
    assert held(found) == [("title", "is left as")]


def test_whom_salesforce_does_not_show_keeps_what_follows_salesforce() -> None:
    story = in_field()
    story.imported("bad")
    found = story.undo("bad", shown=False)
    assert not found.decision.writes
    assert held(found) == [("active", "follows Salesforce, which")]


def test_what_people_set_by_hand_is_put_back_and_may_be_put_back_again() -> None:
    """An undo is a run with a history: undoing it makes what it put back undone."""
    story = in_partners()
    story.became("align", "align", end_date="2027-01-31", crm_user_status="active")
    found = story.undo("align", "Partners")
    assert (story.ada.end_date, story.ada.crm_user_status, found.held) == (None, None, ())
    assert [each["field"] for each in story.entries[-1]["changes"]] == ["crm_user_status", "end_date"]
    found = story.undo("undo", "Partners")
    assert (story.ada.end_date, story.ada.crm_user_status, found.held) == ("2027-01-31", "active", ())


def test_an_end_date_that_would_close_who_came_back_is_held_back() -> None:
    story = in_partners()
    story.edited(end_date="2026-11-01")
    story.became("left", inactive_reason="inactive_user")
    story.imported("back", "Partners")
    assert (story.ada.active, story.ada.end_date) == (True, None)
    found = story.undo("back", "Partners")
    assert not found.decision.writes
    assert ("end_date", "would close the") in held(found)


def test_a_manager_is_put_back_by_hand_only_where_the_structure_is_ignored() -> None:
    grace = Member(id="grace", organization="acme", active=True)
    story = in_field(ignore_organizational_structure=True)
    story.became("set", manager="grace")
    story.became("bad", manager=None)
    found = story.undo("bad", "Field", above=(grace,))
    assert (story.ada.manager, found.held) == ("grace", ())
    # If managers change at the same moment, it is decided again.
    assert found.decision.unchanged == (grace,)
    story = in_field(ignore_organizational_structure=False)
    story.imported("chain", "Field", manager="grace", ManagerId=BOB)
    story.imported("bad", "Field", ManagerId=None)
    found = story.undo("bad", "Field", ManagerId=None)
    assert held(found) == [("manager", "follows Salesforce, which")]


@pytest.mark.parametrize(
    ("seats", "where", "why"),
    [
        ({"gong": {}, "notes": {}}, "seats.forecast", "is no seat"),
        (SECTIONS["seats"], None, None),
    ],
    ids=["the seat is gone", "the seat is there"],
)
def test_a_seat_is_put_back_only_where_the_settings_have_it(
    seats: dict[str, Any], where: str | None, why: str | None
) -> None:
    story = in_partners()
    story.became("bad", seats={"notes": {"state": "held"}})
    story.settings = settings(**{**SECTIONS, "seats": seats}, assignments=[FIELD, PARTNERS])
    found = story.undo("bad", "Partners")
    assert held(found) == ([(where, why)] if where else [])
    assert ("forecast" in story.ada.seats) is (where is None)


def test_an_erased_member_and_one_of_another_user_are_named() -> None:
    story = in_field()
    story.became("title", title="Chief")
    erased = replace(story.ada, active=False, inactive_reason="erased", crm={})
    story.member = erased
    assert all_of(story.undo("title", "Field").held) == ["member is erased: nothing is kept to put back"]


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────


def in_vault(request: str | None, status: str | None = None, group: str | None = None) -> Story:
    """Return Ada, who is in Vault CRM, with this request, status and group there."""
    story = in_partners()
    story.became(
        "vault",
        crm={**story.ada.crm, "vault_crm": VAULT},
        engage={"request": request, "status": status, "group": group},
        vault={"active": True, "engage": request, "engage_connect": None, "digest": "d"},
    )
    return story


def pushed(story: Story, group: str | None) -> None:
    """Have a push send Ada's request, and read that she is in this group."""
    request = story.ada.engage.request
    story.became("push", engage={**story.ada.engage.to_json(), "status": "request_sent"})
    story.became(
        "push",
        engage={"request": request, "status": "success", "group": group},
        vault={**story.ada.vault.to_json(), "engage": request},
    )


def test_a_group_that_a_push_added_is_asked_back() -> None:
    story = in_vault(None)
    story.requested("engage", "UK")
    pushed(story, "UK")
    found = story.undo("push", of_a_push=True, shown=False)
    assert story.ada.engage.to_json() == {"request": None, "status": "retry_request", "group": "UK"}
    assert found.held == ()
    # A second time, it is on its way already.
    assert not story.undo("push", of_a_push=True, shown=False).decision.writes


def test_a_group_that_a_push_exchanged_or_took_is_asked_for_again() -> None:
    for asked in ("DE", None):
        story = in_vault("UK", "success", "UK")
        story.requested("engage", asked)
        pushed(story, asked)
        found = story.undo("push", of_a_push=True, shown=False)
        assert story.ada.engage.to_json() == {"request": "UK", "status": "retry_request", "group": asked}
        assert found.held == ()


def test_a_group_is_not_asked_for_whoever_has_left() -> None:
    story = in_vault("UK", "success", "UK")
    story.edited(crm_user_status="inactive")
    pushed(story, None)
    found = story.undo("push", of_a_push=True, shown=False)
    assert not found.decision.writes
    assert all_of(found.held) == ["engage.request cannot be put back: the member is not active"]
    assert "The member is set inactive" in found.held[0].remedy


def test_a_request_that_was_changed_since_the_push_stays() -> None:
    story = in_vault(None)
    story.requested("engage", "UK")
    pushed(story, "UK")
    story.requested("engage", "DE")
    found = story.undo("push", of_a_push=True, shown=False)
    assert not found.decision.writes
    assert all_of(found.held) == [f"engage.request changed since, 2026-11-20 08:24: group request by {JANE}"]


def test_what_a_push_only_read_is_not_its_to_undo() -> None:
    story = in_vault("UK", "request_sent")
    story.became("push", engage={"request": "UK", "status": "success", "group": "UK"})
    found = story.undo("push", of_a_push=True, shown=False)
    assert not found.decision.writes
    assert held(found) == [("engage.status, engage.group", "is what Vault")]


def test_the_status_that_a_push_sets_after_an_end_date_follows_the_end_date() -> None:
    story = in_vault(None)
    story.edited(end_date="2026-11-01")
    story.became("push", crm_user_status="inactive")
    found = story.undo("push", of_a_push=True, shown=False)
    assert not found.decision.writes
    assert held(found) == [("crm_user_status", "follows the end")]


def test_a_request_that_an_import_took_back_is_made_again_and_what_vault_shows_is_not() -> None:
    story = in_vault("UK", "success", "UK")
    story.imported("bad", "Field")
    assert story.ada.engage.request is None
    before = story.values
    story.became("bad", engage={**story.ada.engage.to_json(), "group": None})
    found = story.undo("bad", "Partners")
    assert story.ada.engage.request == "UK"
    assert (found.held, before["engage.group"]) == ((), "UK")
    story.became("read", engage={**story.ada.engage.to_json(), "group": "UK", "status": "success"})
    found = story.undo("read", "Partners")
    assert held(found) == [("engage.status, engage.group", "is what Vault")]


def test_a_group_that_an_automatic_assignment_gives_is_the_assignments() -> None:
    automatic = {**PARTNERS, "update_mode": "automatic"}
    story = in_vault("UK", "success", "UK")
    story.settings = settings(**SECTIONS, assignments=[FIELD, {**automatic, "engage": {"group": "DE"}}])
    story.imported("bad", "Partners")
    assert story.ada.engage.request == "DE"
    found = story.undo("bad", "Partners")
    assert ("engage.request", "follows Salesforce through") in held(found)
    assert values_of(story.ada)["engage.request"] == "DE"


def test_what_was_recorded_of_accounts_in_apps_is_never_put_back() -> None:
    fields = ["accounts.scim.app.state", "title", "accounts.scim.app.id", "seats.gong.state"]
    assert [topic.name for topic in topics_named(fields)] == ["title", "seats.gong"]
