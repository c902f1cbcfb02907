"""What Align is shown of members (G9)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import ALIGN, ENGAGE, SUCCESS, Seen
from muster.engage import align_outcomes, align_requests, push_plan
from muster.engage.align_records import AlignRecord
from muster.roster import engage_groups
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from tests.examples import settings
from tests.unit.engage.align_examples import (
    ACME,
    DESK,
    MODIFIED,
    RETRY,
    SENT,
    TODAY,
    VAULT,
    filled,
    held,
    member,
    record,
)

REQUEST, STATUS, GROUP = (
    "engage_group_request__aln",
    "engage_group_provisioning_status__aln",
    "engage_group__aln",
)
LATER = "2026-11-20T09:00:00.000Z"
IN_UK = held("UK", SUCCESS, "UK")


def taken(ada: Member, asked: AlignRecord) -> Member:
    return align_requests.taken_over(ada, asked, ACME, TODAY)


def reported(ada: Member, shown: AlignRecord) -> Member:
    """Return the member once all that differs has been written."""
    fields = align_outcomes.differences(ada, shown, ACME)
    return align_outcomes.with_reported(ada, shown, ada, fields, ACME)


@pytest.mark.parametrize(
    ("mine", "shown", "written"),
    [
        (IN_UK, Seen("UK", SUCCESS, "UK"), {}),
        (IN_UK, Seen("UK", RETRY), {STATUS: "success__aln", GROUP: "UK"}),
        (held(None, SUCCESS), Seen("UK", RETRY, "UK"), {REQUEST: None, STATUS: "success__aln", GROUP: None}),
        (held("UK", SENT), Seen("UK", RETRY), {STATUS: "request_sent__aln"}),
        (held(), Seen("UK", RETRY), {REQUEST: None, STATUS: None}),
        # Not sent yet: a Retry Request of our own would be taken for an admin's.
        (held("UK", RETRY, "US"), Seen("US", SUCCESS, "US"), {}),
        # A value that Align's picklist cannot have.
        (held("UK", "on_hold__v", "UK"), Seen("UK", RETRY), {GROUP: "UK"}),
    ],
)
def test_of_a_record_that_was_dealt_with_all_that_differs_is_written(
    mine: Engage, shown: Seen, written: dict[str, str | None]
) -> None:
    ada = replace(taken(filled(member()), record()), engage=mine)
    assert align_outcomes.differences(ada, record(shown), ACME) == written


@pytest.mark.parametrize(
    ("ada", "shown", "written"),
    [
        # Never filled in: what is empty is, what somebody has typed stays.
        (member(engage=IN_UK), Seen(), {REQUEST: "UK", STATUS: "success__aln", GROUP: "UK"}),
        (member(engage=IN_UK), Seen("US"), {STATUS: "success__aln", GROUP: "UK"}),
        (member(), Seen("US"), {}),
        # Filled in, and typed since without Retry Request.
        (reported(member(engage=IN_UK), record(Seen())), Seen("US", SUCCESS, "UK"), {}),
        (reported(member(engage=IN_UK), record(Seen())), Seen(None, SUCCESS, "UK"), {}),
        # It shows what it was given: whatever the member has now is written.
        (
            replace(reported(member(engage=IN_UK), record(Seen())), engage=held("US", SUCCESS, "US")),
            Seen("UK", SUCCESS, "UK"),
            {REQUEST: "US", GROUP: "US"},
        ),
        # Marked by a version that kept only what it told.
        (filled(member(engage=IN_UK)), Seen("US", SUCCESS, "UK"), {}),
        (
            replace(filled(member(engage=IN_UK)), engage=held(None, SUCCESS)),
            Seen("UK", SUCCESS, "UK"),
            {REQUEST: None, GROUP: None},
        ),
    ],
)
def test_what_an_admin_has_typed_is_not_written_over(
    ada: Member, shown: Seen, written: dict[str, str | None]
) -> None:
    assert align_outcomes.differences(ada, record(shown, modified=LATER), ACME) == written


def test_imports_overwrite_what_is_typed_where_the_settings_say_so() -> None:
    overwriting = settings(connections={"vault_crm": VAULT, "align": DESK}, pending_edits="overwrite")
    shown = record(Seen("US", SUCCESS, "UK"), modified=LATER)
    assert align_outcomes.differences(filled(member(engage=IN_UK)), shown, overwriting) == {REQUEST: "UK"}


def test_a_typed_request_stays_through_every_later_report() -> None:
    ada = reported(member(engage=IN_UK), record(Seen()))
    typed = record(Seen("US", SUCCESS, "UK"), modified=LATER)
    again = replace(reported(ada, typed), engage=held("UK", SENT, "UK"))
    assert align_outcomes.differences(again, typed, ACME) == {STATUS: "request_sent__aln"}


def test_the_names_of_statuses_are_the_settings() -> None:
    own = DESK | {"statuses": {"engage": {"success": "done__c"}}, "fields": {"engage": {"group": "group__c"}}}
    named = settings(connections={"vault_crm": VAULT, "align": own})
    written = align_outcomes.differences(member(engage=IN_UK), record(Seen()), named)
    assert written == {REQUEST: "UK", STATUS: "done__c", "group__c": "UK"}
    assert align_outcomes.without_statuses(written, named) == {REQUEST: "UK", "group__c": "UK"}


def test_whoever_changes_after_being_told_is_due_until_told_again() -> None:
    ada = member(engage=IN_UK)
    assert align_outcomes.is_outdated(ada), "touched, and never told"
    assert align_outcomes.is_to_be_filled(ada, record(Seen()))
    assert engage_groups.due(ada) is None
    told = reported(ada, record(Seen()))
    assert not align_outcomes.is_outdated(told)
    assert not align_outcomes.is_to_be_filled(told, record(Seen()))
    assert engage_groups.due(told) is None
    moved = replace(told, engage=held("US", SUCCESS, "US"))
    assert engage_groups.due(moved) == engage_groups.Due("", frozenset({ALIGN}))
    assert align_outcomes.is_outdated(moved)
    assert engage_groups.due(reported(moved, record(Seen("UK", SUCCESS, "UK")))) is None


def test_what_is_asked_for_here_and_not_sent_is_still_to_be_filled() -> None:
    unsent = member(engage=held("UK", RETRY))
    assert align_outcomes.is_to_be_filled(reported(unsent, record(Seen())), record(Seen()))


def test_what_only_align_has_to_be_told_leaves_vault_crm_alone() -> None:
    told = filled(member(end_date="2027-01-31"))
    moved = replace(told, engage=held("US", SUCCESS, "US"))
    assert engage_groups.due(moved) == engage_groups.Due(
        "", frozenset({ENGAGE, engage_features.USER_STATUS, ALIGN})
    )
    in_vault = engage_groups.due(moved, in_align=False)
    assert not push_plan.is_due(in_vault, ACME, datetime(2026, 11, 20, tzinfo=UTC))
    assert push_plan.is_due(in_vault, ACME, datetime(2027, 2, 1, tzinfo=UTC))


def test_being_told_keeps_what_was_taken() -> None:
    asked = taken(filled(member()), record())
    for told in (reported(asked, record()), align_outcomes.without_record(asked)):
        assert told.vault.to_json()[ALIGN]["taken"] == MODIFIED
        assert not align_requests.asked(told, record())


def test_a_retry_request_that_could_not_be_written_over_is_no_new_one() -> None:
    ada = replace(taken(filled(member()), record()), engage=IN_UK)
    shown = record(Seen("UK", RETRY, "UK"), modified=LATER)
    left = align_outcomes.with_statuses_left(ada, shown, ada, ACME)
    assert not align_requests.asked(left, shown)
    assert align_outcomes.is_outdated(left)
    assert align_outcomes.differences(left, shown, ACME) == {STATUS: "success__aln"}


@pytest.mark.parametrize(
    ("fields", "now", "saved"),
    [
        ({STATUS: "success__aln", GROUP: "UK"}, Seen("UK", SUCCESS, "UK"), None),
        ({STATUS: "success__aln", GROUP: "UK"}, Seen("US", SUCCESS, "UK"), "US"),
        ({REQUEST: "UK", STATUS: "success__aln"}, Seen("UK", SUCCESS), None),
        ({REQUEST: "UK", STATUS: "success__aln"}, Seen(None, SUCCESS), None),
        # It is still there: the next run takes it over.
        ({STATUS: "success__aln", GROUP: "UK"}, Seen("US", RETRY, "UK"), None),
    ],
)
def test_what_was_saved_while_a_record_was_written_is_found(
    fields: dict[str, str | None], now: Seen, saved: str | None
) -> None:
    before = record(Seen("UK", RETRY))
    found = align_outcomes.overtaken(before, fields, record(now, modified=LATER), ACME)
    if saved is None and now.request is not None:
        assert found is None
    else:
        assert found is not None
        assert (found.seen[ENGAGE].request, found.retrying) == (saved, (ENGAGE,))
