"""Align's records as they are read, and whom they are about (G9)."""

from typing import Any

import pytest

from muster.crm.engage_features import ALIGN, CONNECT, ENGAGE, SUCCESS, Seen
from muster.engage import align_records
from muster.errors import Incomplete
from muster.roster.decisions import Known
from muster.roster.member import Member
from tests.examples import settings
from tests.unit.engage.align_examples import (
    ACME,
    BY_USERNAME,
    CREATED,
    DESK,
    ENGAGE_ONLY,
    MODIFIED,
    RETRY,
    VAULT,
    member,
    record,
)


def row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "V4R1",
        "created_date__v": CREATED,
        "modified_date__v": MODIFIED,
        "email__aln": "ada@acme.example",
        "crm_user_status__aln": ["inactive__aln"],
        "end_date__aln": "2026-12-31",
        "engage_group_request__aln": "UK",
        "engage_group_provisioning_status__aln": ["retry_request__aln"],
        "engage_group__aln": None,
        "engage_connect_group_request__aln": None,
        "engage_connect_group_status__aln": None,
        "engage_connect_group__aln": "Connect",
    } | fields


# ── What is read ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", ["retry_request__aln", ["retry_request__aln"]])
def test_a_row_is_read_whether_its_picklists_are_arrays_or_texts(status: object) -> None:
    found = align_records.record_of(row(engage_group_provisioning_status__aln=status), ACME)
    assert found.retrying == (ENGAGE,)
    assert found.seen == {ENGAGE: Seen("UK", RETRY, None), CONNECT: Seen(None, None, "Connect")}
    assert (found.id, found.name, found.created, found.modified) == (
        "V4R1",
        "ada@acme.example",
        CREATED,
        MODIFIED,
    )
    assert found.by_hand == {"crm_user_status": "inactive", "end_date": "2026-12-31"}


@pytest.mark.parametrize("field", row())
def test_a_row_that_lacks_a_field_is_not_a_whole_reading(field: str) -> None:
    lacking = {name: value for name, value in row().items() if name != field}
    with pytest.raises(Incomplete):
        align_records.record_of(lacking, ACME)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"modified_date__v": ""},
        {"engage_group__aln": ["A", "B"]},
        {"engage_group_request__aln": 7},
        {"end_date__aln": "soon"},
    ],
)
def test_a_row_that_is_not_what_it_should_be_is_not_believed(fields: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        align_records.record_of(row(**fields), ACME)


def test_only_managed_features_are_asked_about() -> None:
    both, one = (align_records.changed_since(CREATED, each) for each in (ACME, ENGAGE_ONLY))
    since = (
        f"(modified_date__v >= '{CREATED}' OR engage_group_provisioning_status__aln = 'retry_request__aln'"
    )
    assert one == f"{since})"
    assert both == f"{since} OR engage_connect_group_status__aln = 'retry_request__aln')"
    assert "connect" not in align_records.query(one, ENGAGE_ONLY)
    assert "WHERE" not in align_records.query(None, ACME)


def test_the_names_are_the_settings() -> None:
    own = DESK | {
        "fields": {"engage": {"status": "status__c"}, "email": "mail__c", "end_date": None},
        "statuses": {"engage": {"retry_request": "again__c", "success": "done__c"}},
        "crm_user_statuses": {"inactive": "left__c"},
    }
    named = settings(connections={"vault_crm": VAULT, "align": own})
    assert "status__c = 'again__c'" in align_records.changed_since(CREATED, named)
    shown = {"status__c": ["Done__c"], "mail__c": "ada@acme.example", "crm_user_status__aln": ["left__c"]}
    found = align_records.record_of(row() | shown, named)
    assert found.seen[ENGAGE] == Seen("UK", SUCCESS)
    assert found.by_hand == {"crm_user_status": "inactive"}


@pytest.mark.parametrize(
    ("ada", "wanted", "conditions"),
    [
        (member(), ACME, ["email__aln CONTAINS ('Ada@acme.example', 'ada@acme.example')"]),
        (member(email="ada@acme.example"), ACME, ["email__aln CONTAINS ('ada@acme.example')"]),
        (member(), BY_USERNAME, ["username__aln CONTAINS ('ada@acme.crm')"]),
        (member(email=None), ACME, []),
        (member(vault={ALIGN: {"id": "V4R1", "taken": None, "told": None}}), ACME, ["id CONTAINS ('V4R1')"]),
    ],
)
def test_members_are_looked_up_by_record_or_else_by_name(
    ada: Member, wanted: Any, conditions: list[str]
) -> None:
    assert list(align_records.about([ada], {}, wanted)) == conditions


def test_two_hundred_go_into_one_condition() -> None:
    many = [member(id=str(number), email=f"u{number}@acme.example") for number in range(401)]
    assert len(list(align_records.about(many, {"0": "V4R9"}, ACME))) == 3


# ── Whom a record is about ───────────────────────────────────────────────────────────────────────────


def test_members_are_matched_like_users_of_vault_crm() -> None:
    assert align_records.wanted_for(record(name="ADA@acme.example"), ACME).match_keys == (
        "email#ada@acme.example",
    )
    assert align_records.wanted_for(record(name="ada@acme.crm"), BY_USERNAME).match_keys == (
        "username#ada@acme.crm",
    )
    assert align_records.wanted_for(record(name=None), ACME).match_keys == ()


ADA, LEFT, TWIN = member(), member(id="left", active=False), member(id="twin")


@pytest.mark.parametrize(
    ("namesakes", "candidates"),
    [
        ((), ()),
        ((LEFT,), (LEFT,)),
        ((ADA, LEFT), (ADA,)),
        ((ADA, TWIN), (ADA, TWIN)),
        ((LEFT, LEFT), (LEFT, LEFT)),
    ],
)
def test_of_several_the_active_one_is_meant(
    namesakes: tuple[Member, ...], candidates: tuple[Member, ...]
) -> None:
    assert align_records.candidates(Known(namesakes=namesakes)) == candidates


@pytest.mark.parametrize(
    ("records", "members", "said"),
    [(1, 0, "nobody"), (2, 1, "another roster member"), (1, 2, "several members")],
)
def test_why_nobody_is_meant_is_said(records: int, members: int, said: str) -> None:
    problem = align_records.match_problem(records, members, ACME)
    assert said in problem.message
    assert "email" in problem.remedy
