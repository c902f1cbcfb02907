"""What preflight makes of the fields that custom mappings write (G5, U2)."""

from collections.abc import Iterable
from typing import Any

import pytest

from muster.checks import Check, Read
from muster.connections import written_field_checks
from muster.crm.vault_records import Field
from muster.errors import Unavailable
from tests.examples import settings

MAP = {"field": "role__c", "map": {"Rep": "rep__c", "Lead": "lead__c"}}
AT = "field_maps.vault_crm.outbound.custom.title"


def field(name: str, **changes: Any) -> Field:
    given: dict[str, Any] = {"type": "String", "editable": True, "active": True, "length": 40} | changes
    return Field(name, name, **given)


def checked(
    mapped: object, found: Field | None, values: Read[Iterable[str]] | None = None
) -> dict[str, tuple[str, Check]]:
    """Return result and check by name, of the title mapped so."""
    acme = settings(
        connections={"vault_crm": {"host": "acme-crm.veevavault.com"}},
        field_maps={"vault_crm": {"outbound": {"custom": {"title": mapped}}}},
    )
    picklists = {} if values is None or found is None else {found.name: values}
    checks = written_field_checks.checks(acme, [found] if found else [], picklists)
    return {check.check: (str(check.result), check) for check in checks}


@pytest.mark.parametrize(
    ("mapped", "found", "result", "says"),
    [
        ("title__sys", field("title__sys"), "passed", "may be edited, of 40 characters at most"),
        ("title__sys", field("title__sys", length=0), "passed", "may be edited"),
        ("title__sys", field("title__sys", type="Date", length=0), "passed", "may be edited"),
        ("title__sys", None, "failed", "has no field title__sys"),
        ("title__sys", field("title__sys", active=False), "failed", "is not active"),
        ("title__sys", field("title__sys", editable=False), "failed", "may not be edited"),
        ("title__sys", field("title__sys", type="Number"), "failed", "is of the type Number"),
        ("title__sys", field("title__sys", type="Object"), "failed", "is of the type Object"),
        (MAP, field("role__c"), "passed", "may be edited"),
        (MAP, field("role__c", length=6), "failed", "takes 6 characters, and the map has 'lead__c'"),
    ],
)
def test_a_field_is_there_can_be_edited_and_takes_what_is_written(
    mapped: object, found: Field | None, result: str, says: str
) -> None:
    name = mapped if isinstance(mapped, str) else "role__c"
    [(is_so, check)] = checked(mapped, found).values()
    assert (check.check, is_so) == (f"field {name}", result)
    assert says in check.found
    assert (check.remedy == "") is (result == "passed")


@pytest.mark.parametrize(
    ("mapped", "values", "result", "says"),
    [
        (MAP, ["lead__c", "rep__c", "head__c"], "passed", "has every value"),
        (MAP, ["rep__c"], "failed", "lacks lead__c"),
        (MAP, Unavailable("down"), "could_not_check", "down"),
        ("role__c", ["rep__c", "lead__c"], "warning", "is a picklist of lead__c, rep__c"),
    ],
)
def test_a_picklist_has_what_is_written_to_it(
    mapped: object, values: Read[Iterable[str]], result: str, says: str
) -> None:
    found = field("role__c", type="Picklist", length=0, picklist="roles__c")
    is_so, check = checked(mapped, found, values)["values of role__c"]
    assert is_so == result
    assert says in check.found
    if result in ("failed", "warning"):
        assert AT in check.remedy
