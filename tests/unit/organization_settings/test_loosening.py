"""Which changes of settings wait for approval, whatever they do to members (I5, A14)."""

from typing import Any

import pytest

from muster.organization_settings.loosening import held_for, last_connected
from muster.settings import Settings
from tests.examples import settings

SALESFORCE = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062"}
ANOTHER = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000063"}
VAULT = {"host": "acme.veevavault.com"}


def connected(**connections: Any) -> Settings:
    return settings(connections=connections)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        # Any limit that is raised.
        ({}, {"floor": 6}, ["deactivate is allowed more: floor from 5 to 6", "revoke"]),
        ({}, {"count": 1_000}, ["count from 500 to 1,000", "revoke"]),
        ({}, {"percent": 10.5}, ["percent from 10 to 10.5", "revoke"]),
        ({}, {"floor": 50, "count": 100, "percent": 5}, ["floor from 5 to 50", "revoke"]),
        # A limit of one operation raised, or taken out: then the general one holds, or none.
        ({}, {"operations": {"deactivate": {"percent": 11}}}, ["deactivate"]),
        ({"operations": {"deactivate": {"percent": 5}}}, {}, ["deactivate is allowed more: percent"]),
        ({"operations": {"grant": {"count": 9}}}, {}, ["guard.operations.grant is taken out"]),
        ({"operations": {"create": {}}}, {}, ["guard.operations.create is taken out"]),
        ({"operations": {"create": {"count": 9}}}, {"operations": {"create": {}}}, ["create"]),
        ({"second_person": True}, {}, ["guard.second_person is switched off"]),
        # Tighter, the same in other words, or where nothing was limited.
        ({}, {"floor": 0, "count": 1, "percent": 1}, []),
        ({}, {"floor": 5, "count": 500, "percent": 10.0}, []),
        ({"floor": 9}, {"floor": 8}, []),
        ({}, {"operations": {"deactivate": {"percent": 5}, "grant": {"count": 1_000_000}}}, []),
        ({"floor": 3, "operations": {"deactivate": {"floor": 3}}}, {"floor": 3}, []),
        ({}, {"second_person": True}, []),
    ],
)
def test_a_guard_is_loosened(before: dict[str, Any], after: dict[str, Any], named: list[str]) -> None:
    found = held_for(settings(guard=before), settings(guard=after), {})
    assert len(found) == len(named), found
    for reason, part in zip(found, named, strict=True):
        assert part in reason


def test_the_first_settings_loosen_nothing() -> None:
    first = settings(guard={"floor": 900}, auto_provision={"read_back": False})
    assert held_for(None, first, {}) == []


def test_read_back_is_switched_off() -> None:
    on, off = settings(), settings(auto_provision={"read_back": False})
    [reason] = held_for(on, off, {})
    assert reason.startswith("auto_provision.read_back is switched off")
    assert held_for(off, on, {}) == held_for(off, off, {}) == []


@pytest.mark.parametrize(
    ("after", "last", "named"),
    [
        (
            {"salesforce": ANOTHER},
            {"salesforce": "00D000000000062"},
            "connections.salesforce.organization_id",
        ),
        ({"vault_crm": VAULT}, {"vault_crm": "old.veevavault.com"}, "connections.vault_crm.host"),
        ({"align": VAULT}, {"align": "old.veevavault.com"}, "connections.align.host"),
        # The same, spelled otherwise; a first one; none any more.
        ({"salesforce": SALESFORCE}, {"salesforce": "00D000000000062EAA"}, None),
        ({"vault_crm": VAULT}, {"vault_crm": "ACME.veevavault.com"}, None),
        ({"salesforce": SALESFORCE, "vault_crm": VAULT}, {}, None),
        ({}, {"salesforce": "00D000000000062", "vault_crm": "acme.veevavault.com"}, None),
    ],
)
def test_another_system(after: dict[str, Any], last: dict[str, str], named: str | None) -> None:
    found = held_for(settings(), connected(**after), last)
    assert [reason.startswith(named or "") for reason in found] == ([True] if named else [])


def test_what_was_connected_last_may_be_some_versions_ago() -> None:
    documents: list[dict[str, Any]] = [
        {"organization": "acme"},
        {"connections": {}},
        {"connections": {"vault_crm": {"host": "b.veevavault.com"}, "salesforce": "nonsense"}},
        {"connections": {"vault_crm": {"host": "a.veevavault.com"}, "salesforce": SALESFORCE}},
    ]
    assert last_connected(documents) == {"vault_crm": "b.veevavault.com", "salesforce": "00D000000000062"}
