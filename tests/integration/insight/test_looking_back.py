"""RosterQueryFunction: one member as of a past moment, and what differs between two moments (Q2)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import pytest

import member_settings
import roster_query
from muster.insight import looking_back
from muster.times import timestamp
from tests.integration.beginnings import Built, InTime, begin
from tests.integration.company import Company

type Json = dict[str, Any]
type PassTime = Callable[[timedelta], None]

ADA = "ada@acme.example"
JANE = "jane@acme.example"
SCREEN = 40
PERSON = {
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Username": ADA,
    "Email": ADA,
    "Title": "Rep",
    "MobilePhone": "+44 70 0900 4711",
    "Department": "Sales",
    "Division": "G",
}


def now() -> str:
    """Return what time it is for the functions."""
    return timestamp(vars(roster_query)["datetime"].now(UTC))


@dataclass
class Life:
    """What Ada was, and when: before, and after each of what happened to her, a day apart."""

    company: Company
    crm_id: str
    moments: list[str]
    members: list[Json]

    def note(self) -> None:
        self.moments.append(now())
        self.members.append(self.company.ask("member", member=self.crm_id)["member"])


@pytest.fixture
def life(company: Company, built: Built, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch) -> Life:
    """Return Ada's life."""
    monkeypatch.setattr(member_settings, "datetime", vars(roster_query)["datetime"])
    return replace(begin(InTime(company, pass_time), built, live), company=company)


def live(acme: InTime[Company]) -> Life:
    """Have Ada hired, promoted, moved to another department, dated by hand, and gone."""
    company = acme.world
    acme.wait(days=1)
    before = now()
    company.salesforce.create(**{**PERSON, **dict.fromkeys(("Username", "Email"), "bob@acme.example")})
    company.run("full")
    acme.wait(days=1)
    crm_id = company.salesforce.create(**PERSON)
    company.run("full")
    lived = Life(company, crm_id, [before], [{}])
    lived.note()
    for change in ({"Title": "Lead"}, {"Department": "Support"}, None, {"IsActive": False}):
        acme.wait(days=1)
        if change is None:
            edit = {"member": ADA, "end_date": "2036-12-31"}
            event = {"organization": "acme", "by": JANE, "changes": [edit]}
            assert member_settings.handler(event, company.context)["status"] == "succeeded"
        else:
            company.salesforce.update(crm_id, **change)
            assert company.run("full")["status"] == "succeeded"
        lived.note()
    acme.wait(days=1)
    return lived


HISTORY_LACKS = {"version", "updated_at", "source_version"}


def with_value(given: Json) -> Json:
    return {name: value for name, value in given.items() if value is not None}


def test_every_past_moment_is_what_the_roster_showed_then(life: Life) -> None:
    for moment, member in zip(life.moments[1:], life.members[1:], strict=True):
        said = life.company.ask("as_of", member=life.crm_id, at=moment)
        expected = {name: value for name, value in member.items() if name not in HISTORY_LACKS}
        # History does not tell a field with nothing in it from none.
        expected["custom"] = with_value(expected["custom"])
        expected["crm"] = {system: with_value(ids) for system, ids in expected["crm"].items()}
        assert said["standing"] == "in_roster"
        assert said["was"] == expected
        assert {*said["not_in_history"]} > HISTORY_LACKS
    titles = [member["title"] for member in life.members[1:]]
    assert titles == ["Rep", "Lead", "Lead", "Lead", "Lead"]


def test_how_somebody_was_and_what_is_new_since_fits_a_screen(life: Life, on_a_screen: None) -> None:
    said = life.company.ask("as_of", member=ADA, at=life.moments[2])
    day = [moment[:16].replace("T", " ") for moment in life.moments]
    assert said["message"] == (
        f"On {day[2]} UTC: Ada Lovelace ({ADA}): Sales, gong;"
        " since then: left: deactivated in Salesforce; lost gong."
    )
    run = "by a full import begun by jane"
    assert [line.replace(f", {run})", ")") for line in said["summary"]] == [
        f"- not active: deactivated in Salesforce ({day[5]})",
        f"~ end date none → 2036-12-31 ({day[4]}, by {JANE})",
        f"~ assignment Sales → no assignment ({day[5]})",
        f"- lost gong ({day[5]})",
        f"~ workspace EMEA Team member → none ({day[3]})",
        f"~ record web conferences enabled → none ({day[3]})",
        f"~ import emails prevented → none ({day[3]})",
    ]
    assert (said["changes"], said["more"]) == (
        3,
        "With detail: true also was, not_in_history, news, differences, runs.",
    )
    assert json.dumps(said, indent=2).count("\n") < SCREEN


def test_before_the_first_entry_somebody_was_not_in_the_roster(life: Life, on_a_screen: None) -> None:
    said = life.company.ask("as_of", member=ADA, at=life.moments[0])
    added = life.moments[1][:16].replace("T", " ")
    then = life.moments[0][:16].replace("T", " ")
    assert said["message"] == (
        f"On {then} UTC: Ada Lovelace was not in the roster yet; added on {added} UTC."
    )
    assert "summary" not in said


def test_what_differs_between_two_moments(life: Life, on_a_screen: None) -> None:
    first, second, third = life.moments[1:4]
    said = life.company.ask("diff", member=ADA, since=first, until=second)
    assert said["message"].endswith(" UTC: title.")
    (line,) = said["summary"]
    assert line.startswith("~ title Rep → Lead (")
    moved = life.company.ask("diff", member=ADA, since=second, until=third, detail=True)
    assert " UTC: moved from Sales to Support; lost workspace EMEA as Team member" in moved["message"]
    assert "title" not in {each["field"] for each in moved["differences"]}
    assert (moved["changes"], len(moved["runs"])) == (1, 1)


def test_a_change_that_was_taken_back_is_no_difference(
    life: Life, pass_time: PassTime, on_a_screen: None
) -> None:
    company = life.company
    begin = now()
    for active in (True, False):
        pass_time(timedelta(hours=1))
        company.salesforce.update(life.crm_id, IsActive=active)
        assert company.run("full")["status"] == "succeeded"
    said = company.ask("diff", member=ADA, since=begin, detail=True)
    assert (said["changes"], said["differences"]) == (2, [])


def test_who_came_and_what_they_came_with(life: Life) -> None:
    said = life.company.ask("diff", member=ADA, since=life.moments[0], until=life.moments[1])
    assert said["message"].endswith(" UTC: joined: Sales, gong.")
    assert said["standing"] == {"since": "not_yet", "until": "in_roster"}
    text = life.company.ask(
        "diff", member=ADA, since=life.moments[0], until=life.moments[1], **{"as": "text"}
    )
    assert any(line.split()[:3] == ["title", "none", "Rep"] for line in text["text"])
    before = life.company.ask("diff", member=ADA, since="2026-01-01", until="2026-01-02")
    assert "Ada Lovelace was not in the roster yet" in before["message"]


def test_of_who_is_erased_only_that_is_told(life: Life, on_a_screen: None) -> None:
    member = life.members[-1]["id"]
    erasure = {"organization": "acme", "by": JANE, "why": "asked to be forgotten", "erase": [member]}
    assert member_settings.handler(erasure, life.company.context)["status"] == "succeeded"
    erased = now()[:16].replace("T", " ")
    for moment in (life.moments[2], now()):
        said = life.company.ask("as_of", member=member, at=moment, detail=True)
        assert said["message"].endswith(
            f": member {member} was erased on {erased} UTC, and nothing about the person is kept."
        )
        assert (said["standing"], said["was"], said["differences"]) == ("erased", None, [])
    differs = life.company.ask("diff", member=member, since=life.moments[2], detail=True)
    assert "was erased on" in differs["message"]
    assert differs["differences"] == []


def test_a_long_history_is_read_to_the_moment_page_by_page(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "_PAGE", 1)
    said = life.company.ask("as_of", member=ADA, at=life.moments[1])
    assert (said["was"]["title"], said["changes"]) == ("Rep", 4)
