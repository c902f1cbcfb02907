"""Events of the push: each one to paste does what its name says, and a wrong one changes nothing."""

from typing import Any

import pytest

import scheduled_push
from muster import bootstrap
from tests.integration.company import table
from tests.integration.engage.licences import Licences
from tests.integration.pasted import events_for, pasted
from tests.integration.started_runs import made
from tests.integration.told_metrics import metrics

RUN = "20261120T081532000-0a1b2c3d"


# ── The events to paste ──────────────────────────────────────────────────────────────────────────


def test_an_event_of_each_kind_is_there() -> None:
    kinds = {"push", "preview", "compare", "retry_login", "approve", "reject", "go_on", "start", "undo"}
    kinds |= {"app", "app_preview"}  # to an app
    assert {each.removeprefix("scheduled_push_") for each in events_for("scheduled_push")} == kinds


@pytest.mark.parametrize(("name", "sent"), [("push", 1), ("preview", 0)])
def test_events_that_begin_a_run(licences: Licences, name: str, sent: int) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    said = scheduled_push.handler(pasted(f"scheduled_push_{name}"), licences.company.context)
    assert (said["status"], said["organization"]) == ("succeeded", "acme")
    assert len(licences.processed()) == sent
    run = bootstrap.run_table().run("acme", said["run_id"])
    assert run is not None
    assert (run.kind, run.preview, run.by) == ("push", name == "preview", "jane@acme.example")


@pytest.mark.parametrize(("name", "key"), [("approve", "approve"), ("reject", "reject"), ("go_on", "run_id")])
def test_events_about_a_run_say_so_where_there_is_none_of_that_id(
    licences: Licences, name: str, key: str
) -> None:
    before = table()
    said = scheduled_push.handler(pasted(f"scheduled_push_{name}"), licences.company.context)
    [error] = said["errors"]
    assert (said["status"], error["where"]) == ("rejected", key)
    assert error["message"] == "is not a run of this organization"
    assert table() == before


def test_a_push_that_is_started_is_answered_at_once_and_goes_on_by_itself(
    licences: Licences, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = made(monkeypatch)
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    said = scheduled_push.handler(pasted("scheduled_push_start"), licences.company.context)
    assert (said["status"], said["mode"], licences.processed()) == ("started", "push", [])
    again = licences.push(start=True)
    assert (again["status"], again["run_id"]) == ("rejected", said["run_id"])
    [event] = workflow.started()
    assert event == {"organization": "acme", "run_id": said["run_id"]}
    ended = licences.push(**event, by="schedule")
    assert (ended["status"], ended["run_id"]) == ("succeeded", said["run_id"])
    assert len(licences.processed()) == 1


# ── Malformed ones ───────────────────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[Any, str, str]] = {
    "no object": ([], "event", "not an object"),
    "no organization": ({"by": "jane"}, "organization", "missing"),
    "organization of a key": ({"organization": "acme#RUNS"}, "organization", ""),
    "an organization not set up": ({"organization": "initech"}, "organization", "settings"),
    "two words": ({"approve": RUN, "reject": RUN}, "event", "several things at once"),
    "a preview of a run": ({"approve": RUN, "preview": True}, "event", "preview"),
    "a preview in words": ({"preview": "yes"}, "preview", "neither true nor false"),
    "a run of a path": ({"run_id": "../x"}, "run_id", "not the id of a run"),
    "a run empty": ({"run_id": ""}, "run_id", "not the id of a run"),
    "a hash without a run": ({"plan_hash": "x"}, "event", "plan_hash"),
    "a mode, which is the import's": ({"mode": "full"}, "mode", "not a known key"),
    "members, who are the import's": ({"members": ["ada"]}, "members", "not a known key"),
    "a connection that is not pushed to": ({"connections": ["align"]}, "connections[0]", "not pushed to"),
    "no connection": ({"connections": []}, "connections", "empty"),
    "a connection as text": ({"connections": "vault_crm"}, "connections", "not a list"),
    "nobody": ({}, "by", "is missing"),
    "an approval by a schedule": ({"approve": RUN, "by": "schedule"}, "by", "the schedules"),
    "a rejection by a schedule": ({"reject": RUN, "by": "schedule"}, "by", "the schedules"),
    "a schedule in capitals": ({"by": "SCHEDULE"}, "by", "the schedules"),
    "by on two lines": ({"by": "jane\nroot"}, "by", ""),
}  # fmt: skip


def test_a_wrong_event_is_refused_in_words_and_changes_nothing(licences: Licences) -> None:
    """All in one organization, for making one takes longer than all of them; each must leave it as it was."""
    before = table()
    refused = {}
    for name, (event, _, message) in WRONG.items():
        if isinstance(event, dict) and name != "no organization":
            event = {"organization": "acme", **({} if name == "nobody" else {"by": "jane"}), **event}
        said = scheduled_push.handler(event, licences.company.context)
        error = said["errors"][0]
        is_clear = message in error["message"] and error["remedy"] and said["message"]
        refused[name] = (said["status"], error["where"], bool(is_clear) or error)
        assert table() == before, name
    assert refused == {name: ("rejected", where, True) for name, (_, where, _) in WRONG.items()}


@pytest.mark.parametrize(
    ("connection", "where"),
    [
        (None, "connections.vault_crm"),
        ({"manage_features": []}, "connections.vault_crm.manage_features"),
    ],
)
def test_an_organization_without_anything_to_push_is_told_what_is_missing(
    licences: Licences, connection: dict[str, Any] | None, where: str
) -> None:
    connections = licences.company.document["connections"]
    vault = {**connections["vault_crm"], **connection} if connection else None
    licences.company.put(connections={**connections, "vault_crm": vault})
    before = table()
    said = licences.push()
    assert (said["status"], [error["where"] for error in said["errors"]]) == ("rejected", [where])
    assert table() == before


def test_what_is_refused_is_counted_neither_as_parked_nor_as_failed(
    licences: Licences, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    licences.push(run_id=RUN)
    assert metrics(capsys.readouterr().out) == {"PushesParked": 0}


def test_only_what_was_pushed_to_its_end_is_counted_as_that(
    licences: Licences, capsys: pytest.CaptureFixture[str]
) -> None:
    licences.people(1)
    licences.imported()
    counted = []
    for event in ({"preview": True}, {}):
        capsys.readouterr()
        assert licences.push(**event)["status"] == "succeeded"
        counted.append(metrics(capsys.readouterr().out).get("PushesSucceeded", 0))
    assert counted == [0, 1]
