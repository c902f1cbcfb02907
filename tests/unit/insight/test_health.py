"""How an organization is, as a table: what is known, what is found, and whether it is safe to push."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from muster.checks import Check, Result
from muster.connections.quarantine import Health
from muster.insight import health
from muster.insight.health import Facts, Level, Queues
from muster.roster.seats import Pool
from muster.runs.import_state import ImportState
from muster.runs.reasons import Trip
from muster.runs.run import Run, Status
from muster.times import timestamp
from tests.examples import NOW, settings

SETTINGS = settings(
    seats={"gong": {"limit": 10}, "forecast": {}},
    connections={
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000001"},
        "vault_crm": {"host": "acme.veevavault.com", "manage_features": ["engage"]},
    },
)
WELL = Facts(
    now=NOW,
    settings=SETTINGS,
    saved=NOW - timedelta(days=9),
    state=ImportState(),
    runs=(),
    succeeded={"import": NOW, "push": NOW},
    connections={"salesforce": Health(), "vault_crm": Health()},
    checks=[("salesforce", Check("login", Result.PASSED, "works"))],
    pools={"gong": Pool(used=3)},
    waiting={"engage": 0},
    errors={},
    queues=Queues(),
    message_at=NOW,
    due=3,
    left_out={},
)


def run(status: Status, kind: Any = "import", **more: Any) -> Run:
    known = {"id": "r1", "organization": "acme", "mode": "full", "kind": kind, "started_at": timestamp(NOW)}
    return Run(**known, **more, status=status)


def ago(hours: float) -> Any:
    return NOW - timedelta(hours=hours)


LATER = timestamp(NOW + timedelta(days=1))


def test_where_all_is_well_nothing_is_found() -> None:
    assert health.findings(WELL) == []
    assert health.in_words(WELL, []) == "All is well. It is safe to push now: 3 people, nothing blocks."


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"succeeded": {"import": ago(2.9), "push": NOW}}, None, ""),
        ({"succeeded": {"import": ago(5), "push": NOW}}, Level.SOON, "No import has succeeded for 5 hours."),
        ({"succeeded": {"import": ago(30), "push": NOW}}, Level.BROKEN, "for 30 hours"),
        (
            {"succeeded": {"import": NOW, "push": None}},
            Level.BROKEN,
            "No push has succeeded yet, in 216",
        ),
        (
            {"runs": (run(Status.PARKED, expires_at=LATER),)},
            Level.WAITS,
            "An import waits for a word",
        ),
        ({"runs": (run(Status.PARKED, expires_at=timestamp(ago(1))),)}, None, ""),
        (
            {"runs": (run(Status.FAILED, message="It broke."),)},
            Level.BROKEN,
            "last import failed: run r1. It broke.",
        ),
        ({"runs": (run(Status.SUCCEEDED), run(Status.FAILED))}, None, ""),
        ({"runs": (run(Status.RUNNING),)}, Level.KNOWN, "An import is at work: run r1."),
        (
            {"connections": {"vault_crm": Health(3, "then", "soon")}},
            Level.BROKEN,
            "has failed 3 times",
        ),
        (
            {"connections": {"vault_crm": Health(1, "then", None, "password")}},
            Level.BROKEN,
            "The password of Vault CRM was refused",
        ),
        ({"connections": {"vault_crm": Health(0, None, "6", "maintenance")}}, Level.KNOWN, "maintenance"),
        (
            {"checks": [("salesforce", Check("login", Result.FAILED, "was refused", "Mend it."))]},
            Level.BROKEN,
            "Salesforce, login: was refused",
        ),
        (
            {"checks": [("align", Check("x", Result.WARNING, "ends soon", "Renew it."))]},
            Level.SOON,
            "Align, x: ends soon",
        ),
        (
            {"checks": [("vault_crm", Check("x", Result.COULD_NOT_CHECK, "down"))] * 2},
            Level.SOON,
            "2 checks of Vault CRM could not be made.",
        ),
        ({"pools": {"gong": Pool(used=9)}}, None, ""),
        ({"pools": {"gong": Pool(used=10)}}, Level.SOON, "Seat gong: 10 of 10 held."),
        ({"pools": {"gong": Pool(used=9, waiting=2)}}, Level.SOON, "9 of 10 held; 2 people in line."),
        ({"pools": {"forecast": Pool(used=900)}}, None, ""),
        ({"waiting": {"engage": 1}}, Level.SOON, "1 person in line for a licence of Engage."),
        ({"errors": {"held_seats": 2}}, Level.WAITS, "2 people held at the door"),
        ({"errors": {"request_failed": 2, "x": 1}}, Level.SOON, "3 open errors: 2 request failed, 1 x."),
        ({"queues": Queues(events_given_up=2)}, Level.BROKEN, "not told on the event bus, 2 times"),
        (
            {"connections": {"vault_crm": Health(last_good=timestamp(ago(30)))}},
            Level.BROKEN,
            "No call of Vault CRM has worked for 30 hours.",
        ),
        ({"connections": {"vault_crm": Health(last_good=timestamp(ago(25)))}}, None, ""),
        ({"queues": Queues(changes=4)}, Level.KNOWN, "4 messages on the queue"),
        ({"queues": Queues(changes_given_up=1)}, Level.BROKEN, "1 message could not be applied"),
        ({"queues": Queues(starts_given_up=2)}, Level.BROKEN, "2 scheduled starts did not happen"),
        ({"message_at": None}, Level.SOON, "has not sent a message yet"),
        ({"message_at": ago(24 * 4)}, Level.SOON, "has sent no message for 4 days"),
        ({"left_out": {"email_domain": 2}}, Level.KNOWN, "2 people are left out: 2 of another e-mail domain"),
    ],
)
def test_each_fact_is_found_with_its_level(changed: dict[str, Any], level: Level | None, words: str) -> None:
    found = health.findings(replace(WELL, **changed))
    assert [finding.level for finding in found] == ([level] if level else [])
    assert words in "".join(finding.what for finding in found)
    # Whatever somebody has to look at says what to do.
    assert all(finding.remedy for finding in found if finding.level is not Level.KNOWN)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"due": 1}, "It is safe to push now: 1 person, nothing blocks."),
        ({"due": 0}, "It is safe to push now: nobody is due, nothing blocks."),
        ({"checks": None}, "nothing blocks as far as is known without asking Vault CRM."),
        ({"runs": (run(Status.RUNNING),)}, "Do not push now: run r1 is at work."),
        (
            {"connections": {"vault_crm": Health(1, "then", None, "password")}},
            "Do not push now: the pass",
        ),
        ({"push_checks": (Check("language", Result.FAILED, "is French", "Set it."),)}, "language: is French"),
        ({"settings": settings()}, "Nothing is pushed"),
        (
            {"push_trips": [Trip("revoke", None, 4, 20, 2)]},
            "A push now would wait for approval: revoke: 4 of 20 active members in all, where 2 are allowed"
            " (3 people, nothing else blocks).",
        ),
    ],
)
def test_whether_it_is_safe_to_push_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    assert sentence in health.push_sentence(replace(WELL, **changed))


def test_the_worst_comes_first() -> None:
    facts = replace(WELL, queues=Queues(changes=1, changes_given_up=1), errors={"held_seats": 1, "x": 1})
    found = health.findings(facts)
    assert [finding.level for finding in found] == [Level.BROKEN, Level.WAITS, Level.SOON, Level.KNOWN]
    assert health.in_words(facts, found).startswith("3 things to look at, first: 1 message could not")


APPS = settings(
    connections={
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000001"},
        "scim": {name: {"host": f"{name}.example", "who": "everyone"} for name in ("gong", "slack")},
    },
)
PUSHED = {"import": NOW, "scim.gong": NOW, "scim.slack": NOW}
OF_APPS = replace(
    WELL, settings=APPS, succeeded=PUSHED, due=0, due_in={"scim.gong": 2}, connections={"scim.gong": Health()}
)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"in_apps": {("scim.gong", "account_to_adopt"): 1}}, Level.WAITS, "1 person has an account in gong"),
        (
            {"in_apps": {("scim.gong", "account_conflict"): 2}},
            Level.WAITS,
            "2 people have accounts in gong (SCIM) that are not clearly theirs.",
        ),
        (
            {"in_apps": {("scim.gong", "account_no_licence"): 3}},
            Level.SOON,
            "3 people wait for a licence of gong",
        ),
        (
            {"in_apps": {("scim.slack", "account_no_effect"): 1}},
            Level.BROKEN,
            "slack (SCIM) has said of 1 person",
        ),
        # What is told by itself is not told among the open errors once more.
        ({"errors": {"account_to_adopt": 1}}, None, ""),
        ({"errors": {"account_refused": 1}}, Level.SOON, "1 open error: 1 account refused."),
        # One app that was pushed does not make another look pushed.
        (
            {"succeeded": {**PUSHED, "scim.slack": ago(30)}},
            Level.BROKEN,
            "No push to slack (SCIM) has succeeded for 30 hours.",
        ),
        (
            {
                "runs": (
                    run(Status.SUCCEEDED, "push", app="scim.gong"),
                    run(Status.FAILED, "push", app="scim.slack", message="Down."),
                )
            },
            Level.BROKEN,
            "The last push to slack (SCIM) failed: run r1. Down.",
        ),
        ({"runs": (run(Status.FAILED, "push", app="scim.gone"),)}, None, ""),
        (
            {"connections": {"scim.gong": Health(1, "then", None, "password")}},
            Level.BROKEN,
            "The token of gong (SCIM) was refused",
        ),
    ],
)
def test_each_fact_of_an_app_is_found(changed: dict[str, Any], level: Level | None, words: str) -> None:
    found = health.findings(replace(OF_APPS, **changed))
    bad = [finding for finding in found if finding.level is not Level.KNOWN]
    assert [finding.level for finding in bad] == ([level] if level else [])
    assert words in "".join(finding.what for finding in bad)
    assert all(finding.remedy for finding in bad)
    assert [finding.what for finding in found if finding.level is Level.KNOWN][:1] == [
        "gong (SCIM): last pushed 2026-11-20 08:16 UTC; the next push looks at 2 people."
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "It is safe to push now: 2 people in gong (SCIM), nothing blocks."),
        ({"due_in": {}}, "It is safe to push now: nobody is due, nothing blocks."),
        ({"checks": None}, "nothing blocks as far as is known without asking the apps."),
        (
            {"anew": frozenset({"scim.slack"})},
            "2 people in gong (SCIM), everybody in slack (SCIM) (it was not pushed with these settings yet)",
        ),
        (
            {"connections": {"scim.slack": Health(3, "then", "soon")}},
            "nothing blocks. But slack (SCIM) has failed 3 times; it is tried again at soon.",
        ),
        (
            {
                "connections": {
                    name: Health(1, "then", None, "password") for name in ("scim.gong", "scim.slack")
                }
            },
            "Do not push now: the token of gong (SCIM) was refused",
        ),
    ],
)
def test_whether_it_is_safe_to_push_to_apps_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    assert sentence in health.push_sentence(replace(OF_APPS, **changed))
