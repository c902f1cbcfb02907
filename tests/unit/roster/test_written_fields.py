"""What of a member is still to be written to Vault CRM by custom mappings, as tables of values (G5, I9)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.roster import engage_groups, written_fields
from muster.roster.member import Member
from muster.roster.written_fields import FieldWrite
from muster.settings import Settings
from muster.settings.document import read
from tests.members import changed

NOW, LATER = "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"
ADA = Member(
    id="m1",
    organization="acme",
    active=True,
    title="Rep",
    phone_numbers={"mobile": "+44 1"},
    custom={"Region__c": "EMEA"},
    crm={"salesforce": {"id": "005A", "profile_id": "00eA"}, "vault_crm": {"id": "10001"}},
    assignment="Sales",
)
TITLE = {"title": "title__sys"}


def settings(custom: dict[str, Any]) -> Settings:
    document = {
        "connections": {"vault_crm": {"host": "acme.veevavault.com"}},
        "auto_provision": {"custom_fields": ["Region__c"]},
        "field_maps": {"vault_crm": {"outbound": {"custom": custom}}},
    }
    return read(document, "acme")[1]


def marked(**mark: Any) -> Member:
    return changed(ADA, vault={"active": True, "written": {"title": mark}})


def written(member: Member, **shown: str | None) -> dict[str, str | None]:
    """Return what would be written to the title, by attribute."""
    found = written_fields.to_write(member, shown, settings(TITLE))
    return {name: each.to for name, each in found.items()}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("title", "Rep"),
        ("phone_numbers.mobile", "+44 1"),
        ("phone_numbers.other", None),
        ("custom.Region__c", "EMEA"),
        ("custom.Other__c", None),
        ("crm.id", "005A"),
        ("crm.profile_id", "00eA"),
        ("assignment", "Sales"),
    ],
)
def test_the_value_of_an_attribute(attribute: str, value: str | None) -> None:
    assert written_fields.value_of(ADA, attribute) == value


@pytest.mark.parametrize(
    ("member", "now", "to"),
    [
        (ADA, None, "Rep"),
        (ADA, "Boss", "Rep"),
        (ADA, "Rep", "nothing"),
        # Somebody else has filled it; Muster has.
        (replace(ADA, title=None), "Boss", "nothing"),
        (replace(marked(value="Rep", sent="Rep"), title=None), "Boss", "nothing"),
        (replace(marked(value="Rep", sent="Rep"), title=None), "Rep", None),
        (replace(marked(value="Rep", sent="Rep"), title=None), None, "nothing"),
        # To Vault CRM both are the same, until either changes.
        (marked(value="Rep", sent="Rep", same="REP"), "REP", "nothing"),
        (marked(value="Rep", sent="Rep", same="REP"), "Boss", "Rep"),
        (replace(marked(value="Rep", sent="Rep", same="REP"), title="Lead"), "REP", "Lead"),
    ],
)
def test_what_is_to_be_written(member: Member, now: str | None, to: str | None) -> None:
    assert written(member, title__sys=now) == ({} if to == "nothing" else {"title": to})


@pytest.mark.parametrize(
    ("value", "now", "to"),
    [
        ("Rep", "x__v", "sales__v"),
        ("Rep", "sales__v", "nothing"),
        ("rep", "x__v", "nothing"),
        (None, "x__v", "none__v"),
    ],
)
def test_a_map_gives_the_value(value: str | None, now: str, to: str) -> None:
    acme = settings({"title": {"field": "user_type__v", "map": {"Rep": "sales__v", "": "none__v"}}})
    found = written_fields.to_write(replace(ADA, title=value), {"user_type__v": now}, acme)
    assert [each.to for each in found.values()] == ([] if to == "nothing" else [to])


@pytest.mark.parametrize(
    ("mark", "tries", "since"),
    [
        ({"value": "Rep"}, None, None),
        ({"value": "Lead"}, None, ""),
        ({"value": "Rep", "open": True}, None, ""),
        ({"value": "Rep", "open": True}, {"since": NOW, "last": NOW, "count": 1}, ""),
        ({"value": "Rep", "open": True}, {"since": NOW, "last": NOW, "count": 2}, "2026-11-20T14:00:00.000Z"),
        # Another value does not wait.
        ({"value": "Lead", "open": True}, {"since": NOW, "last": NOW, "count": 2}, ""),
    ],
)
def test_from_when_on_a_push_looks_at_it(
    mark: dict[str, Any], tries: dict[str, Any] | None, since: str | None
) -> None:
    member = marked(**mark)
    member = changed(
        member, vault={**member.vault.to_json(), **({"tries": {"fields": tries}} if tries else {})}
    )
    due = engage_groups.due(member)
    assert (due and due.since) == since
    assert due is None or due.what == {"fields"}


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"crm_user_status": "inactive", "vault": {"active": False, "written": {"title": {"value": "x"}}}},
        {"vault": {"active": False, "written": {"title": {"value": "x"}}}},
        {"crm": {"salesforce": {"id": "005A"}}},
    ],
)
def test_who_has_left_or_is_inactive_or_linked_to_nobody_is_not_due_for_it(change: dict[str, Any]) -> None:
    member = changed(marked(value="x"), **change)
    due = engage_groups.due(member)
    assert due is None or "fields" not in due.what


def test_what_becomes_of_a_write() -> None:
    acme, shown = settings(TITLE), {"title__sys": "Boss"}
    member = replace(ADA, vault=written_fields.observed(ADA, shown, acme))
    assert member.vault.to_json()["written"] == {"title": {"value": "Rep", "open": True}}
    writes = written_fields.to_write(member, shown, acme)
    assert writes == {"title": FieldWrite("title__sys", "Rep", "Rep", "Boss")}

    refused = replace(member, vault=written_fields.refused(member, writes, NOW))
    assert written_fields.is_news(member, writes)
    assert not written_fields.is_news(refused, writes)
    # An import that sees the same keeps that it was told; another value is news.
    seen = replace(refused, vault=written_fields.observed(refused, shown, acme))
    assert not written_fields.is_news(seen, writes)
    assert not written_fields.due_to_write(
        replace(seen, vault=written_fields.refused(seen, writes, LATER)), shown, acme, LATER, {"title__sys"}
    )
    lead = replace(seen, title="Lead")
    others = written_fields.due_to_write(lead, shown, acme, LATER, {"title__sys"})
    assert [each.to for each in others.values()] == ["Lead"]
    assert written_fields.is_news(lead, others)
    assert not written_fields.due_to_write(lead, shown, acme, LATER, set())

    sent = replace(lead, vault=written_fields.sent(lead, others, LATER))
    assert sent.vault.to_json()["written"] == {"title": {"value": "Lead", "sent": "Lead"}}
    assert written_fields.due_since(sent) is None
    settled = written_fields.observed(sent, {"title__sys": "Lead"}, acme)
    assert not settled.tries
    # What does not stay is written again, at growing intervals.
    for count, since in ((1, ""), (2, "2026-11-20T15:00:01.000Z")):
        flips = replace(sent, vault=written_fields.observed(sent, shown, acme))
        assert flips.vault.to_json()["tries"]["fields"]["count"] == count
        assert written_fields.due_since(flips) == since
        again = written_fields.to_write(flips, shown, acme)
        sent = replace(flips, vault=written_fields.sent(flips, again, "2026-11-20T09:00:01Z"))
    same = replace(lead, vault=written_fields.unchanged(lead, others))
    assert same.vault.to_json()["written"] == {"title": {"value": "Lead", "sent": "Lead", "same": "Boss"}}
    assert written_fields.to_write(same, shown, acme) == {}


def test_what_is_not_mapped_any_more_is_forgotten() -> None:
    member = marked(value="Rep", open=True)
    assert not written_fields.observed(member, {}, settings({})).written
    # A plan that an earlier version made shows no fields: nothing is known.
    assert written_fields.observed(member, {}, settings(TITLE)) == member.vault
