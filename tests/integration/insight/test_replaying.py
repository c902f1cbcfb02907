"""A run's plan is made again from what its archive holds, and from nothing else (Q4)."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from muster.insight import replaying_offline
from tests.integration.company import Company


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
        ("decided_with.json", "has no decided_with.json, which has the settings and what the roster knew"),
        ("plan.json", "has no plan"),
    ],
)
def test_an_archive_says_what_it_lacks(company: Company, imported: str, lost: str, said_of: str) -> None:
    del objects(company)[f"acme/{imported}/1/{lost}"]
    said = company.ask("replay", run_id=imported)
    assert said["status"] == "rejected"
    assert said_of in json.dumps(said)


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
