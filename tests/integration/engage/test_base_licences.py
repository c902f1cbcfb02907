"""Vault CRM has no licence of its own left for a user: told, nothing asked for, done once there is (P3)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import told

GROUP, CONNECT = "Online", "engage_connect"


def used(licences: Licences) -> int:
    (application,) = licences.vault.call("GET", "/objects/licenses")["applications"]
    return int(application["user_licensing"]["full__v"]["used"])


def allow(licences: Licences, number: int) -> None:
    """Let so many users be active."""
    licences.vault.control("PUT", "licenses", {"full_users": number})


def test_who_cannot_be_made_active_is_told_so_and_asked_no_group_until_that_works(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    (ada,) = licences.people(1)
    licences.vault.group(GROUP, 5, feature=CONNECT)
    licences.imported()
    licences.edit(ada, crm_user_status="inactive")
    licences.push()
    allow(licences, used(licences))
    licences.edit(ada, crm_user_status="active")
    licences.imported("incremental")
    licences.ask(ada, group=GROUP, feature=CONNECT)
    for _ in range(3):
        licences.push(by="schedule")
    assert licences.processed() == [], "no group is asked for"
    [entry] = licences.company.errors()
    assert (entry["code"], entry["record"]) == ("not_written", ada)
    assert "was not made active, and is asked no group" in entry["message"]
    assert "maximum number of licensed users" in entry["message"]
    assert "PreflightFunction says (base licences)" in entry["remedy"]
    assert "tried again by itself" in entry["remedy"]

    allow(licences, used(licences) + 1)
    pass_time(timedelta(hours=6))
    licences.push(by="schedule")
    assert licences.status(ada, CONNECT) == (GROUP, "success", GROUP)


def test_how_many_are_left_is_told_by_an_import_of_everyone(
    licences: Licences, capsys: pytest.CaptureFixture[str]
) -> None:
    licences.people(2)
    allow(licences, used(licences) + 3)
    capsys.readouterr()
    assert licences.imported()["vault_crm"]["base_licences_left"] == 3
    found = [each for each in told(capsys.readouterr().out) if each.metric == "BaseLicencesLeft"]
    assert [(each.value, each.of) for each in found] == [(3, {"service": "muster", "organization": "acme"})]
    assert "base_licences_left" not in licences.imported("incremental")["vault_crm"]


def test_a_vault_that_does_not_say_is_imported_all_the_same(licences: Licences) -> None:
    licences.people(1)
    licences.faults(
        {"fault": "failure", "path": "/api/v26.1/objects/licenses", "error": "INSUFFICIENT_ACCESS"}
    )
    said = licences.imported()
    assert said["status"] == "succeeded"
    assert "base_licences_left" not in said["vault_crm"]
