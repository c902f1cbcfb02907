"""A run's plan is made again from what its archive holds, and from nothing else (Q4)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest

import member_settings
from muster.adapters.aws.run_archive import RunArchive
from muster.replays import replaying, replaying_offline
from tests.integration.company import Company
from tests.simulation.harness.replays import StoredAttempt


@pytest.fixture
def imported(company: Company) -> str:
    """Have three imported, then one leave and one change; return the run of the second import."""
    company.salesforce.create_many(3, Department=["Sales"])
    company.run()
    first, second, _ = sorted(company.roster())
    company.salesforce.update(first, IsActive=False)
    company.salesforce.update(second, Title="Lead")
    run_id: str = company.run()["run_id"]
    return run_id


@contextmanager
def dying_after_two_documents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a run end, as a function does whose environment is gone, with its second document archived."""
    put, left = RunArchive.put_document, iter(range(1, -1, -1))

    def put_or_die(*given: Any) -> None:
        put(*given)
        if not next(left):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunArchive, "put_document", put_or_die)
        with pytest.raises(KeyboardInterrupt):
            yield


def objects(company: Company) -> dict[str, bytes]:
    assert company.rules.archive
    return company.rules.archive.objects


def test_the_same_plan_comes_out(company: Company, imported: str) -> None:
    said = company.ask("replay", run_id=imported, detail=True)
    assert said["message"] == (
        f"The plan of run {imported} is the same when it is made again: 2 items, the same hash."
    )
    assert (said["same"], said["items"], said["difference"]) == (True, 2, None)
    assert said["hash"]["planned"] == said["hash"]["replayed"] == company.record(imported).plan_hash


def test_a_plan_from_which_settings_are_saved_comes_out_too(company: Company, imported: str) -> None:
    company.put(seats={"gong": {"limit": 1}})
    assert company.latest().kind == "settings"
    assert company.ask("replay", run_id=company.latest().id)["same"]


def test_the_first_difference_is_named(company: Company, imported: str) -> None:
    folder = f"acme/{imported}/1/"
    key = f"{folder}plan/00001.json"
    lines = objects(company)[key].splitlines(keepends=True)
    item: dict[str, Any] = orjson.loads(lines[1])
    item["changes"][0]["after"] = "Chief"
    objects(company)[key] = lines[0] + orjson.dumps(item) + b"\n" + b"".join(lines[2:])
    said = company.ask("replay", run_id=imported, detail=True)
    assert not said["same"]
    assert said["difference"]["user"] == item["user"]
    assert said["message"].endswith(f"it differs first about user {item['user']}.")
    table = company.ask("replay", run_id=imported, **{"as": "text"})["text"]
    assert any("Chief" in line and "Lead" in line for line in table)
    # What was planned is as it was for all who come after this test.
    objects(company)[key] = b"".join(lines)


@pytest.mark.parametrize(
    ("lost", "said_of"),
    [
        ("decided_with.json", ("has no decided_with.json, which has the settings", "of Muster before 0.2.0")),
        ("plan.json", ("has no plan", "ended before it had one")),
    ],
)
def test_an_archive_says_what_it_lacks(
    company: Company, imported: str, lost: str, said_of: tuple[str, ...]
) -> None:
    key = f"acme/{imported}/1/{lost}"
    document = objects(company).pop(key)
    said = company.ask("replay", run_id=imported)
    objects(company)[key] = document
    assert said["status"] == "rejected"
    assert all(words in json.dumps(said) for words in said_of), said


def test_what_was_planned_for_more_people_than_there_is_time_for_is_made_again_elsewhere(
    company: Company, imported: str
) -> None:
    key = f"acme/{imported}/1/plan.json"
    summary = objects(company)[key]
    for read, vault, status in (
        (20_000, None, "succeeded"),
        (20_001, None, "rejected"),
        (1, 20_001, "rejected"),
    ):
        changed = {"read": read, "vault_crm": vault and {"read": vault}}
        objects(company)[key] = orjson.dumps({**orjson.loads(summary), **changed})
        said = company.ask("replay", run_id=imported)
        assert said["status"] == status, said
    (error,) = said["errors"]
    assert error["message"] == "was planned for 20,001 people, and this function has the time for 20,000"
    assert "python -m muster.replays.replaying_offline <folder>" in error["remedy"]
    # A copy has all the time.
    folder = StoredAttempt(objects(company), f"acme/{imported}/1/")
    assert replaying.replay(folder).same
    objects(company)[key] = summary


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_run_that_died_twice_while_it_was_planned_has_no_plan_to_make_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    company.salesforce.update(ada, Title="Lead")
    # The whole plan is in the archive, and the run has not recorded it.
    with dying_after_two_documents(monkeypatch):
        company.run()
    run_id = company.latest().id
    assert company.ask("replay", run_id=run_id)["same"]
    member_settings.handler(
        {
            "organization": "acme",
            "by": "jane",
            "changes": [{"member": company.roster()[ada]["id"], "end_date": "2020-01-01"}],
        },
        company.context,
    )
    # There is a new `decided_with.json`, and not yet the plan of that.
    with dying_after_two_documents(monkeypatch):
        company.run(None, run_id=run_id)
    said = company.ask("replay", run_id=run_id)
    assert said["status"] == "rejected", said
    assert said["errors"][0]["message"].startswith("was interrupted while it was planned")
    assert company.run(None, run_id=run_id)["counts"] == {"updated": 1}
    assert company.ask("replay", run_id=run_id)["same"]


def test_what_is_not_in_the_archive_is_not_asked_of_salesforce(company: Company, imported: str) -> None:
    lost = f"acme/{imported}/1/filters/1/00001.json"
    page = objects(company).pop(lost)
    with pytest.raises(Exception, match="the archive lacks the answer to"):
        company.ask("replay", run_id=imported)
    objects(company)[lost] = page


def test_a_copy_is_enough(company: Company, imported: str, tmp_path: Path) -> None:
    for key, body in objects(company).items():
        if imported in key:
            path = tmp_path / key.partition(f"{imported}/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    for folder, expected in ((tmp_path, 0), (tmp_path / "1", 0), (tmp_path / "2", 2)):
        out = StringIO()
        assert replaying_offline.main([str(folder)], out) == expected, out.getvalue()
    plan = tmp_path / "1" / "plan" / "00001.json"
    plan.write_bytes(plan.read_bytes().splitlines(keepends=True)[0])
    out = StringIO()
    assert replaying_offline.main([str(tmp_path)], out) == 1
    assert "planned: nothing" in out.getvalue()
    assert replaying_offline.main([], StringIO()) == 2
