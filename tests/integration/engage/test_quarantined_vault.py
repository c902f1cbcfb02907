"""A Vault CRM that keeps failing is left alone by schedules, and told about once (P6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from muster.errors import MusterError
from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import metrics

DOWN = {"path": "/api/v26.1", "fault": "status", "status": 503, "count": 999}


def scheduled(licences: Licences) -> dict[str, Any] | None:
    """Push as a schedule does; `None`: it failed."""
    try:
        return licences.push(by="schedule")
    except MusterError:
        return None


def codes(licences: Licences) -> list[str]:
    return [entry["code"] for entry in licences.company.errors() if entry["code"].startswith("connection_")]


def test_a_vault_that_is_down_is_probed_less_and_less_often_and_told_about_once(
    licences: Licences, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.faults(DOWN)
    assert [scheduled(licences) for _ in range(3)] == [None] * 3
    assert codes(licences) == ["connection_quarantined"]
    assert metrics(capsys.readouterr().out)["ConnectionsQuarantined"] == 1
    licences.calls()
    said = scheduled(licences)
    assert said is not None
    assert said["status"] == "skipped"
    assert licences.imported("incremental")["status"] == "succeeded_with_errors"
    licences.calls()
    # An admin may try at any time; that, too, is a failure more.
    with pytest.raises(MusterError):
        licences.push()
    licences.faults()
    pass_time(timedelta(hours=3))
    said = scheduled(licences)
    assert said is not None
    assert said["status"] == "succeeded"
    assert codes(licences) == ["connection_recovered", "connection_quarantined"]
    assert licences.status(ada) == ("UK", "success", "UK")


def test_the_import_goes_on_without_a_vault_that_is_down(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.faults(DOWN)
    said = licences.company.run("full", by="schedule")
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"deactivated": 1})
    assert [entry["code"] for entry in licences.company.errors()] == ["vault_not_imported"]
