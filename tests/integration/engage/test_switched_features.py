"""A feature or a mapping is switched off and on: no request and no shown status is lost (G1, G12)."""

from typing import Any

import pytest

import preflight
from muster.settings import strict_yaml
from tests.integration.engage.align_desk import WRITE, Desk
from tests.integration.engage.licences import VAULT_HOST, Licences
from tests.integration.template_reading import ROOT

UNMANAGED = {"host": VAULT_HOST}
MANAGED = {**UNMANAGED, "manage_features": ["engage", "engage_connect"]}
# Nothing of Engage is read or written.
CONNECT_ALONE = {
    "inbound": {
        "system": ["engage_connect.group", "engage_connect.status"],
        "custom": {"engage.request": None},
    },
    "outbound": {"system": ["engage_connect.request", "engage_connect.status"]},
}
SWITCHES: dict[str, dict[str, Any]] = {
    "off": {"vault_crm": {**MANAGED, "manage_features": ["engage_connect"]}},
    "on": {"vault_crm": MANAGED},
    "unmapped": {"maps": CONNECT_ALONE},
    "mapped": {"maps": {}},
}


def switch(licences: Licences, name: str) -> None:
    """Save settings with a feature, or its mappings, switched off or on."""
    change = SWITCHES[name]
    sections: dict[str, Any] = {}
    if "vault_crm" in change:
        connections = licences.company.document["connections"]
        sections["connections"] = {**connections, "vault_crm": change["vault_crm"]}
    else:
        sections["field_maps"] = {"vault_crm": change["maps"]}
    said = licences.company.put_and_approve(**sections)
    assert said["status"] == "succeeded", said


# ── README, step 10 ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pending_edits", ["protect", "overwrite"])
@pytest.mark.parametrize("mode", ["automatic", "manual"])
@pytest.mark.parametrize("imported", ["full", "incremental", None])
def test_connecting_first_and_managing_features_later_keeps_what_an_assignment_asks_for(
    licences: Licences, mode: str, imported: str | None, pending_edits: str
) -> None:
    salesforce = licences.company.salesforce.connection
    managed = of_readme() | {"host": VAULT_HOST}
    pilot = {"name": "Pilot", "update_mode": mode, "engage": {"group": "UK"}}
    licences.company.put(
        assignments=[pilot], connections={"salesforce": salesforce}, pending_edits=pending_edits
    )
    ada, bob = licences.people(2)
    licences.imported()

    unmanaged = {name: value for name, value in managed.items() if name != "manage_features"}
    connections = {"salesforce": salesforce, "vault_crm": unmanaged}
    assert licences.company.put(connections=connections)["status"] == "succeeded"
    assert checked(licences)["status"] == "succeeded"
    licences.imported()
    assert licences.status(ada) == ("UK", None, None)
    # The imports of the days between; Bob is changed in Vault CRM meanwhile.
    licences.imported("incremental")
    licences.vault.update(bob, first_name__sys="Robert")
    licences.imported()
    assert licences.status(bob) == ("UK", None, None)

    connections = {"salesforce": salesforce, "vault_crm": managed}
    assert licences.company.put(connections=connections)["status"] == "succeeded"
    assert checked(licences)["status"] == "succeeded"
    if imported:
        licences.imported(imported)
    preview = licences.push(preview=True)
    assert preview["counts"] == {"added": 2}
    licences.push()
    assert [licences.status(each) for each in (ada, bob)] == [("UK", "success", "UK")] * 2
    assert licences.push()["counts"] == {}


def of_readme() -> dict[str, Any]:
    """Return the connection as step 10 of the README has it in the end."""
    step = (ROOT / "README.md").read_text().partition("\n**10. ")[2].partition("\n**11. ")[0]
    document = strict_yaml.parse(step.partition("```yaml\n")[2].partition("```")[0])
    found: dict[str, Any] = document["connections"]["vault_crm"]
    return found


def checked(licences: Licences) -> dict[str, Any]:
    """Run preflight."""
    said: dict[str, Any] = preflight.handler({"organization": "acme", "by": "jane"}, licences.company.context)
    return said


# ── Off and on ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pending_edits", ["protect", "overwrite"])
@pytest.mark.parametrize("off", ["off", "unmapped"])
def test_a_request_that_is_not_sent_waits_while_its_feature_is_off(
    licences: Licences, off: str, pending_edits: str
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.company.put(pending_edits=pending_edits)
    licences.ask(ada)
    switch(licences, off)
    licences.imported("incremental")
    licences.push()
    licences.vault.update(ada, first_name__sys="Augusta")
    licences.imported()
    assert licences.status(ada)[0] == "UK"
    switch(licences, "on" if off == "off" else "mapped")
    licences.imported()
    assert licences.status(ada) == ("UK", "retry_request", None)
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


def test_while_a_feature_is_off_what_vault_shows_is_shown(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada, group="UK")
    licences.push()
    licences.ask(ada, group="US")
    switch(licences, "off")
    licences.imported()
    assert licences.status(ada) == ("US", "success", "UK")
    explained = licences.company.ask("explain", member=ada)["groups"]["engage"]
    assert "not pushed" in explained["note"]


def test_what_is_asked_for_in_vault_while_a_feature_is_off_is_taken_over(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    switch(licences, "off")
    licences.imported()
    # Whoever is in a group is shown in it.
    licences.vault.update(ada, engage_group_request__v="UK")
    licences.vault.settle()
    licences.imported()
    assert licences.status(ada) == ("UK", "success", "UK")
    switch(licences, "on")
    licences.imported()
    assert licences.push()["counts"] == {}


def test_a_request_that_is_kept_while_its_feature_is_off_is_reported_once(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    switch(licences, "off")
    licences.imported()
    licences.imported()
    (entry,) = licences.company.errors()
    assert entry["code"] == "request_kept"
    assert "manage_features" in entry["remedy"]


@pytest.mark.parametrize("field_of", ["group", "status", "request"])
def test_a_push_leaves_what_an_unmapped_feature_shows(licences: Licences, field_of: str) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.push()
    shown = licences.status(ada)
    assert shown == ("UK", "success", "UK")
    # Of Engage one field less is read than is needed, and nothing is pushed.
    system = [f"engage.{each}" for each in ("group", "status") if each != field_of]
    custom = {"engage.request": None} if field_of == "request" else {}
    maps = {
        "inbound": {"system": ["engage_connect.group", "engage_connect.status", *system], "custom": custom},
        "outbound": CONNECT_ALONE["outbound"],
    }
    assert licences.company.put(field_maps={"vault_crm": maps})["status"] == "succeeded"
    licences.ask(ada, feature="engage_connect")
    licences.push()
    assert licences.status(ada) == shown
    licences.imported()
    assert licences.status(ada) == shown
    switch(licences, "mapped")
    licences.imported()
    assert licences.status(ada) == shown
    assert licences.push()["counts"] == {}


@pytest.mark.parametrize("mode", ["automatic", "manual"])
def test_what_a_message_asks_for_while_a_feature_is_off_is_asked_once_it_is_on(
    licences: Licences, mode: str
) -> None:
    licences.company.put(
        assignments=[
            {
                "name": name,
                "filter": f"Department = '{name}'",
                "update_mode": mode,
                "engage": {"group": group},
            }
            for name, group in (("Sales", "UK"), ("Support", "US"))
        ]
    )
    licences.vault.group("US", 1)
    (ada,) = licences.people(1)
    licences.imported()
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    switch(licences, "off")
    licences.imported()
    moved(licences, ada, Department="Support")
    licences.imported("incremental")
    licences.imported()
    assert licences.status(ada) == ("US", "success", "UK")
    switch(licences, "on")
    licences.push()
    assert licences.status(ada) == ("US", "success", "US")


@pytest.mark.parametrize("off", ["off", "unmapped"])
def test_who_leaves_and_comes_back_while_a_feature_is_off_has_the_group_again(
    licences: Licences, off: str
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.push()
    moved(licences, ada, IsActive=False)
    licences.push()
    assert licences.status(ada) == (None, "success", None)
    switch(licences, off)
    licences.imported()
    moved(licences, ada, IsActive=True)
    licences.imported()
    assert licences.status(ada)[0] == "UK"
    switch(licences, "on" if off == "off" else "mapped")
    licences.imported()
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


@pytest.mark.parametrize("leaves", ["before", "while off"])
def test_who_leaves_while_a_feature_is_off_gives_the_group_back_once_it_is_on(
    licences: Licences, leaves: str
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.push()
    if leaves == "before":
        moved(licences, ada, IsActive=False)
    switch(licences, "off")
    licences.imported()
    if leaves == "while off":
        moved(licences, ada, IsActive=False)
    licences.imported()
    licences.push()
    assert licences.status(ada)[2] == "UK"
    switch(licences, "on")
    licences.push()
    assert licences.status(ada)[2] is None
    assert licences.vault.used()["UK"] == 0


def test_a_licence_freed_while_a_feature_is_off_is_given_once_it_is_on(licences: Licences) -> None:
    licences.vault.group("UK", 1)
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(ada)
    licences.push()
    licences.ask(bob)
    licences.push()
    assert licences.status(bob)[1] == "no_licenses_remaining"
    switch(licences, "off")
    licences.vault.update(ada, engage_group_request__v=None)
    licences.vault.settle()
    licences.imported()
    licences.ask(ada, group="Reps", feature="engage_connect")
    licences.push()
    switch(licences, "on")
    licences.push()
    assert licences.status(bob) == ("UK", "success", "UK")


def moved(licences: Licences, person: str, **fields: Any) -> None:
    """Change somebody in Salesforce, and follow the message about it."""
    crm_id = str(licences.member(person)["crm"]["salesforce"]["id"])
    licences.company.salesforce.update(crm_id, **fields)
    assert licences.company.hear({"Id": crm_id}) == 0


# ── With Align ───────────────────────────────────────────────────────────────────────────────────


def test_what_has_changed_while_a_feature_was_off_is_shown_in_align(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    licences = desk.licences
    licences.vault.group("US", 1)
    desk.ask(record, "UK")
    licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    switch(licences, "off")
    licences.imported()
    licences.vault.update(user, engage_group_request__v="US")
    licences.vault.settle()
    # The other feature is written to the same record meanwhile.
    licences.vault.group("Reps", None, "engage_connect")
    desk.ask(record, "Reps", "engage_connect")
    licences.imported()
    licences.push()
    licences.imported()
    assert desk.shows(record) == ("UK", "success__aln", "UK"), "nothing of it is written"
    switch(licences, "on")
    licences.imported()
    assert desk.shows(record) == ("US", "success__aln", "US")
    desk.calls()
    licences.imported()
    assert WRITE not in desk.calls()


def test_what_align_asked_for_and_was_not_sent_waits(desk: Desk, ada: tuple[str, str]) -> None:
    _, record = ada
    licences = desk.licences
    desk.ask(record, "UK")
    licences.imported("incremental")
    switch(licences, "off")
    licences.imported()
    licences.push()
    switch(licences, "on")
    licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
