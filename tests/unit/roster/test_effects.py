"""What follows from a decision: pools and lines, licences, teams, keys, indexes, and events."""

from dataclasses import replace
from typing import Any

import pytest

from muster.adapters.aws.roster_keys import member_item, to_due, to_state
from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Outcome
from muster.roster.effects import Effects, Indexed, Moved, effects, indexed
from muster.roster.engage_groups import Due
from muster.roster.history import HistoryEntry, changes_between
from muster.roster.licence_places import Place
from muster.roster.links import Link
from muster.roster.member import Member
from muster.roster.member_events import Kind
from muster.roster.reasons import END_DATE, NAMESAKE_ACTIVE, NAMESAKE_LEFT, UNMATCHED
from muster.roster.seats import Move
from muster.sources.member_states import MemberState
from tests.members import changed

ADA = Member(id="ada", organization="acme", active=True)
HELD = {"state": "held"}
WAITS = {"state": "waiting", "since": "2026-11-20", "rank": 2}
RECORDED = {"record_web_conferences": Capture("enabled", "enabled", None, "crm")}
UK = {"request": "UK", "status": "success", "group": "UK"}
NOTHING = {"request": None, "status": None, "group": None}
LINK = Link(crm_id="005")
IN_LINE = {"waits": {"engage": {"group": "UK", "since": "s1", "tried": "t1"}}}
TRIED = {"waits": {"engage": {"group": "UK", "since": "s1", "tried": "t2"}}}
ELSEWHERE = {"waits": {"engage": {"group": "US", "since": "s2", "tried": "s2"}}}
AT_UK, AT_UK_TRIED = Place("engage", "UK", "s1", "t1"), Place("engage", "UK", "s1", "t2")
AT_US = Place("engage", "US", "s2", "s2")


def has(**attributes: Any) -> Member:
    return changed(ADA, **attributes)


def in_vault(vault_id: str = "1", **attributes: Any) -> Member:
    return has(crm={"vault_crm": {"id": vault_id}}, **attributes)


def decided(before: Member | None, after: Member | None, **others: Any) -> Decision:
    return Decision(outcome=Outcome.UPDATED, before=before, after=after, **others)


def moved(left: Any = (), joined: Any = ()) -> Moved[Any]:
    return Moved(frozenset(left), frozenset(joined))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ADA, ADA, {}),
        (ADA, has(title="Lead"), {}),
        # A seat's pool, and its line (A9).
        (None, has(seats={"gong": HELD}), {"seats": {"gong": Move(used=1)}}),
        (
            has(seats={"gong": HELD, "forecast": WAITS}),
            ADA,
            {"seats": {"gong": Move(used=-1), "forecast": Move(waiting=-1, leaves=(2, "2026-11-20"))}},
        ),
        # A place in line for a licence is left and joined, or is the same and tried again (G8).
        (None, has(vault=IN_LINE), {"licences": moved(joined=[AT_UK])}),
        (has(vault=IN_LINE), has(vault=TRIED), {"licences": moved(joined=[AT_UK_TRIED])}),
        (has(vault=IN_LINE), has(vault=ELSEWHERE), {"licences": moved([AT_UK], [AT_US])}),
        (has(vault=IN_LINE), has(vault=IN_LINE, crm_user_status="inactive"), {"licences": moved([AT_UK])}),
        # A group that is left frees a licence, unless it goes with the user of Vault CRM.
        (in_vault(engage=UK), in_vault(engage=NOTHING), {"freed": (("engage", "UK"),)}),
        (in_vault(engage=UK), in_vault(engage={**UK, "group": "US"}), {"freed": (("engage", "UK"),)}),
        (in_vault(engage=UK), in_vault(engage={**UK, "status": "request_sent"}), {}),
        (
            in_vault("1", engage=UK),
            in_vault("2", engage=NOTHING),
            {"keys": moved(["vault_crm#1"], ["vault_crm#2"])},
        ),
        # Whose recorded team the member is in (N1).
        (None, has(manager="grace", data_capture=RECORDED), {"teams": moved(joined=["grace"])}),
        (
            has(manager="grace", data_capture=RECORDED),
            has(manager="bob", data_capture=RECORDED),
            {"teams": moved(["grace"], ["bob"])},
        ),
        (
            has(manager="grace", data_capture=RECORDED),
            has(manager="grace", data_capture=RECORDED, active=False),
            {"teams": moved(["grace"])},
        ),
        # Keys are counted as they are stored: two that are stored as one are one (A14).
        (
            has(username="ada@acme.example"),
            has(username="ADA@acme.example", email="lovelace@acme.example"),
            {"keys": moved(joined=["email#lovelace@acme.example"])},
        ),
        (has(email="strauß@acme.example"), has(email="strauss@acme.example"), {}),
        (
            has(email="ada@acme.example"),
            has(email="lovelace@acme.example"),
            {"keys": moved(["email#ada@acme.example"], ["email#lovelace@acme.example"])},
        ),
    ],
)
def test_what_follows_for_the_member(before: Member | None, after: Member, expected: dict[str, Any]) -> None:
    assert effects(decided(before, after)) == Effects(**{"indexed": indexed(after), **expected})


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        # Whoever writes no member moves nothing, whatever it was.
        (decided(has(seats={"gong": HELD}, email="ada@acme.example"), None), Effects()),
        (
            decided(None, None, link=replace(LINK, match_keys=("email#ß", "email#a"))),
            Effects(waiting=moved(joined=["email#ss", "email#a"])),
        ),
        (
            decided(
                None,
                None,
                link_before=replace(LINK, match_keys=("email#a", "email#b")),
                link=replace(LINK, match_keys=("email#b",)),
            ),
            Effects(waiting=moved(["email#a"])),
        ),
        (decided(None, None, link_before=replace(LINK, match_keys=("email#a",))), Effects()),
        (
            decided(None, None, keys_erased=("email#ß", "email#ss")),
            Effects(keys_erased=frozenset({"email#ss"})),
        ),
    ],
)
def test_what_follows_for_a_user_and_for_keys(decision: Decision, expected: Effects) -> None:
    assert effects(decision) == expected


@pytest.mark.parametrize(
    ("version", "erases", "erased"),
    [(1, True, []), (3, True, [1, 2]), (51, True, range(1, 51)), (60, True, range(10, 60)), (3, False, [])],
)
def test_what_is_erased_of_a_history(version: int, erases: bool, erased: list[int]) -> None:
    entry = HistoryEntry(
        member="ada",
        version=version,
        at="2026-11-20",
        origin="admin",
        run="r",
        changes=changes_between(has(manager="grace"), ADA),
    )
    found = effects(decided(ADA, ADA, history=entry, erases_history=erases))
    assert list(found.versions_erased) == list(erased)
    assert [event.kind for event in found.events] == [Kind.MEMBER_UPDATED, Kind.MANAGER_CHANGED]


BOTH = {"salesforce": {"id": "005"}, "vault_crm": {"id": "1"}}


@pytest.mark.parametrize(
    ("member", "state", "due"),
    [
        (ADA, None, None),
        (has(crm={"salesforce": {"id": None}}), None, None),
        (
            has(crm={"salesforce": {"id": "005"}}, digest="d", vault={"digest": "v"}, unmatched_since="u"),
            MemberState("005", "ada", "d", True, "u"),
            None,
        ),
        (
            has(crm=BOTH, vault={"digest": "v"}, active=False, unmatched_since="u", inactive_since="i"),
            MemberState("005", "ada", "", False, "", "1", "v", "i"),
            None,
        ),
        (in_vault(), MemberState("", "ada", "", True, "", "1"), None),
        # Due for a push, for an import, and for both: from the earlier day on.
        (
            in_vault(engage={**NOTHING, "request": "UK", "status": "retry_request"}),
            MemberState("", "ada", "", True, "", "1"),
            Due("", frozenset({"engage"})),
        ),
        (has(end_date="2026-11-20"), None, Due("2026-11-21", frozenset({"evaluation"}))),
        (has(active=False, inactive_reason=END_DATE), None, Due("", frozenset({"evaluation"}))),
        (
            in_vault(engage={**UK, "status": "request_sent"}, end_date="2026-11-20"),
            MemberState("", "ada", "", True, "", "1"),
            Due("", frozenset({"engage", "user_status", "evaluation"})),
        ),
        (
            in_vault(engage=UK, end_date="2026-11-20", vault={"engage": "UK"}),
            MemberState("", "ada", "", True, "", "1"),
            Due("2026-11-21", frozenset({"engage", "user_status", "evaluation"})),
        ),
    ],
)
def test_what_the_indexes_show_and_that_it_is_read_as_written(
    member: Member, state: MemberState | None, due: Due | None
) -> None:
    assert indexed(member) == Indexed(state, due)
    item = member_item(member, indexed(member))
    assert (to_state(item["state"]["S"]) if "state" in item else None) == state
    assert (to_due(item["due"]["S"]) if "due" in item else None) == (due and ("ada", due))


@pytest.mark.parametrize(
    ("link", "days"),
    [
        (replace(LINK, member="ada"), None),
        (replace(LINK, reason=NAMESAKE_ACTIVE), None),
        (replace(LINK, reason=NAMESAKE_LEFT), None),
        (replace(LINK, reason=UNMATCHED), 45),
        (LINK, 45),
    ],
)
def test_a_link_is_remembered_while_it_means_something(link: Link, days: int | None) -> None:
    assert link.days == days
