"""What admins ask for in Align's records, taken over into members (G9)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import ALIGN, CONNECT, ENGAGE, FEATURES, SUCCESS, Feature, Seen
from muster.engage import align_outcomes, align_requests
from muster.engage.align_records import AlignRecord
from muster.roster import engage_groups
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from tests.unit.engage.align_examples import (
    ACME,
    MODIFIED,
    RETRY,
    TODAY,
    filled,
    held,
    member,
    record,
)


def taken(ada: Member, asked: AlignRecord) -> Member:
    return align_requests.taken_over(ada, asked, ACME, TODAY)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(
    ("before", "request_", "origin"),
    [
        (held(), "UK", ALIGN),
        (held("US", SUCCESS, "US"), "UK", ALIGN),
        (held("US", SUCCESS, "US"), None, ALIGN),
        (held("US", RETRY), "UK", ALIGN),
        (held("UK", engage_features.INVALID_GROUP_NAME), "UK", None),
        (held(None, SUCCESS), None, None),
    ],
)
def test_retry_request_becomes_the_members(
    feature: Feature, before: Engage, request_: str | None, origin: str | None
) -> None:
    ada = filled(member(**{feature: before}))
    after = taken(ada, record(Seen(request_, RETRY), feature))
    assert after.feature(feature) == replace(before, request=request_, status=RETRY)
    assert after.origins.get(f"{feature}.request") == origin
    assert engage_groups.due(after) is not None


def test_a_feature_without_retry_request_is_left_alone() -> None:
    assert taken(member(), record(Seen("UK", SUCCESS))) == member()
    assert taken(member(), record(Seen("UK"))) == member()


def test_both_features_are_taken_at_once() -> None:
    both = replace(record(), seen={ENGAGE: Seen("UK", RETRY), CONNECT: Seen("Connect", RETRY)})
    after = taken(member(), both)
    assert (after.engage, after.engage_connect) == (held("UK", RETRY), held("Connect", RETRY))
    assert after.origins == {"engage.request": ALIGN, "engage_connect.request": ALIGN}


def test_a_record_is_taken_once_until_it_is_saved_again() -> None:
    after = taken(member(), record())
    sent = replace(after, engage=held("UK", SUCCESS, "UK"))
    assert taken(sent, record()) == sent
    again = taken(sent, record(modified="2026-11-20T09:00:00.000Z"))
    assert again.engage == held("UK", RETRY, "UK")


def test_who_is_not_in_vault_crm_keeps_the_request_without_a_status() -> None:
    after = taken(member(crm={}, vault={}), record())
    assert after.engage == held("UK")
    assert engage_groups.due(after) is None
    assert not align_outcomes.is_outdated(after)


HELD = held("UK", SUCCESS, "UK")
GOVERNED = member(assignment="Sales", engage=HELD)


@pytest.mark.parametrize(
    ("ada", "request_", "refused"),
    [
        (member(), "UK", False),
        (GOVERNED, "US", True),
        (GOVERNED, None, True),
        (GOVERNED, "UK", False),
        (replace(GOVERNED, assignment="Support"), "US", False),
        (member(active=False), "UK", True),
        (member(active=False), None, False),
        (member(crm_user_status="inactive"), "UK", True),
        (member(end_date="2026-11-19"), "UK", True),
        (member(end_date="2026-11-20"), "UK", False),
        # Nobody had filled in the record: an empty request beside Retry Request is not an admin's.
        (member(engage=HELD), None, True),
        (filled(member(engage=HELD)), None, False),
        (member(engage=HELD, vault={ALIGN: {"id": "V4R0", "taken": None, "told": None}}), None, True),
    ],
)
def test_a_request_that_is_not_for_align_to_make_is_refused_with_what_to_do(
    ada: Member, request_: str | None, refused: bool
) -> None:
    asked = record(Seen(request_, RETRY))
    problems = align_requests.refusals(ada, asked, ACME, TODAY)
    assert len(problems) == refused
    assert all(problem.remedy and problem.where == "engage_group_request__aln" for problem in problems)
    after = taken(ada, asked)
    assert (after.engage == ada.engage) == refused
    # Refused or not, it is not asked for again, and Align is told what stands.
    assert taken(after, asked) == after
    assert align_outcomes.is_outdated(after)


NOT_IN_VAULT = member(crm={}, vault={})


@pytest.mark.parametrize(
    ("ada", "changes", "linked", "is_taken"),
    [
        (NOT_IN_VAULT, {}, False, True),
        (member(), {}, False, False),
        # Saved once, when it was created; and somebody whom this very import has linked.
        (member(), {"created": MODIFIED}, False, True),
        (member(), {}, True, True),
        # What the record shows because we wrote it is no request.
        (filled(member()), {"created": MODIFIED}, True, False),
        # Another status than none: somebody has dealt with it.
        (member(), {"created": MODIFIED, "seen": Seen("UK", SUCCESS)}, False, False),
        (NOT_IN_VAULT, {"seen": Seen()}, False, False),
    ],
)
def test_a_new_members_request_needs_no_retry_request(
    ada: Member, changes: dict[str, Any], linked: bool, is_taken: bool
) -> None:
    asked = record(**{"seen": Seen("UK")} | changes)
    after = align_requests.taken_over(ada, asked, ACME, TODAY, linked=linked)
    assert after.engage.request == ("UK" if is_taken else None)
    assert (after == ada) is not is_taken


def test_a_new_member_may_be_asked_another_group_for_or_none_until_linked() -> None:
    asked = taken(NOT_IN_VAULT, record(Seen("UK")))
    later = "2026-11-20T09:00:00.000Z"
    assert taken(asked, record(Seen("US"), modified=later)).engage.request == "US"
    assert taken(asked, record(Seen(None), modified=later)).engage.request is None
    assert taken(asked, record(Seen("UK"), modified=later)) == asked


# ── Who leaves, by Align ─────────────────────────────────────────────────────────────────────────────


def by_hand(status: str | None = "active", end_date: str | None = None) -> AlignRecord:
    return record(Seen(), by_hand={"crm_user_status": status, "end_date": end_date})


@pytest.mark.parametrize(
    ("before", "now", "status", "end_date"),
    [
        # Seen first: what says nothing changes nothing.
        (None, by_hand(), None, None),
        (None, by_hand("inactive"), "inactive", None),
        (None, by_hand(None, "2027-01-31"), None, "2027-01-31"),
        # Known: what changes there.
        (by_hand(), by_hand("inactive"), "inactive", None),
        (by_hand("inactive"), by_hand(), "active", None),
        (by_hand(end_date="2027-01-31"), by_hand(end_date="2027-02-28"), None, "2027-02-28"),
        (by_hand(end_date="2027-01-31"), by_hand(), None, None),
        (by_hand("inactive"), by_hand(None), "inactive", None),
    ],
)
def test_status_and_end_date_follow_align(
    before: AlignRecord | None, now: AlignRecord, status: str | None, end_date: str | None
) -> None:
    ada = member() if before is None else taken(member(), before)
    if before is not None:
        ada = align_outcomes.with_reported(ada, before, ada, {}, ACME)
    after = taken(ada, now)
    assert (after.crm_user_status, after.end_date) == (status, end_date)
    assert taken(after, now) == after


def test_what_was_edited_in_muster_stays_until_it_changes_in_align() -> None:
    ada = align_outcomes.with_reported(member(), by_hand(), member(), {}, ACME)
    edited = replace(ada, crm_user_status="inactive", end_date="2027-03-31")
    assert taken(edited, by_hand()) == edited
    after = taken(edited, by_hand(end_date="2027-04-30"))
    assert (after.crm_user_status, after.end_date) == ("inactive", "2027-04-30")


def test_after_an_end_date_a_later_one_opens_again_where_align_says_active() -> None:
    ended = taken(member(), by_hand(end_date="2026-11-01"))
    # What a push makes of it, and the next import.
    closed = replace(ended, crm_user_status="inactive", active=False, inactive_reason="end_date", digest="d")
    after = taken(closed, by_hand(end_date="2027-01-31"))
    assert (after.crm_user_status, after.end_date) == ("active", "2027-01-31")
    assert (after.inactive_reason, after.digest) == ("taken_back", "")
    assert after.origins == {"crm_user_status": ALIGN, "end_date": ALIGN}
    still = taken(closed, by_hand("inactive", end_date="2027-01-31"))
    assert (still.crm_user_status, still.inactive_reason) == ("inactive", "end_date")
