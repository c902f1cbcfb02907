from typing import Any

import pytest

from muster.eligibility import provisioned_email, reason_against
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
    assert reason_against(change(**fields).fields, settings(**sections), already_in=False) == reason


def test_while_assignments_cannot_be_evaluated_nobody_new_is_let_in_and_nobody_is_shut_out() -> None:
    assigned = settings(assignments=[{"name": "Sales", "filter": "Department = 'Sales'"}])
    assert reason_against(change().fields, assigned, already_in=False) == "assignment_unknown"
    assert reason_against(change().fields, assigned, already_in=True) is None
    assert reason_against(change(IsActive="false").fields, assigned, already_in=True) == "inactive_user"


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
