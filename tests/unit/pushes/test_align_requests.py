"""What Align's records ask of members, and what Align is told of them (G9)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from muster.crm import align_fields, engage_features
from muster.crm.engage_features import ALIGN, CONNECT, ENGAGE, FEATURES, STATUSES, Seen
from muster.errors import Incomplete
from muster.pushes import align_requests, push_plan
from muster.pushes.align_requests import AlignRecord
from muster.roster import engage_groups
from muster.roster.decisions import Known
from muster.roster.member import Member
from tests.examples import settings

TODAY = date(2026, 11, 20)
FEATURES_MANAGED = ["engage", "engage_connect"]
VAULT = {"host": "acme-crm.veevavault.com", "manage_features": FEATURES_MANAGED}
ASSIGNMENTS = [
    {"name": "Sales", "update_mode": "automatic", "engage": {"group": "UK"}},
    {"name": "Support", "update_mode": "manual", "engage": {"group": "UK"}},
]
ACME = settings(connections={"vault_crm": VAULT}, assignments=ASSIGNMENTS)
BY_USERNAME = settings(connections={"vault_crm": VAULT | {"match": "username"}})
ENGAGE_ONLY = settings(connections={"vault_crm": VAULT | {"manage_features": ["engage"]}})
RETRY, SENT, SUCCESS = engage_features.RETRY_REQUEST, engage_features.REQUEST_SENT, engage_features.SUCCESS
MODIFIED = "2026-11-20T08:16:00.000Z"


def held(request: str | None = None, status: str | None = None, group: str | None = None) -> dict[str, Any]:
    return {"request": request, "status": status, "group": group}


def member(**attributes: Any) -> Member:
    """Return Ada, who is in Vault CRM and has asked for nothing."""
    ada = Member(
        id="ada",
        organization="acme",
        active=True,
        email="Ada@acme.example",
        username="ada@acme.crm",
        crm={"vault_crm": {"id": "10042"}},
        vault={"active": True},
    )
    return replace(ada, **attributes)


def record(seen: Seen | None = None, feature: str = ENGAGE, **attributes: Any) -> AlignRecord:
    """Return Ada's record, with Retry Request for UK unless something else is seen."""
    shown = dict.fromkeys(FEATURES, Seen()) | {feature: seen or Seen("UK", RETRY)}
    given: dict[str, Any] = {"id": "V4R1", "name": "ada@acme.example", "modified": MODIFIED, "seen": shown}
    return AlignRecord(**(given | attributes))


def row(**fields: Any) -> dict[str, Any]:
    return {
        "id": "V4R1",
        "modified_date__v": MODIFIED,
        "email__aln": "ada@acme.example",
        "engage_group_request__aln": "UK",
        "engage_group_provisioning_status__aln": ["retry_request__aln"],
        "engage_group__aln": None,
        "engage_connect_group_request__aln": None,
        "engage_connect_group_status__aln": None,
        "engage_connect_group__aln": "Connect",
    } | fields


def taken(ada: Member, asked: AlignRecord) -> Member:
    return align_requests.with_requests(ada, asked, ACME, TODAY)


# ── Align's names ────────────────────────────────────────────────────────────────────────────────────


def test_the_fields_are_those_of_the_seed() -> None:
    names = [
        field_of(feature)
        for feature in FEATURES
        for field_of in (align_fields.request_field, align_fields.status_field, align_fields.group_field)
    ]
    assert names == [
        "engage_group_request__aln",
        "engage_group_provisioning_status__aln",
        "engage_group__aln",
        "engage_connect_group_request__aln",
        "engage_connect_group_status__aln",
        "engage_connect_group__aln",
    ]


@pytest.mark.parametrize(("feature", "code"), [(each, code) for each in FEATURES for code in STATUSES[each]])
def test_each_status_has_a_name_and_is_known_by_it_in_any_case(feature: str, code: str) -> None:
    name = align_fields.api_name(code)
    assert name == f"{code}__aln"
    assert align_fields.status_code(feature, name) == align_fields.status_code(feature, name.upper()) == code


@pytest.mark.parametrize(
    ("feature", "name"),
    [(CONNECT, "no_licenses_remaining__aln"), (ENGAGE, "user_not_in_connect__aln"), (ENGAGE, "On_Hold__c")],
)
def test_a_status_that_the_feature_lacks_stays_as_it_is(feature: str, name: str) -> None:
    assert align_fields.status_code(feature, name) == name


# ── What is read ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", ["retry_request__aln", ["retry_request__aln"]])
def test_a_row_is_read_whether_its_picklists_are_arrays_or_texts(status: object) -> None:
    found = align_requests.record_of(row(engage_group_provisioning_status__aln=status), ACME)
    assert found.requested == (ENGAGE,)
    assert found.seen == {ENGAGE: Seen("UK", RETRY, None), CONNECT: Seen(None, None, "Connect")}
    assert (found.id, found.name, found.modified) == ("V4R1", "ada@acme.example", MODIFIED)


@pytest.mark.parametrize("field", row())
def test_a_row_that_lacks_a_field_is_not_a_whole_reading(field: str) -> None:
    lacking = {name: value for name, value in row().items() if name != field}
    with pytest.raises(Incomplete):
        align_requests.record_of(lacking, ACME)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"modified_date__v": ""},
        {"engage_group__aln": ["A", "B"]},
        {"engage_group_request__aln": 7},
    ],
)
def test_a_row_that_is_not_what_it_should_be_is_not_believed(fields: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        align_requests.record_of(row(**fields), ACME)


def test_only_managed_features_are_asked_about() -> None:
    both, one = align_requests.retrying(ACME), align_requests.retrying(ENGAGE_ONLY)
    assert one == "(engage_group_provisioning_status__aln = 'retry_request__aln')"
    assert both == f"{one[:-1]} OR engage_connect_group_status__aln = 'retry_request__aln')"
    assert "connect" not in align_requests.query(one, ENGAGE_ONLY)


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
    assert list(align_requests.about([ada], wanted)) == conditions


def test_two_hundred_go_into_one_condition() -> None:
    many = [member(id=str(number), email=f"u{number}@acme.example") for number in range(401)]
    assert len(list(align_requests.about(many, ACME))) == 3


# ── Whom a record is about ───────────────────────────────────────────────────────────────────────────


def test_members_are_matched_like_users_of_vault_crm() -> None:
    assert align_requests.wanted_for(record(name="ADA@acme.example"), ACME).match_keys == (
        "email#ada@acme.example",
    )
    assert align_requests.wanted_for(record(name="ada@acme.crm"), BY_USERNAME).match_keys == (
        "username#ada@acme.crm",
    )
    assert align_requests.wanted_for(record(name=None), ACME).match_keys == ()


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
    assert align_requests.candidates(Known(namesakes=namesakes)) == candidates


@pytest.mark.parametrize(
    ("records", "members", "said"),
    [(1, 0, "nobody"), (2, 1, "another roster member"), (1, 2, "several members")],
)
def test_why_nobody_is_meant_is_said(records: int, members: int, said: str) -> None:
    problem = align_requests.match_problem(records, members, ACME)
    assert said in problem.message
    assert "email" in problem.remedy


# ── What is asked for ────────────────────────────────────────────────────────────────────────────────


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
    feature: str, before: dict[str, Any], request_: str | None, origin: str | None
) -> None:
    ada = member(**{feature: before})
    after = taken(ada, record(Seen(request_, RETRY), feature))
    assert getattr(after, feature) == {**before, "request": request_, "status": RETRY}
    assert after.origins.get(f"{feature}.request") == origin
    assert engage_groups.due(after) is not None


def test_a_feature_without_retry_request_is_left_alone() -> None:
    assert taken(member(), record(Seen("UK", SUCCESS))) == member()


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
    assert not align_requests.needs_update(after)


GOVERNED = member(assignment="Sales", engage=held("UK", SUCCESS, "UK"))


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
    assert align_requests.needs_update(after)


# ── What Align is told ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mine", "shown", "written"),
    [
        (held("UK", SUCCESS, "UK"), Seen("UK", SUCCESS, "UK"), {}),
        (held("UK", SUCCESS, "UK"), Seen("UK", RETRY), {"status": "success__aln", "group": "UK"}),
        (
            held(None, SUCCESS),
            Seen("UK", RETRY, "UK"),
            {"request": None, "status": "success__aln", "group": None},
        ),
        (held("UK", SENT), Seen("UK", RETRY), {"status": "request_sent__aln"}),
        (held(), Seen("UK", RETRY), {"request": None, "status": None}),
        # Not sent yet: a Retry Request of our own would be taken for an admin's.
        (held("UK", RETRY, "US"), Seen("US", SUCCESS, "US"), {}),
        # A value that Align's picklist cannot have.
        (held("UK", "on_hold__v", "UK"), Seen("UK", RETRY), {"group": "UK"}),
    ],
)
def test_what_differs_is_written_and_nothing_else(
    mine: dict[str, Any], shown: Seen, written: dict[str, str | None]
) -> None:
    fields = {
        "request": "engage_group_request__aln",
        "status": "engage_group_provisioning_status__aln",
        "group": "engage_group__aln",
    }
    expected = {fields[name]: value for name, value in written.items()}
    assert align_requests.differences(member(engage=mine), record(shown)) == expected


def test_whoever_changes_after_being_told_is_due_until_told_again() -> None:
    ada = member(engage=held("UK", SUCCESS, "UK"))
    assert align_requests.needs_update(ada), "touched, and never told"
    assert engage_groups.due(ada) is None
    told = align_requests.with_reported(ada, "V4R1", engage_groups.align_view(ada))
    assert not align_requests.needs_update(told)
    assert engage_groups.due(told) is None
    moved = replace(told, engage=held("US", SUCCESS, "US"))
    due = engage_groups.due(moved)
    assert due is not None
    assert due == engage_groups.Due("", frozenset({ALIGN}))
    assert align_requests.needs_update(moved)
    assert (
        engage_groups.due(align_requests.with_reported(moved, "V4R1", engage_groups.align_view(moved)))
        is None
    )


def test_what_only_align_has_to_be_told_leaves_vault_crm_alone() -> None:
    ends = member(end_date="2027-01-31", engage=held("US", SUCCESS, "US"))
    moved = align_requests.with_reported(ends, "V4R1", {})
    assert engage_groups.due(moved) == engage_groups.Due(
        "", frozenset({ENGAGE, engage_features.USER_STATUS, ALIGN})
    )
    in_vault = engage_groups.due(moved, in_align=False)
    assert not push_plan.is_due(in_vault, ACME, datetime(2026, 11, 20, tzinfo=UTC))
    assert push_plan.is_due(in_vault, ACME, datetime(2027, 2, 1, tzinfo=UTC))


def test_being_told_keeps_what_was_taken() -> None:
    told = align_requests.with_reported(taken(member(), record()), None, {})
    assert told.vault[ALIGN] == {"id": None, "taken": MODIFIED, "told": {}}
    assert not align_requests.has_new_request(told, record())
