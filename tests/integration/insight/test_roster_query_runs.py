"""RosterQueryFunction about runs: which there were, how one stands, and what its plan does (I5, I12)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import roster_query
from muster import bootstrap
from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.insight import querying_runs
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Known
from muster.runs.run import Phase, Run, Status
from tests.examples import NOW, change, settings
from tests.integration.company import store
from tests.integration.run_examples import run_of

pytestmark = pytest.mark.usefixtures("aws")
ACME = settings(seats={"gong": {}}, assignments=[{"name": "Field sales", "seats": ["gong"]}])
RUN = "20261120T081532-0a1b2c3d"


@pytest.fixture
def ask(context: LambdaContext) -> Any:
    """Store Acme's settings, and return the way to ask."""
    store({"organization": "acme"})
    return lambda action, **event: roster_query.handler(
        {"organization": "acme", "action": action, **event}, context
    )


def recorded(number: str = RUN, **fields: Any) -> Run:
    """Record a run with these fields, and return it."""
    run = run_of(number, **fields)
    table = bootstrap.run_table()
    table.finish(run, table.take("acme", number, NOW.timestamp(), 60), None)
    return run


def items(count: int, start: int = 0) -> Iterator[Item]:
    """Yield the items of so many users who would be created."""
    for number in range(start, start + count):
        user = change(31, ACME, Id=f"0050000000002{number:02d}AAA")
        created = replace(user, matches=frozenset({"Field sales"}))
        yield plan_items.item_of(created, salesforce_lifecycle.decide(created, Known(), ACME, {}, NOW))


def archive(run: Run, *parts: list[Item]) -> None:
    """Keep a plan of these parts."""
    for number, part in enumerate(parts, 1):
        bootstrap.run_archive().put("acme", run.id, run.attempt, "plan", number, plan_items.written(part))


def test_runs_are_listed_newest_first_and_page(ask: Any) -> None:
    for number in range(3):
        recorded(f"20261120T08153{number}-0a1b2c3d", status=Status.FAILED, by="jane", message="Gone.")
    first = ask("runs", limit=2)
    assert [run["id"][:15] for run in first["runs"]] == ["20261120T081532", "20261120T081531"]
    assert first["message"].startswith("2 runs")
    assert first["message"].endswith("; there is more, ask again with the cursor.")
    rest = ask("runs", cursor=first["cursor"])
    assert [run["id"][:15] for run in rest["runs"]] == ["20261120T081530"]
    assert rest["cursor"] is None
    assert rest["runs"][0] == {
        "id": "20261120T081530-0a1b2c3d",
        "mode": "full",
        "kind": "import",
        "status": "failed",
        "preview": False,
        "by": "jane",
        "approved_by": None,
        "rejected_by": None,
        "request_id": None,
        "decided_request_id": None,
        "why": None,
        "started_at": "2026-11-20T08:15:32Z",
        "finished_at": None,
        "counts": {},
        "errors": 0,
        "message": "Gone.",
        "plan_hash": None,
        "expires_at": None,
    }


def test_a_running_run_tells_how_far_it_is(ask: Any) -> None:
    recorded(phase=Phase.APPLY, cursor=1_200, planned=3_400)
    answer = ask("run", run_id=RUN)
    assert answer["progress"] == answer["message"] == "1,200 of 3,400 applied."
    assert answer["run"]["status"] == "running"
    assert (answer["items"], answer["cursor"]) == ([], None)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_a_parked_runs_plan_is_shown_page_by_page_exactly_once(ask: Any, limit: int) -> None:
    parked = recorded(
        status=Status.PARKED, planned=7, plan_hash="hash", expires_at="2036-11-20T08:15:32.000Z"
    )
    # One who is as it was is in the plan, but nothing to show.
    one, *rest = items(5)
    archive(parked, [one, replace(rest[0], outcome="unchanged"), rest[1]], [*rest[2:], *items(2, start=5)])
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        answer = ask("run", run_id=RUN, limit=limit, by="jane", **({"cursor": cursor} if cursor else {}))
        assert len(answer["items"]) <= limit
        seen += [item["user"] for item in answer["items"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert seen == [f"0050000000002{number:02d}AAA" for number in (0, 2, 3, 4, 5, 6)]
    approve, reject = answer["to_do"]
    assert approve["event"] == {"organization": "acme", "approve": RUN, "plan_hash": "hash", "by": "jane"}
    assert reject["event"] == {"organization": "acme", "reject": RUN, "by": "jane"}
    item = answer["items"][-1]
    assert (item["does"], item["assignment"], item["name"]) == ("created", "Field sales", "Ada Lovelace")
    assert {"field": "title", "before": None, "after": "Rep"} in item["changes"]


def test_a_plan_that_the_archive_no_longer_has_is_said_to_be_gone(ask: Any) -> None:
    recorded(status=Status.SUCCEEDED, planned=7, plan_hash="hash")
    answer = ask("run", run_id=RUN)
    assert (answer["items"], answer["note"]) == ([], "The plan is no longer in the archive.")
    recorded("20261120T081533-0a1b2c3d", status=Status.SUCCEEDED, planned=0, plan_hash="hash")
    assert ask("run", run_id="20261120T081533-0a1b2c3d")["note"] is None


@pytest.mark.parametrize(
    ("cursor", "message"),
    [
        ("nonsense", "is not one that was handed out"),
        ("1.1", "is not one that was handed out"),
        ("1.0.0", "is not one that was handed out"),
        ("1.1.-1", "is not one that was handed out"),
        ("1.1.٣", "is not one that was handed out"),
        ("../1.1.0", "is not one that was handed out"),
        ("1.1.0\n", "is not one that was handed out"),
        ("2.1.0", "is for a plan that has been made anew since"),
    ],
)
def test_a_cursor_leads_nowhere_but_into_this_plan(ask: Any, cursor: str, message: str) -> None:
    recorded(status=Status.PARKED, planned=1, plan_hash="hash")
    answer = ask("run", run_id=RUN, cursor=cursor)
    assert (answer["status"], answer["errors"][0]["message"]) == ("rejected", message)


def test_a_cursor_beyond_the_plan_shows_nothing(ask: Any) -> None:
    archive(recorded(status=Status.PARKED, planned=1, plan_hash="hash"), list(items(1)))
    answer = ask("run", run_id=RUN, cursor="1.999999.999999")
    assert (answer["status"], answer["items"], answer["cursor"]) == ("succeeded", [], None)


@pytest.mark.parametrize("run_id", ["20261120T081599-0a1b2c3d", "../other", "RUN#1", "ü"])
def test_an_unknown_run_is_said_to_be_unknown(ask: Any, run_id: str) -> None:
    recorded()
    answer = ask("run", run_id=run_id)
    assert (answer["status"], answer["errors"][0]["where"]) == ("rejected", "run_id")


def test_another_organizations_run_is_unknown(ask: Any, context: LambdaContext) -> None:
    recorded()
    for organization, status in (("acme", "succeeded"), ("other", "rejected")):
        event = {"organization": organization, "action": "run", "run_id": RUN}
        assert roster_query.handler(event, context)["status"] == status


# ── Filters ──────────────────────────────────────────────────────────────────────────────────────

IDLE: dict[str, Any] = {"status": Status.SUCCEEDED, "by": "schedule"}


@pytest.fixture
def many(ask: Any) -> Any:
    """Record ten runs, every third with news, every other a push; return the way to ask."""
    for number in range(10):
        kind, mode = ("push", "push") if number % 2 else ("import", "incremental")
        counts = {"created": 1} if number % 3 == 0 else {"unchanged": 5}
        recorded(f"20261120T08153{number}-0a1b2c3d", **IDLE, kind=kind, mode=mode, counts=counts)
    return ask


def seconds(answer: dict[str, Any]) -> list[int]:
    return [int(run["id"][14]) for run in answer["runs"]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"kind": "push"}, [9, 7, 5, 3, 1]),
        ({"with_news": True}, [9, 6, 3, 0]),
        ({"with_news": False, "kind": "import"}, [8, 4, 2]),
        ({"status": "succeeded", "with_news": True, "kind": "push"}, [9, 3]),
        ({"status": "parked"}, []),
        ({"kind": "settings"}, []),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_filtered_pages_are_filled_and_have_every_run_once(
    many: Any, filters: dict[str, Any], expected: list[int], limit: int
) -> None:
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(len(expected) + 1):
        answer = many("runs", filter=filters, limit=limit, **cursor)
        seen += (page := seconds(answer))
        if answer["cursor"] is None:
            break
        assert len(page) == limit
        cursor = {"cursor": answer["cursor"]}
    assert answer["cursor"] is None
    assert seen == expected


@pytest.mark.parametrize(
    ("filters", "where", "message", "remedy"),
    [
        ({"kinds": "push"}, "filter.kinds", "is not something to filter runs by", "Did you mean 'kind'?"),
        ({"kind": "pusch"}, "filter.kind", '"pusch" is none that a run has', "Did you mean 'push'?"),
        (
            {"kind": True},
            "filter.kind",
            "true is none that a run has",
            "Known are import, push, settings, undo.",
        ),
        ({"kind": ["push"]}, "filter.kind", '["push"] is none that a run has', "Did you mean 'push'?"),
        (
            {"status": "faild"},
            "filter.status",
            '"faild" is none that a run has',
            "Did you mean 'failed'?",
        ),
        ({"with_news": "yes"}, "filter.with_news", '"yes" is none that a run has', "Write true or false."),
        ({"with_news": 1}, "filter.with_news", "1 is none that a run has", "Write true or false."),
    ],
)
def test_what_no_run_has_is_refused_with_the_nearest(
    many: Any, filters: dict[str, Any], where: str, message: str, remedy: str
) -> None:
    answer = many("runs", filter=filters)
    assert answer["errors"] == [{"where": where, "message": message, "remedy": remedy}]


@pytest.mark.parametrize("cursor", ["x", "UlVOIzIwMjY=", "20261120T081532/../x", "é"])
def test_a_cursor_of_runs_that_was_not_handed_out_is_refused(many: Any, cursor: str) -> None:
    answer = many("runs", cursor=cursor)
    assert (answer["status"], answer["errors"][0]["where"]) == ("rejected", "cursor")


def test_a_call_looks_at_so_many_runs_and_the_cursor_goes_on(
    many: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querying_runs, "MOST_LOOKED_AT", 4)
    answer = many("runs", filter={"with_news": True})
    assert seconds(answer) == [9, 6]
    assert seconds(many("runs", filter={"with_news": True}, cursor=answer["cursor"])) == [3]
