"""Users of Vault CRM with a group who are linked to nobody: who they are, what is recorded, what is said."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from muster.crm.engage_features import Feature, Seen
from muster.roster.decisions import Decision, Outcome, UnlinkedReason
from muster.roster.member import Member
from muster.roster.unlinked_holders import (
    UnlinkedHolder,
    changes,
    entry,
    held_in_words,
    holder_of,
    what_to_do,
    why,
)
from muster.sources.vault_users import VaultUser

NOW, EARLIER = "2026-11-20T08:15:00Z", "2026-11-01T08:15:00Z"
NOTHING = Seen(request=None, status=None, group=None)
UNLINKED = Decision(outcome=Outcome.UNLINKED, unlinked_reason=UnlinkedReason.NO_MEMBER)


def user(engage: Seen = NOTHING, engage_connect: Seen = NOTHING) -> VaultUser:
    shown: dict[Feature, Seen] = {"engage": engage, "engage_connect": engage_connect}
    return VaultUser(id="1", username="eve@x.example", email="eve@x.example", active=True, seen=shown)


def seen(group: str | None = None, request: str | None = None) -> Seen:
    return Seen(request=request, status=None, group=group)


def holder(vault_id: str = "1", **fields: Any) -> UnlinkedHolder:
    found = holder_of(user(engage=seen("UK", "UK")), UNLINKED, NOW)
    assert found is not None
    return replace(found, id=vault_id, **fields)


@pytest.mark.parametrize(
    ("shown", "groups"),
    [
        ({}, None),
        ({"engage": seen("UK", "UK")}, {"engage": {"group": "UK", "request": "UK"}}),
        ({"engage": seen("UK")}, {"engage": {"group": "UK", "request": None}}),
        ({"engage_connect": seen(None, "All")}, {"engage_connect": {"group": None, "request": "All"}}),
        ({"engage": Seen(request=None, status="request_failed", group=None)}, None),
    ],
)
def test_who_is_in_a_group_or_asks_for_one(
    shown: Mapping[str, Seen], groups: Mapping[str, object] | None
) -> None:
    found = holder_of(user(**shown), UNLINKED, NOW)
    assert (found.groups if found else None) == groups


@pytest.mark.parametrize(
    ("outcome", "is_nobodys"),
    [
        (Outcome.UNLINKED, True),
        (Outcome.AMBIGUOUS, True),
        (Outcome.LINKED, False),
        (Outcome.UPDATED, False),
        (Outcome.UNCHANGED, False),
    ],
)
def test_who_is_linked_is_somebody(outcome: Outcome, is_nobodys: bool) -> None:
    found = holder_of(user(engage=seen("UK")), Decision(outcome=outcome), NOW)
    assert (found is not None) is is_nobodys


def test_the_members_that_it_fits_are_kept() -> None:
    members = tuple(Member(id=name, organization="acme") for name in ("b", "a"))
    decision = Decision(
        outcome=Outcome.AMBIGUOUS, unlinked_reason=UnlinkedReason.AMBIGUOUS, unchanged=members
    )
    found = holder_of(user(engage=seen("UK")), decision, NOW)
    assert found is not None
    assert (found.reason, found.members) == (UnlinkedReason.AMBIGUOUS, ("a", "b"))


def test_a_document_is_read_as_it_was_written() -> None:
    before = holder(members=("a",), active=False)
    assert UnlinkedHolder.from_document("1", {**before.to_document(), "newer": 1}) == before


@pytest.mark.parametrize("looked_at", [None, ["1", "2", "4"]])
def test_what_is_recorded_is_what_differs(looked_at: list[str] | None) -> None:
    known = {name: holder(name, since=EARLIER) for name in ("1", "2", "3", "4")}
    found = [holder("1"), holder("4", email="new@x.example"), holder("5")]
    told = changes(known, found, looked_at)
    assert [each.id for each in told.record] == ["4", "5"]
    assert [each.since for each in told.record] == [EARLIER, NOW], "since when stays"
    assert told.forget == (("2",) if looked_at else ("2", "3")), "who was not read stays"
    assert told.new == {"5"}
    assert [each.record for each in told.told("email", "r")] == ["5"], "each is told once"


@pytest.mark.parametrize(
    ("reason", "match", "said"),
    [
        (UnlinkedReason.NO_MEMBER, "email", "no member has its e-mail address"),
        (UnlinkedReason.NO_MEMBER, "username", "no member has its username"),
        (UnlinkedReason.AMBIGUOUS, "email", "several members have its e-mail address"),
        (UnlinkedReason.MEMBER_LINKED_TO_ANOTHER, "email", "linked to another user of Vault CRM"),
        (UnlinkedReason.MEMBER_LEFT, "email", "has left"),
    ],
)
def test_why_is_said_in_words(reason: UnlinkedReason, match: str, said: str) -> None:
    assert said in why(holder(reason=reason), match)


BOTH = {
    "engage": {"group": "UK", "request": "UK"},
    "engage_connect": {"group": "All", "request": None},
}


@pytest.mark.parametrize(
    ("fields", "steps"),
    [
        ({}, "in Vault CRM clear engage_group_request__v"),
        ({"groups": {"engage": {"group": "UK", "request": None}}}, "set engage_group_provisioning_status__v"),
        (
            {"groups": BOTH},
            "clear engage_group_request__v, then set engage_connect_group_status__v to Retry Request",
        ),
        (
            {"active": False},
            "make the user active, then clear engage_group_request__v, then make the user inactive again",
        ),
    ],
)
@pytest.mark.parametrize("reason", list(UnlinkedReason))
def test_what_to_do_names_the_places_in_vault_crm(
    reason: UnlinkedReason, fields: dict[str, Any], steps: str
) -> None:
    assert steps in what_to_do(holder(reason=reason, **fields), "email")


def test_the_entry_of_the_error_log_names_no_person() -> None:
    told = entry(holder(groups=BOTH), "email", "r1")
    assert (told.code, told.record, told.at, told.notification) == ("licence_of_nobody", "1", NOW, "r1")
    assert held_in_words(holder(groups=BOTH)) in told.message
    assert held_in_words(holder(groups=BOTH)) == (
        'is in the group "UK" of Engage and is in the group "All" of Engage Connect'
    )
    assert "eve@x.example" not in str(told)
