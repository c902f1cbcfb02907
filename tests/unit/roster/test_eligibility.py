from typing import Any

import pytest

from muster.roster.eligibility import evaluate, provisioned_email
from muster.roster.member import Member
from tests.examples import change, settings

ACME = {"primary": "acme.example", "company": ["acme.example"], "additional": ["contractors.example"]}


@pytest.mark.parametrize(
    ("fields", "sections", "reason"),
    [
        ({}, {}, None),
        ({"IsActive": "false"}, {}, "inactive_user"),
        ({"IsActive": "false", "LastName": None}, {}, "inactive_user"),
        ({"FirstName": None}, {}, "name_missing"),
        ({"LastName": None}, {}, "name_missing"),
        ({"CallCenterId": None}, {}, "call_center_missing"),
        ({"CallCenterId": None}, {"auto_provision": {"require_call_center": False}}, None),
        ({}, {"domains": ACME}, None),
        ({"Email": "ada@ACME.example"}, {"domains": ACME}, None),
        ({"Email": "ada@contractors.example"}, {"domains": ACME}, None),
        ({"Email": "ada@evil.example"}, {"domains": ACME}, "email_domain"),
        ({"Email": "ada@sub.acme.example"}, {"domains": ACME}, "email_domain"),
        ({"Email": "ada@acme.example.evil.example"}, {"domains": ACME}, "email_domain"),
        ({"Email": "ada"}, {"domains": ACME}, "email_domain"),
        ({"Email": None}, {"domains": ACME}, "email_domain"),
        ({"Email": "ada@evil.example"}, {"domains": ACME | {"convert": True}}, None),
        ({"Email": "evil"}, {"domains": ACME | {"convert": True}}, "email_domain"),
    ],
)
def test_each_reason_not_to_provision_has_its_code(
    fields: dict[str, Any], sections: dict[str, Any], reason: str | None
) -> None:
    assert evaluate(change(**fields).fields, frozenset(), settings(**sections)).reason == reason


MAPPED = settings(
    domains=ACME,
    auto_provision={"custom_fields": ["Work_Email__c", "Preferred__c"]},
    field_maps={"salesforce": {"email": "Work_Email__c", "first_name": "Preferred__c"}},
)
GIVEN = {"Email": "x@login.example", "FirstName": None, "Preferred__c": "Ada"}


@pytest.mark.parametrize(
    ("fields", "sections", "reason"),
    [
        ({"Work_Email__c": "ada@acme.example"}, {}, None),
        # The standard field's domain says nothing of the member's address.
        ({"Work_Email__c": "ada@rival.example", "Email": "ada@acme.example"}, {}, "email_domain"),
        ({"Work_Email__c": None, "Email": "ada@acme.example"}, {}, "email_domain"),
        ({"Work_Email__c": "ada@rival.example"}, {"domains": ACME | {"convert": True}}, None),
        ({"Work_Email__c": "ada@acme.example", "Preferred__c": None, "FirstName": "Ada"}, {}, "name_missing"),
    ],
)
def test_what_is_judged_is_what_the_member_would_have(
    fields: dict[str, Any], sections: dict[str, Any], reason: str | None
) -> None:
    acme = settings(**{**MAPPED.model_dump(mode="json"), **sections})
    assert evaluate(change(31, acme, **{**GIVEN, **fields}).fields, frozenset(), acme).reason == reason


@pytest.mark.parametrize(
    ("username", "email", "reason"),
    [
        ("ada@acme.example", "ada@login.example", None),
        ("ada@rival.example", "ada@acme.example", "email_domain"),
        ("ada", "ada@acme.example", None),
        ("ada", "ada@rival.example", "email_domain"),
    ],
)
def test_a_recipe_is_judged_by_what_it_comes_to(username: str, email: str, reason: str | None) -> None:
    recipe = {"first_valid_email": ["Username", "Email"]}
    acme = settings(domains=ACME, field_maps={"salesforce": {"email": recipe}})
    found = change(31, acme, Username=username, Email=email)
    assert evaluate(found.fields, frozenset(), acme).reason == reason


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (Member(id="m", organization="acme", email="ada@acme.example", first_name="Ada"), None),
        (Member(id="m", organization="acme", email="ada@rival.example", first_name="Ada"), "email_domain"),
        (Member(id="m", organization="acme", email="ada@acme.example"), "name_missing"),
        (None, "name_missing"),
    ],
)
def test_what_no_message_carries_is_judged_as_the_member_has_it(
    own: Member | None, reason: str | None
) -> None:
    unlisted = settings(**{**MAPPED.model_dump(mode="json"), "auto_provision": {}})
    assert evaluate(change(31, unlisted).fields, frozenset(), unlisted, own).reason == reason


ASSIGNED = {
    "assignments": [
        {"name": "Sales", "filter": "Department = 'Sales'"},
        {"name": "Remote", "filter": "State = 'Remote'", "require_call_center": False},
        {"name": "Everyone else"},
    ]
}


@pytest.mark.parametrize(
    ("matches", "fields", "reason", "assignment"),
    [
        ({"Sales", "Remote", "Everyone else"}, {}, None, "Sales"),
        ({"Remote", "Everyone else"}, {}, None, "Remote"),
        ({"Everyone else"}, {}, None, "Everyone else"),
        (set(), {}, "unmatched", None),
        ({"Nobody knows it any more"}, {}, "unmatched", None),
        # Who is not provisioned anyway has that reason, not the missing match.
        (set(), {"IsActive": "false"}, "inactive_user", None),
        (set(), {"LastName": None}, "name_missing", None),
        # The winner may do without a call center, whatever the organization asks for.
        ({"Remote"}, {"CallCenterId": None}, None, "Remote"),
        ({"Sales", "Remote"}, {"CallCenterId": None}, "call_center_missing", "Sales"),
    ],
)
def test_the_uppermost_assignment_that_matches_decides(
    matches: set[str], fields: dict[str, Any], reason: str | None, assignment: str | None
) -> None:
    verdict = evaluate(change(**fields).fields, frozenset(matches), settings(**ASSIGNED))
    assert verdict.reason == reason
    assert (verdict.assignment.name if verdict.assignment else None) == assignment


def test_an_assignment_may_ask_for_a_call_center_where_the_organization_does_not() -> None:
    strict = settings(
        auto_provision={"require_call_center": False},
        assignments=[{"name": "Phones", "require_call_center": True}],
    )
    verdict = evaluate(change(CallCenterId=None).fields, frozenset({"Phones"}), strict)
    assert verdict.reason == "call_center_missing"


@pytest.mark.parametrize(
    ("email", "convert", "expected"),
    [
        ("ada@acme.example", True, "ada@acme.example"),
        ("ada@contractors.example", True, "ada@contractors.example"),
        ("ada@other.example", True, "ada@acme.example"),
        ("ada@other.example", False, "ada@other.example"),
        ("ada", True, "ada"),
        (None, True, None),
    ],
)
def test_a_foreign_domain_is_converted_only_on_request(
    email: str | None, convert: bool, expected: str | None
) -> None:
    domains = settings(domains=ACME | {"convert": convert}).domains
    assert provisioned_email(email, domains) == expected
