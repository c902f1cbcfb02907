"""A vault in its maintenance window, or whose calls are used up, is no failing connection (P6)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from muster.connections.quarantine import LONGEST
from muster.errors import MusterError
from tests.doubles.aws import forget_clients
from tests.integration.engage.licences import Licences
from tests.integration.told_metrics import metrics

MAINTENANCE = {"path": "/api", "fault": "maintenance", "count": 999}


def codes(licences: Licences) -> list[str]:
    return [each["code"] for each in licences.company.errors() if each["code"].startswith("connection_")]


def test_an_announced_downtime_is_told_and_waited_for(
    licences: Licences, pass_time: Callable[[timedelta], None], capsys: pytest.CaptureFixture[str]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.faults(MAINTENANCE)
    capsys.readouterr()
    for _ in range(5):
        said = licences.push(by="schedule")
        assert said["status"] == "skipped"
        pass_time(timedelta(minutes=45))
    told = metrics(capsys.readouterr().out)
    assert "PushesFailed" not in told
    assert "ConnectionsQuarantined" not in told
    assert codes(licences) == ["connection_maintenance"]
    (entry,) = [each for each in licences.company.errors() if each["code"] == "connection_maintenance"]
    assert "takes 240 minutes" in entry["message"]
    assert not any("Correct" in each["remedy"] for each in licences.company.errors())
    licences.faults()
    pass_time(timedelta(minutes=20))
    assert licences.push(by="schedule")["status"] == "succeeded"
    assert licences.status(ada) == ("UK", "success", "UK")
    assert codes(licences) == ["connection_maintenance"]


def test_the_import_goes_on_in_maintenance_and_an_admin_is_told_at_once(licences: Licences) -> None:
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(bob)
    licences.company.salesforce.update(licences.member(ada)["crm"]["salesforce"]["id"], IsActive=False)
    licences.faults(MAINTENANCE)
    said = licences.company.run("full", by="schedule")
    assert (said["status"], said["counts"]) == ("succeeded_with_errors", {"deactivated": 1})
    assert {each["code"] for each in licences.company.errors()} == {
        "vault_not_imported",
        "connection_maintenance",
    }
    with pytest.raises(MusterError, match="240 minutes"):
        licences.push()
    # Nothing of it is asked until then.
    assert licences.company.run("full", by="schedule")["status"] == "succeeded"


def test_a_burst_limit_that_is_used_up_is_no_failing_connection(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.vault.control("PUT", "burst", {"limit": 2, "delay_s": 0})
    for _ in range(5):
        forget_clients()
        with pytest.raises(MusterError, match="nearly used up"):
            licences.push(by="schedule")
        pass_time(LONGEST)
    assert codes(licences) == []
