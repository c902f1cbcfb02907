"""Custom mappings outbound: attributes of members, written to fields of their users in Vault CRM (G5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from muster import bootstrap
from sandbox.vault_crm import values
from tests.integration.engage.licences import UPDATES, Licences

TITLE = {"title": "title__sys"}
READING = ("POST", "/api/v26.1/query")


def map_outbound(licences: Licences, custom: dict[str, Any], **sections: Any) -> None:
    """Save settings with these custom mappings."""
    maps = {"vault_crm": {"outbound": {"custom": custom}}}
    said = licences.company.put(field_maps=maps, **sections)
    assert said["status"] == "succeeded", said


def hired(licences: Licences, **fields: Any) -> str:
    """Have somebody in both systems, with these fields in Salesforce; returns the id in Vault CRM."""
    person = licences.person()
    licences.imported()
    changed(licences, person, **fields)
    licences.imported()
    return person


def changed(licences: Licences, person: str, **fields: Any) -> None:
    """Change somebody in Salesforce."""
    licences.company.salesforce.update(crm_id(licences, person), **fields)


def crm_id(licences: Licences, person: str) -> str:
    return str(licences.member(person)["crm"]["salesforce"]["id"])


def shows(licences: Licences, person: str, field: str = "title__sys") -> Any:
    """Return a field of a user as Vault CRM has it."""
    licences.vault.log_in()
    (row,) = licences.vault.query(f"SELECT {field} FROM user__sys WHERE id = '{person}'")["data"]  # noqa: S608  # VQL of tests
    return row[field]


def codes(licences: Licences) -> list[str]:
    return [entry["code"] for entry in licences.company.errors()]


def test_a_value_is_written_once_and_again_when_it_changes(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    ada, bob = hired(licences, Title="Rep"), hired(licences, Title="Lead")
    said = licences.push()
    assert (said["status"], said["counts"]) == ("succeeded", {"updated": 2})
    assert (shows(licences, ada), shows(licences, bob)) == ("Rep", "Lead")
    licences.imported()
    licences.calls()
    assert licences.push()["counts"] == {}
    assert licences.calls() == []
    # One who has changed is read and written, and nobody else.
    changed(licences, ada, Title="Head")
    licences.imported("incremental")
    assert licences.push()["counts"] == {"updated": 1}
    assert licences.calls().count(UPDATES) == 1
    assert (shows(licences, ada), shows(licences, bob)) == ("Head", "Lead")
    # What it wrote is no change to the roster, and what is unchanged writes nothing (I9).
    for mode in ("incremental", "full", "full"):
        assert licences.imported(mode)["counts"] == {}
    before = licences.company.items()
    licences.imported()
    assert licences.push()["counts"] == {}
    assert [each for each in licences.company.items() if "MEMBER#" in each["sk"]["S"]] == [
        each for each in before if "MEMBER#" in each["sk"]["S"]
    ]


def test_what_is_changed_in_vault_crm_is_written_again(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    ada = hired(licences, Title="Rep")
    licences.push()
    licences.imported()
    licences.vault.log_in()
    licences.vault.update(ada, title__sys="Boss")
    licences.imported("incremental")
    assert licences.push()["counts"] == {"updated": 1}
    assert shows(licences, ada) == "Rep"


def test_a_preview_shows_what_would_be_written_and_writes_nothing(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    ada = hired(licences, Title="Rep")
    licences.calls()
    said = licences.push(preview=True)
    (change,) = said["changes"]
    assert (change["does"], change["user"]) == ("update", ada)
    assert change["fields"] == {"title": {"field": "title__sys", "from": None, "to": "Rep"}}
    assert UPDATES not in licences.calls()
    assert shows(licences, ada) is None


def test_the_guard_holds_more_updates_than_it_allows(licences: Licences) -> None:
    people = [hired(licences, Title="Rep") for _ in range(2)]
    update = {"update": {"floor": 1, "count": 1, "percent": 0}}
    map_outbound(licences, TITLE)
    licences.imported()
    licences.company.put(guard={"operations": update})
    said = licences.push()
    assert said["status"] == "parked", said
    assert [shows(licences, person) for person in people] == [None, None]
    approved = licences.push(approve=said["run_id"], by="joe")
    assert approved["counts"] == {"updated": 2}
    assert [shows(licences, person) for person in people] == ["Rep", "Rep"]


def test_an_empty_attribute_empties_what_muster_has_filled_and_nothing_else(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    ada, bob = hired(licences, Title="Rep"), hired(licences)
    licences.vault.log_in()
    licences.vault.update(bob, title__sys="Boss")
    licences.imported()
    licences.push()
    licences.imported()
    changed(licences, ada, Title=None)
    licences.imported()
    licences.push()
    assert (shows(licences, ada), shows(licences, bob)) == (None, "Boss")


def test_values_are_mapped_and_others_leave_the_field_as_it_is(licences: Licences) -> None:
    map_outbound(licences, {"title": {"field": "user_type__v", "map": {"MSL": "medical__v"}}})
    ada, bob = hired(licences, Title="MSL"), hired(licences, Title="Cook")
    assert licences.push()["counts"] == {"updated": 1}
    assert shows(licences, ada, "user_type__v") == ["medical__v"]
    assert shows(licences, bob, "user_type__v") == ["sales__v"]
    # Whoever gets another value that is mapped to nothing is looked at once, and not for ever: by a push, for
    # imports read users of Vault CRM who have changed there.
    licences.vault.clock.pass_s(3600)
    licences.vault.log_in()
    licences.vault.create(email__sys="nobody@elsewhere.example")
    licences.imported()
    changed(licences, bob, Title="Chef")
    licences.imported("incremental")
    licences.calls()
    licences.push()
    assert READING in licences.calls()
    licences.push()
    assert licences.calls() == []


def test_a_refusal_is_told_once_and_holds_up_no_other_field(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    # An alias has forty characters.
    map_outbound(licences, {**TITLE, "name": "alias__sys", "extension": "company__sys"})
    ada, bob = hired(licences, Title="Rep", LastName="L" * 50), hired(licences, Title="Lead")
    said = licences.push()
    assert said["status"] == "succeeded_with_errors"
    assert (shows(licences, ada), shows(licences, bob)) == ("Rep", "Lead")
    assert codes(licences) == ["not_written"]
    (entry,) = licences.company.errors()
    assert entry["record"] == ada
    assert "alias__sys" in entry["message"]
    # Tried with the next push, six hours after that, then daily; and told no more.
    seen = []
    for _ in range(5):
        licences.calls()
        licences.push()
        seen.append(licences.calls().count(UPDATES))
        licences.imported()
    assert seen == [1, 0, 0, 0, 0]
    pass_time(timedelta(hours=7))
    licences.calls()
    assert licences.push()["status"] == "succeeded"
    assert licences.calls().count(UPDATES) == 1
    assert codes(licences) == ["not_written"]
    # Another value is tried at once; one that can be saved ends it.
    changed(licences, ada, LastName="Lovelace")
    licences.imported()
    assert licences.push()["counts"] == {"updated": 1}
    assert shows(licences, ada, "alias__sys").endswith("Lovelace")
    assert codes(licences) == ["not_written"]


def test_what_vault_crm_takes_for_the_same_is_written_no_more(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    map_outbound(licences, TITLE)
    ada = hired(licences, Title="Rep")
    as_sent = values._read_text
    # This vault keeps texts in small letters.
    with patch.object(values, "_read_text", lambda field, text: as_sent(field, text.lower())):
        seen = []
        for _ in range(4):
            licences.calls()
            licences.push()
            seen.append(licences.calls().count(UPDATES))
            licences.imported()
        pass_time(timedelta(hours=7))
        licences.calls()
        licences.push()
        assert licences.calls() == []
    # Nor when somebody is looked at for another reason.
    licences.ask(ada)
    assert licences.push()["counts"] == {"added": 1, "success": 1}
    licences.calls()
    licences.push()
    assert licences.calls() == []
    assert shows(licences, ada) == "rep"
    # The second is answered with NO_DATA_CHANGES.
    assert seen == [1, 1, 0, 0]
    assert codes(licences) == []


def test_who_has_left_or_is_inactive_or_linked_to_nobody_is_not_written(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    leaver, inactive = hired(licences, Title="Rep"), hired(licences, Title="Rep")
    stranger = licences.vault.create(email__sys="nobody@elsewhere.example")
    licences.edit(leaver, crm_user_status="inactive")
    licences.vault.log_in()
    licences.vault.update(inactive, status__v="inactive__v")
    licences.imported()
    said = licences.push()
    assert "updated" not in said["counts"]
    assert [shows(licences, each) for each in (leaver, inactive, stranger)] == [None] * 3
    licences.calls()
    licences.push()
    assert licences.calls() == []


def test_a_field_that_may_not_be_edited_is_told_and_holds_up_no_licence(licences: Licences) -> None:
    map_outbound(licences, {**TITLE, "extension": "company__sys"})
    ada = hired(licences, Title="Rep", Extension="12")
    not_editable = {"fields": {"user__sys": {"title__sys": False}}}
    licences.vault.control("PUT", "permissions", not_editable)
    licences.ask(ada)
    assert licences.push()["counts"]["added"] == 1
    assert shows(licences, ada, "company__sys") == "12"
    licences.push()
    assert codes(licences) == ["field_not_writable"]
    licences.vault.control("PUT", "permissions", {"fields": {"user__sys": {"title__sys": True}}})
    licences.push()
    assert shows(licences, ada) == "Rep"


def test_fields_are_pushed_where_no_feature_is_managed(licences: Licences) -> None:
    connections = licences.company.document["connections"]
    unmanaged = {**connections, "vault_crm": {"host": connections["vault_crm"]["host"]}}
    said = licences.company.put(connections=unmanaged, field_maps={})
    assert said["status"] == "succeeded", said
    scheduled = [each for each in licences.company.items() if each["pk"]["S"] == "ORGANIZATIONS"]
    assert not scheduled[0]["pushed"]["BOOL"]
    map_outbound(licences, TITLE)
    scheduled = [each for each in licences.company.items() if each["pk"]["S"] == "ORGANIZATIONS"]
    assert scheduled[0]["pushed"]["BOOL"]
    ada = hired(licences, Title="Rep")
    assert licences.push()["counts"] == {"updated": 1}
    assert shows(licences, ada) == "Rep"


def test_taking_a_mapping_out_leaves_nothing_behind(licences: Licences) -> None:
    map_outbound(licences, TITLE)
    ada = hired(licences, Title="Rep")
    licences.company.put(field_maps={})
    licences.imported()
    assert licences.push()["counts"] == {}
    assert shows(licences, ada) is None
    stored = bootstrap.roster_table().members("acme", [licences.member(ada)["id"]])
    assert not stored[licences.member(ada)["id"]].vault.written


@pytest.mark.parametrize("answer", ["lose_answer", "status"])
def test_a_write_without_an_answer_is_looked_at_before_it_is_sent_again(
    licences: Licences, answer: str
) -> None:
    map_outbound(licences, TITLE)
    ada = hired(licences, Title="Rep")
    licences.faults({"path": UPDATES[1], "fault": answer, "status": 503, "count": 1})
    said = licences.push()
    assert said["counts"] == {"updated": 1}
    assert shows(licences, ada) == "Rep"
