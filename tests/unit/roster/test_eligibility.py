from typing import Any

import pytest

from muster.roster.eligibility import evaluate, provisioned_email
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
