"""A message costs what it is worth: replays and floods leave Salesforce's calls to imports (W13)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import user_change_worker
from muster import bootstrap
from muster.adapters.aws import change_queue
from muster.errors import ApiCallsUsedUp, Unavailable
from muster.webhook import deliveries
from muster.webhook.following_messages import MessageFollower
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage
from tests.integration.company import SALES, Company
from tests.integration.told_metrics import metrics

FILTERS = [SALES] + [{"name": f"A{n}", "filter": f"Division = 'D{n}'"} for n in range(29)]


def hear(
    company: Company,
    *users: str,
    begins: int = 1,
    parked: tuple[ParkedNotification, ...] = (),
    received_at: datetime | None = None,
) -> int:
    """Have the worker take a message whose notifications are numbered from `begins`; how many come back."""
    changes = tuple(
        QueuedChange(f"04l{number:012d}AAA", {"Id": user}) for number, user in enumerate(users, begins)
    )
    message = QueuedMessage("acme", "salesforce", received_at or datetime.now(UTC), changes, parked)
    records = [
        {"messageId": str(number), "body": body, "eventSource": "aws:sqs"}
        for number, body in enumerate(change_queue.encode(message))
    ]
    return len(user_change_worker.handler({"Records": records}, company.context)["batchItemFailures"])


def calls(company: Company) -> int:
    """Return how many calls the org has counted."""
    return int(company.salesforce.call("GET", "/sandbox/limits")["used"])


@pytest.fixture
def ada(company: Company) -> str:
    """Return a user in an org where a message costs more than one call; everybody is imported."""
    ada = company.salesforce.create(Department="Sales")
    company.put(assignments=FILTERS)
    company.run()
    return ada


def test_a_replay_costs_no_call_and_writes_nothing(
    company: Company, ada: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = calls(company)
    assert hear(company, ada) == 0
    cost = calls(company) - before
    assert cost
    capsys.readouterr()
    for _ in range(50):
        assert hear(company, ada) == 0
    assert calls(company) == before + cost
    assert metrics(capsys.readouterr().out)["ChangesRepeated"] == 50


def test_a_replay_in_other_company_is_a_replay(company: Company, ada: str) -> None:
    bob = company.salesforce.create(Department="Sales")
    hear(company, ada, begins=1)
    before = calls(company)
    assert hear(company, ada, bob, begins=1) == 0
    assert calls(company) > before
    assert bob in company.active()


def test_a_user_read_since_a_message_came_is_not_read_again(company: Company, ada: str) -> None:
    hear(company, ada)
    before = calls(company)
    assert hear(company, ada, begins=2, received_at=datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert calls(company) == before
    company.salesforce.update(ada, IsActive=False)
    assert hear(company, ada, begins=3) == 0
    assert ada not in company.active()


def test_a_message_that_failed_is_followed_when_it_comes_again(
    company: Company, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.salesforce.update(ada, IsActive=False)
    with monkeypatch.context() as down:
        down.setattr(bootstrap.roster_table(), "_transact", unavailable)
        assert hear(company, ada) == 1
    assert ada in company.active()
    assert hear(company, ada) == 0
    assert ada not in company.active()


def test_what_cannot_be_remembered_is_followed_all_the_same(
    company: Company, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.salesforce.update(ada, IsActive=False)
    monkeypatch.setattr(bootstrap.delivery_journal(), "remember", unavailable)
    assert hear(company, ada) == 0
    assert ada not in company.active()


def test_a_replay_adds_nothing_to_the_error_log(company: Company, ada: str) -> None:
    nobody = "005000000000999AAA"
    account = (ParkedNotification("04l000000000009AAA", "Account", "001000000000001AAA", "other_object"),)
    for _ in range(5):
        assert hear(company, nobody, parked=account) == 0
    assert sorted(entry["code"] for entry in company.errors()) == ["not_understood", "other_object"]


# ── When the org's calls are nearly used up ──────────────────────────────────────────────────────────


def spend(company: Company, share: float) -> None:
    """Have so much of the org's calls be used, of so many that an import has enough in the rest."""
    for user in [*company.roster()][:1] * 300:
        company.salesforce.call("GET", f"/services/data/v66.0/sobjects/User/{user}")
    used = calls(company)
    company.salesforce.call("PUT", "/sandbox/limits", {"api_requests_per_day": round(used / share)})


def test_messages_wait_and_imports_go_on(
    company: Company, ada: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_back: list[tuple[str, int]] = []
    monkeypatch.setattr(bootstrap.change_queue(), "put_back", lambda *message: put_back.append(message))
    spend(company, 0.8)
    company.salesforce.update(ada, IsActive=False)
    others = [company.salesforce.create(Department="Sales") for _ in range(3)]
    hear(company, ada)  # whoever is first learns how much is used
    before = calls(company)
    capsys.readouterr()
    for number, other in enumerate(others, 10):
        bootstrap.brisk_salesforce.cache_clear()  # another process
        assert hear(company, other, begins=number) == 0
    assert calls(company) == before
    printed = metrics(capsys.readouterr().out)
    assert printed["MessagesWaitForCalls"] == 3
    assert [delay for _, delay in put_back[-3:]] == [900] * 3
    assert json.loads(put_back[-1][0])["changes"][0]["fields"] == {"Id": others[-1]}
    bootstrap.salesforce.cache_clear()
    assert company.run("incremental")["status"] == "succeeded"
    assert ada not in company.active()


def test_one_message_a_quarter_of_an_hour_asks_anew(company: Company, ada: str) -> None:
    journal, at = bootstrap.delivery_journal(), datetime.now(UTC)
    noted = deliveries.CallsUsed(800, 1000, at)
    journal.note_calls("acme", noted)
    later = at + deliveries.ASKED_EVERY
    assert [journal.claim("acme", noted, later) for _ in range(3)] == [True, False, False]
    _, calls_used = journal.read("acme", [])
    assert calls_used is not None
    assert (calls_used.used, calls_used.is_spent) == (800, True)
    journal.note_calls("acme", deliveries.CallsUsed(10, 1000, at))
    assert journal.read("acme", [])[1] == calls_used, "an older count says less"


def test_what_waited_is_followed_once_there_are_calls_again(
    company: Company, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_back: list[tuple[str, int]] = []
    monkeypatch.setattr(bootstrap.change_queue(), "put_back", lambda *message: put_back.append(message))
    spend(company, 0.8)
    company.salesforce.update(ada, IsActive=False)
    hear(company, ada)
    hear(company, ada)
    company.salesforce.call("PUT", "/sandbox/limits", {"api_requests_per_day": 100_000})
    journal = bootstrap.delivery_journal()
    _, noted = journal.read("acme", [])
    assert noted is not None
    bootstrap.brisk_salesforce.cache_clear()
    hour_ago = deliveries.CallsUsed(noted.used, noted.limit, noted.at - timedelta(hours=1))
    assert journal.claim("acme", noted, hour_ago.at)
    assert hear(company, ada) == 0
    assert ada not in company.active()
    assert journal.read("acme", [])[1] != noted


def test_a_queue_that_is_down_keeps_the_message(
    company: Company, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(*_: Any) -> None:
        raise ApiCallsUsedUp("80% are used", 900)

    monkeypatch.setattr(MessageFollower, "follow", used_up)
    monkeypatch.setattr(bootstrap.change_queue(), "put_back", unavailable)
    assert hear(company, ada) == 1


def unavailable(*_: Any, **__: Any) -> Any:
    raise Unavailable("the table could not be reached")
