"""Events of the import: each one to paste does what its name says, and a wrong one changes nothing."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
import scheduled_import
from muster import bootstrap
from tests.integration.company import Company, table
from tests.integration.pasted import events_for, pasted
from tests.integration.told_metrics import metrics

RUN = "20261120T081532000-0a1b2c3d"
OTHER_DIGITS = RUN.replace("1", "\N{ARABIC-INDIC DIGIT ONE}")


# ── The events to paste ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def staffed(company: Company) -> Company:
    """Return Acme with the people that the events name."""
    for name in ("Ada", "Bob", "Eve"):
        email = f"{name.lower()}@acme.example"
        company.salesforce.create(FirstName=name, Department="Sales", Email=email, Username=email)
    return company


def test_an_event_of_each_kind_is_there() -> None:
    kinds = {"full", "incremental", "preview", "members", "approve", "reject", "go_on", "start", "undo"}
    assert {each.removeprefix("scheduled_import_") for each in events_for("scheduled_import")} == kinds


@pytest.mark.parametrize(
    ("name", "mode", "created"),
    [("full", "full", 3), ("incremental", "full", 3), ("preview", "full", 0), ("members", "members", 1)],
)
def test_events_that_begin_a_run(staffed: Company, name: str, mode: str, created: int) -> None:
    said = scheduled_import.handler(pasted(f"scheduled_import_{name}"), staffed.context)
    assert (said["status"], said["organization"], said["mode"]) == ("succeeded", "acme", mode)
    assert len(staffed.active()) == created
    run = bootstrap.run_table().run("acme", said["run_id"])
    assert run is not None
    assert run.preview == (name == "preview")
    assert run.by == pasted(f"scheduled_import_{name}").get("by")
    if name == "members":
        assert [member["first_name"] for member in staffed.roster().values()] == ["Ada"]


@pytest.mark.parametrize(("name", "key"), [("approve", "approve"), ("reject", "reject"), ("go_on", "run_id")])
def test_events_about_a_run_say_so_where_there_is_none_of_that_id(
    company: Company, name: str, key: str
) -> None:
    before = table()
    said = scheduled_import.handler(pasted(f"scheduled_import_{name}"), company.context)
    [error] = said["errors"]
    assert (said["status"], error["where"]) == ("rejected", key)
    assert error["message"] == "is not a run of this organization"
    assert table() == before


# ── Malformed and hostile ones ───────────────────────────────────────────────────────────────────

WRONG: dict[str, tuple[Any, str, str]] = {
    "no object": ([], "event", "not an object"),
    "nothing": (None, "event", "not an object"),
    "text": ("full", "event", "not an object"),
    "no organization": ({"mode": "full"}, "organization", "missing"),
    "organization a list": ({"organization": ["acme"], "mode": "full"}, "organization", "not text"),
    "organization a path": ({"organization": "../acme", "mode": "full"}, "organization", ""),
    "organization of a key": ({"organization": "acme#RUNS", "mode": "full"}, "organization", ""),
    "an organization not set up": ({"organization": "initech", "mode": "full"}, "organization", "settings"),
    "nothing asked": ({}, "event", "asks for nothing"),
    "a preview of nothing": ({"preview": True}, "event", "asks for nothing"),
    "nothing, explicitly": ({"mode": None, "run_id": None}, "event", "asks for nothing"),
    "mode in capitals": ({"mode": "FULL"}, "mode", "not one of full, incremental"),
    "mode members": ({"mode": "members"}, "mode", "not one of full, incremental"),
    "mode a list": ({"mode": ["full"]}, "mode", "not one of"),
    "no members": ({"members": []}, "members", "empty"),
    "no members beside a mode": ({"mode": "full", "members": []}, "members", "empty"),
    "members null": ({"mode": "full", "members": None}, "members", "no value"),
    "a member empty": ({"members": [""]}, "members[0]", "empty"),
    "a member blank": ({"members": ["  "]}, "members[0]", "not in the roster"),
    "a member a number": ({"members": ["ada@acme.example", 7]}, "members[1]", "not text"),
    "a member an object": ({"members": [{"email": "ada@acme.example"}]}, "members[0]", "not text"),
    "a member too long": ({"members": ["a" * 255]}, "members[0]", "longer than 254"),
    "members a text": ({"members": "ada@acme.example"}, "members", "not a list"),
    "501 members": ({"members": ["ada@acme.example"] * 501}, "members", "more than 500"),
    "a member nobody knows": ({"members": ["eve@acme.example"]}, "members[0]", "is nobody"),
    "a member of SOQL": ({"members": ["x' OR Email LIKE '%@acme.example"]}, "members[0]", "is nobody"),
    "a member of line ends": ({"members": ["a@b\n\r\t\\'"]}, "members[0]", "is nobody"),
    "a mode and a run": ({"mode": "full", "run_id": RUN}, "event", "several things at once"),
    "two words": ({"approve": RUN, "reject": RUN}, "event", "several things at once"),
    "a preview of a run": ({"approve": RUN, "preview": True}, "event", "preview"),
    "a preview in words": ({"mode": "full", "preview": "yes"}, "preview", "neither true nor false"),
    "a preview as a number": ({"mode": "full", "preview": 1}, "preview", "neither true nor false"),
    "a run of a path": ({"run_id": "../x"}, "run_id", "not the id of a run"),
    "a run of a key": ({"run_id": f"{RUN}#"}, "run_id", "not the id of a run"),
    "a run with a line end": ({"run_id": f"{RUN}\n"}, "run_id", "not the id of a run"),
    "a run of other digits": ({"approve": OTHER_DIGITS}, "approve", "not the id of a run"),
    "a run empty": ({"run_id": ""}, "run_id", "not the id of a run"),
    "a run a number": ({"reject": 20261120}, "reject", "not text"),
    "a run there is none": ({"run_id": RUN}, "run_id", "not a run of this organization"),
    "a hash without a run": ({"mode": "full", "plan_hash": "x"}, "event", "plan_hash"),
    "an unknown key": ({"mode": "full", "aprove": RUN}, "aprove", "not a known key"),
    "an action": ({"mode": "full", "action": "get"}, "action", "not a known key"),
    "by on two lines": ({"mode": "full", "by": "jane\nroot"}, "by", ""),
    "by half a character": ({"mode": "full", "by": "\ud800"}, "event", "not valid text"),
    "nobody": ({"mode": "full"}, "by", "is missing"),
    "an approval by a schedule": ({"approve": RUN, "by": "schedule"}, "by", "the schedules"),
    "a rejection by a schedule": ({"reject": RUN, "by": "schedule"}, "by", "the schedules"),
    "people named by a schedule": ({"members": ["x"], "by": "schedule"}, "by", "the schedules"),
    "a schedule in capitals": ({"mode": "full", "by": "Schedule"}, "by", "the schedules"),
    "not a number": ({"mode": float("nan")}, "mode", ""),
    "no JSON": ({"mode": {1, 2}}, "event", "not JSON"),
}  # fmt: skip


def test_a_wrong_event_is_refused_in_words_and_changes_nothing(company: Company) -> None:
    """All in one organization, for making one takes longer than all of them; each must leave it as it was."""
    before = table()
    refused = {}
    for name, (event, _, message) in WRONG.items():
        if isinstance(event, dict) and name != "no organization":
            event = {"organization": "acme", **({} if name == "nobody" else {"by": "jane"}), **event}
        said = scheduled_import.handler(event, company.context)
        [error] = said["errors"]
        json.dumps(said)
        is_clear = message in error["message"] and error["remedy"] and said["message"]
        refused[name] = (said["status"], error["where"], bool(is_clear) or error)
        assert table() == before, name
    assert refused == {name: ("rejected", where, True) for name, (_, where, _) in WRONG.items()}


def test_a_run_of_another_organization_is_nobodys(company: Company, context: LambdaContext) -> None:
    people = company.salesforce.create_many(3, Department=["Sales"])
    company.put(guard={"floor": 0, "count": 0, "percent": 0})
    company.run()
    company.salesforce.update(people[0], IsActive=False)
    parked = company.run()
    assert parked["status"] == "parked"
    settings = {**company.document, "organization": "initech"}
    put = {"organization": "initech", "action": "put", "by": "eve", "settings": settings}
    assert organization_settings.handler(put, context)["status"] == "succeeded"
    before, eve = table(), {"organization": "initech", "by": "eve"}
    for word in ("approve", "reject", "run_id"):
        said = scheduled_import.handler({**eve, word: parked["run_id"]}, context)
        assert [error["where"] for error in said["errors"]] == [word]
        assert said["errors"][0]["message"] == "is not a run of this organization"
    assert table() == before
    assert company.run(None, approve=parked["run_id"])["counts"] == {"deactivated": 1}


def test_what_is_refused_is_counted_neither_as_parked_nor_as_failed(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    scheduled_import.handler({"organization": "acme", "mode": "FULL"}, company.context)
    assert metrics(capsys.readouterr().out) == {"RunsParked": 0}
