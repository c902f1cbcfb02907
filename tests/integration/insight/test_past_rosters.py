"""RosterQueryFunction: the roster as of a past moment, and what differs between two moments or runs (Q2)."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import Any

import pytest

import member_settings
import roster_query
from muster.insight import comparing_moments, reading_past_rosters
from muster.times import timestamp
from tests.integration.beginnings import Built, InTime, begin
from tests.integration.company import Company

type Json = dict[str, Any]
type PassTime = Callable[[timedelta], None]

JANE = "jane@acme.example"
SCREEN = 40
LACKS = ("version", "updated_at", "source_version")
# What a past day is read from.
SNAPSHOTS, TABLE = "snapshots", "the table"


def now() -> str:
    """Return what time it is for the functions."""
    return timestamp(vars(roster_query)["datetime"].now(UTC))


def with_value(given: Json) -> Json:
    return {name: value for name, value in given.items() if value is not None}


def as_kept(member: Json) -> Json:
    """Return a member without what history does not tell."""
    kept = {name: value for name, value in member.items() if name not in LACKS}
    kept["custom"] = with_value(kept["custom"])
    kept["crm"] = {system: with_value(ids) for system, ids in kept["crm"].items()}
    kept["seats"] = {
        seat: {name: value for name, value in place.items() if name != "place"}
        for seat, place in kept["seats"].items()
    }
    return kept


@dataclass
class Week:
    """What the roster was at each moment noted, by member id, and the runs that led there."""

    company: Company
    moments: list[str] = field(default_factory=list)
    rosters: list[dict[str, Json]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def note(self) -> None:
        self.moments.append(now())
        members = self.company.ask("list", filter={"active": "any"}, detail=True)["members"]
        self.rosters.append({each["id"]: as_kept(each) for each in members})

    def run(self, mode: str = "full") -> None:
        said = self.company.run(mode)
        assert said["status"] == "succeeded", said
        self.runs.append(said["run_id"])
        self.note()


def hired(company: Company, *names: str, **fields: Any) -> list[str]:
    return [
        company.salesforce.create(
            FirstName=name,
            LastName="Example",
            Division="G",
            **dict.fromkeys(("Username", "Email"), f"{name.lower()}@acme.example"),
            **fields,
        )
        for name in names
    ]


@pytest.fixture
def week(company: Company, built: Built, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch) -> Week:
    """Return Acme's week."""
    monkeypatch.setattr(member_settings, "datetime", vars(roster_query)["datetime"])
    week = begin(InTime(company, pass_time), built, pass_a_week)
    company.numbers = week.company.numbers
    return replace(week, company=company)


def pass_a_week(acme: InTime[Company]) -> Week:
    """Have six hired, one promoted by a message, one gone and back, one edited, one new."""
    company = acme.world
    week = Week(company)
    assert company.put(seats={"gong": {"limit": 9}})["saved"]
    acme.wait(days=1)
    week.note()
    ada, bob, *_ = hired(company, "Ada", "Bob", "Cleo", "Dan", "Eve", "Fay", Department="Sales", Title="Rep")
    week.run()
    acme.wait(hours=5)
    company.salesforce.update(ada, Title="Lead")
    assert company.hear({"Id": ada}) == 0
    week.note()
    acme.wait(days=1)
    company.salesforce.update(bob, IsActive=False)
    week.run()
    acme.wait(days=1)
    edit = {"member": "cleo@acme.example", "end_date": "2036-12-31"}
    event = {"organization": "acme", "by": JANE, "changes": [edit]}
    assert member_settings.handler(event, company.context)["status"] == "succeeded"
    hired(company, "Gus", Department="Support")
    week.run("incremental")
    acme.wait(days=1)
    company.salesforce.update(bob, IsActive=True)
    company.salesforce.update(ada, Title="Rep")
    week.run()
    acme.wait(days=2)
    return week


def asked_of(week: Week, at: str, monkeypatch: pytest.MonkeyPatch, source: str, **more: Any) -> Json:
    with monkeypatch.context() as patch:
        if source == TABLE:
            patch.setattr(reading_past_rosters, "_snapshots", lambda *_: (None, None))
        return week.company.ask("as_of", at=at, filter={"active": "any"}, detail=True, **more)


@pytest.mark.parametrize("read_from", [SNAPSHOTS, TABLE])
def test_at_every_moment_the_roster_is_what_it_was(
    week: Week, read_from: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment, roster in zip(week.moments, week.rosters, strict=True):
        said = asked_of(week, moment, monkeypatch, read_from)
        assert {each["id"]: each for each in said["members"]} == roster
        assert (said["known_from"]["snapshot"] is None) == (read_from == TABLE)
        active = [each for each in roster.values() if each["active"]]
        held = sum(place["state"] == "held" for each in active for place in each["seats"].values())
        assert said["seats"].get("gong", {"held": 0})["held"] == held
        assert said["counts"] == {
            "members": len(roster),
            "active": len(active),
            "inactive": len(roster) - len(active),
            "erased": 0,
            "not_recorded": 0,
        }


def test_the_nearest_snapshot_is_read_whichever_side_it_is_on(week: Week) -> None:
    days = [moment[:10] for moment in week.moments]
    read = [week.company.ask("as_of", at=moment, detail=True)["known_from"] for moment in week.moments]
    # Only full imports are followed by a snapshot: those of the second, fourth and last of these moments.
    first, second, last = (days[place] for place in (1, 3, 5))
    assert [each["snapshot"] for each in read[:4]] == [first, first, first, second]
    assert read[4]["snapshot"] in (second, last)
    assert read[5]["snapshot"] == last
    # Ada's promotion lies between, besides what lies within the slack of clocks.
    assert read[2]["changes"] == read[1]["changes"] + 1


def test_who_was_there_then_fits_a_screen_page_by_page_and_by_filter(week: Week, on_a_screen: None) -> None:
    said = week.company.ask("as_of", at=week.moments[3])
    day = week.moments[3][:16].replace("T", " ")
    assert said["message"] == f"On {day} UTC: 5 active members, 1 not active; 5 listed."
    assert said["summary"][:3] == [
        "Sales: 5 people",
        "gong: 5 held",
        "- 1 person not active: deactivated in Salesforce",
    ]
    assert said["summary"][3] == "Ada Example (ada@acme.example): Sales, gong"
    assert len(json.dumps(said, indent=2).splitlines()) <= SCREEN
    text = week.company.ask("as_of", at=week.moments[3], **{"as": "text"})["text"]
    assert [line.split()[0] for line in text[2:]] == ["Ada", "Cleo", "Dan", "Eve", "Fay"]
    leads = week.company.ask("as_of", at=week.moments[2], filter={"title": "lead"}, detail=True)
    assert [each["name"] for each in leads["members"]] == ["Ada Example"]
    assert week.company.ask("as_of", at=week.moments[1], filter={"title": "lead"}, detail=True)["total"] == 0
    first = week.company.ask("as_of", at=week.moments[3], limit=3, detail=True)
    rest = week.company.ask("as_of", at=week.moments[3], limit=3, cursor=first["cursor"], detail=True)
    names = [each["name"].split()[0] for page in (first, rest) for each in page["members"]]
    assert (names, rest["cursor"]) == (["Ada", "Cleo", "Dan", "Eve", "Fay"], None)


def test_a_filter_that_is_none_is_refused_with_the_nearest(week: Week) -> None:
    [error] = week.company.ask("as_of", at="now", filter={"seat": "gonk"})["errors"]
    assert (error["where"], "gong" in error["remedy"]) == ("filter.seat", True)
    [error] = week.company.ask("as_of", at="now", member="ada@acme.example", limit=3)["errors"]
    assert "beside member" in error["message"]


def test_who_is_erased_is_told_no_more_whatever_snapshots_have(week: Week, pass_time: PassTime) -> None:
    bob = week.company.ask("member", member="bob@acme.example")["member"]["id"]
    week.company.salesforce.update(
        next(each["crm"]["salesforce"]["id"] for each in week.rosters[-1].values() if each["id"] == bob),
        IsActive=False,
    )
    assert week.company.run("full")["status"] == "succeeded"
    erasure = {"organization": "acme", "by": JANE, "why": "asked to be forgotten", "erase": [bob]}
    assert member_settings.handler(erasure, week.company.context)["status"] == "succeeded"
    # Before a snapshot knows of it, and after.
    for _ in range(2):
        for moment in week.moments[1:]:
            said = week.company.ask("as_of", at=moment, filter={"active": "any"}, detail=True)
            assert bob not in {each["id"] for each in said["members"]}
            assert said["counts"]["erased"] == 1
        pass_time(timedelta(days=1))
        assert week.company.run("full")["status"] == "succeeded"


def test_what_differs_between_two_moments(week: Week, on_a_screen: None) -> None:
    said = week.company.ask("diff", since=week.moments[1], until=week.moments[5])
    assert said["message"].endswith(" UTC: Gus Example joined, 1 other changed.")
    assert said["summary"] == [
        "+ Gus Example joined: Support, gong",
        f"~ Cleo Example changed: end date (by {JANE})",
        f"Came by {JANE} (1 person), the incremental import {week.runs[2]} begun by jane (1 person)",
        # Ada was Lead for some days, and Bob was away.
        "2 people changed, and changed back",
    ]
    assert len(json.dumps(said, indent=2).splitlines()) <= SCREEN
    whole = week.company.ask("diff", since=week.moments[1], until=week.moments[5], detail=True)
    [cleo] = [each for each in whole["people"] if each["news"] == "changed"]
    [difference] = cleo["differences"]
    assert (difference["field"], difference["before"], difference["after"]) == (
        "end_date",
        None,
        "2036-12-31",
    )
    assert (difference["origin"], difference["run"][:5]) == (f"manual:{JANE}", "edit:")
    assert whole["counts"] == {
        "joined": 1,
        "left": 0,
        "returned": 0,
        "erased": 0,
        "changed": 1,
        "changed_back": 2,
    }


@pytest.mark.parametrize(
    ("since", "until", "people"),
    [
        (1, 3, {"Ada": "changed", "Bob": "left"}),
        (3, 5, {"Ada": "changed", "Bob": "returned", "Cleo": "changed", "Gus": "joined"}),
        (0, 1, dict.fromkeys(("Ada", "Bob", "Cleo", "Dan", "Eve", "Fay"), "joined")),
    ],
)
def test_the_difference_is_that_of_the_two_rosters(
    week: Week, since: int, until: int, people: dict[str, str]
) -> None:
    said = week.company.ask("diff", since=week.moments[since], until=week.moments[until], detail=True)
    assert {each["name"].split()[0]: each["news"] for each in said["people"]} == people
    before, after = week.rosters[since], week.rosters[until]
    assert {each["member"] for each in said["people"]} == {
        name for name in after if before.get(name) != after[name]
    }


def test_what_differs_between_two_runs_and_what_one_has_changed(week: Week) -> None:
    first, second, third, last = week.runs
    said = week.company.ask("diff", since_run=first, until_run=second, detail=True)
    assert {each["name"]: each["news"] for each in said["people"]} == {
        "Ada Example": "changed",
        "Bob Example": "left",
    }
    alone = week.company.ask("diff", run_id=second, detail=True)
    assert [each["name"] for each in alone["people"]] == ["Bob Example"]
    assert alone["causes"] == [{"cause": "import", "run": second, "by": None, "people": 1}]
    assert [*alone["runs"]] == [second]
    [person] = week.company.ask("diff", run_id=third, detail=True)["people"]
    assert (person["name"], person["differences"]) == ("Gus Example", [])
    until = week.company.ask("diff", since=week.moments[4], until_run=last, detail=True)
    assert {each["name"] for each in until["people"]} == {"Ada Example", "Bob Example"}


def test_differences_come_page_by_page_and_as_text(week: Week) -> None:
    asked = {"since": week.moments[0], "until": week.moments[1], "detail": True}
    whole = [each["name"] for each in week.company.ask("diff", **asked)["people"]]
    first = week.company.ask("diff", **asked, limit=4)
    rest = week.company.ask("diff", **asked, limit=4, cursor=first["cursor"])
    assert [each["name"] for page in (first, rest) for each in page["people"]] == whole
    assert rest["cursor"] is None
    text = week.company.ask("diff", since=week.moments[1], until=week.moments[2], **{"as": "text"})["text"]
    assert text[2].split()[:7] == ["Ada", "Example", "changed:", "title", "Rep", "Lead", week.moments[2][:10]]


@pytest.mark.parametrize(
    ("asked", "where", "says"),
    [
        ({}, "since", "is missing"),
        ({"since": "yesterday", "run_id": "20261120T081532000-0a1b2c3d"}, "event", "several beginnings"),
        ({"since_run": "20261120T081532000-0a1b2c3d"}, "run_id", "is not a run"),
        ({"since": "yesterday", "cursor": "bm9uZQ=="}, "cursor", "was handed out"),
        ({"since": "yesterday", "until": "2020-01-01"}, "until", "is not after since"),
        ({"run_id": "20261120T081532000-0a1b2c3d", "until": "now"}, "event", "run_id beside until"),
    ],
)
def test_what_cannot_be_compared_is_refused(company: Company, asked: Json, where: str, says: str) -> None:
    [error] = company.ask("diff", **asked)["errors"]
    assert (error["where"], says in error["message"]) == (where, True)


def test_more_changes_than_a_call_reads_are_refused(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing_moments, "MOST_CHANGES", 5)
    [error] = week.company.ask("diff", since=week.moments[0])["errors"]
    assert "leaves more than 5 changes" in error["message"]
    monkeypatch.setattr(reading_past_rosters, "MOST_CHANGES", 5)
    [error] = week.company.ask("as_of", at=week.moments[0])["errors"]
    assert "has more than 5 changes" in error["message"]


def exported(company: Company, **asked: Any) -> list[dict[str, str]]:
    said = company.ask("export", **asked)
    assert said["status"] == "succeeded", said
    key = said["link"].partition("?")[0].partition("/_exports/")[2]
    file = company.rules.archive.objects[f"_exports/{key}"].decode("utf-8-sig")  # type: ignore[union-attr]
    rows = list(csv.DictReader(io.StringIO(file)))
    assert said["rows"] == len(rows)
    return rows


def test_a_past_roster_and_a_difference_come_as_a_file_too(week: Week) -> None:
    rows = exported(week.company, what="roster", at=week.moments[2])
    assert [(row["name"].split()[0], row["title"]) for row in rows] == [
        ("Ada", "Lead"),
        *((name, "Rep") for name in ("Bob", "Cleo", "Dan", "Eve", "Fay")),
    ]
    rows = exported(week.company, what="differences", since=week.moments[3], until_run=week.runs[-1])
    assert {(row["who"].split()[0], row["news"]) for row in rows} >= {("Bob", "came back"), ("Gus", "joined")}
    [cleo] = [row for row in rows if row["who"] == "Cleo Example"]
    assert (cleo["what"], cleo["before"], cleo["after"], cleo["by"]) == (
        "end date",
        "none",
        "2036-12-31",
        f"by {JANE}",
    )
    [error] = week.company.ask("export", what="changes", at="yesterday")["errors"]
    assert error["where"] == "at"
    [error] = week.company.ask("export", what="differences")["errors"]
    assert error["where"] == "since"
