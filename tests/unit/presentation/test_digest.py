"""The morning digest as a table: what it says of a day, of several organizations, and of nobody by name."""

from typing import Any

import pytest

from muster.presentation import digest

type Json = dict[str, Any]

PERIOD = "2026-11-29T07:00:00.000Z", "2026-11-30T07:00:00.000Z"
DASHBOARD = "https://console.example/dashboard"
PARKED = {"level": "waits", "what": "An import waits for a word: run r1.", "remedy": "Approve it."}
SEAT = {"level": "soon", "what": "Seat gong: 98 of 100 held."}


def day(organization: str | None = "acme", **more: Any) -> Json:
    empty: Json = {"counts": {}, "runs_failed": 0, "findings": [], "ends": [], "warnings": []}
    return {"organization": organization, **empty, **more}


STACK = day(None)


def mail(*told: Json, unseen: tuple[str, ...] = ()) -> str:
    return digest.text(PERIOD, [STACK, *told], unseen, DASHBOARD)


@pytest.mark.parametrize(
    ("each", "line"),
    [
        (day(counts={"joined": 3, "left": 1}), "3 people joined, 1 person left"),
        (day(counts={"changed": 1_204}), "1,204 people changed"),
        (day(counts={"returned": 1, "erased": 2}), "1 person came back, 2 people were erased"),
        (day(counts={"settings": 1, "errors": 2}), "settings saved 1 time, 2 new errors"),
        (day(runs_failed=2), "2 runs failed"),
        (day(findings=[PARKED]), "! An import waits for a word: run r1. → Approve it."),
        (day(findings=[SEAT]), "~ Seat gong: 98 of 100 held."),
        (day(ends=["The credentials of Vault CRM end in 5 days."]), "~ The credentials of Vault CRM end in"),
        (day(findings=[SEAT]), "nothing changed"),
        (
            day(counts={"left": 1}, warnings=["10,000 changes were looked at."]),
            "10,000 changes were looked at.",
        ),
    ],
)
def test_what_is_told_of_an_organization(each: Json, line: str) -> None:
    assert digest.is_news(each)
    assert f"\n  {line}" in mail(each).partition("\nacme")[2]


def test_a_quiet_day_is_two_lines() -> None:
    assert not digest.is_news(day())
    assert mail(day()) == (
        "From 2026-11-29 07:00 to 2026-11-30 07:00 UTC.\n\nNothing happened and nothing is wrong: acme.\n"
    )


def test_who_needs_somebody_comes_first_and_who_is_quiet_last() -> None:
    said = mail(day("a", findings=[SEAT]), day("b"), day("c", findings=[PARKED]), unseen=("z",))
    places = [said.index(f"\n{each}") for each in ("c\n", "a\n", "Nothing happened", "There was no time")]
    assert places == sorted(places)
    assert "nothing is wrong: b." in said
    assert "no time to look at z." in said


def test_what_is_of_no_organization_is_told_once_and_beside_them() -> None:
    finding = {"level": "broken", "what": "2 messages could not be applied."}
    said = digest.text(PERIOD, [day(None, findings=[finding]), day("a"), day("b")], (), DASHBOARD)
    assert said.count("2 messages could not be applied.") == 1
    assert "All organizations of this stack\n  ! 2 messages" in said


def test_it_says_where_the_names_are_and_what_to_do() -> None:
    said = mail(day(counts={"joined": 1}))
    assert '{"organization": "acme", "action": "changes", "since": "2026-11-29T07:00:00.000Z"}' in said
    assert '{"organization": "acme", "action": "health"}' in said
    assert DASHBOARD in said


def test_text_from_outside_is_no_link_and_no_line_of_its_own() -> None:
    what = "Seat http://evil.example/\n\nacme: full. " + "x" * 1_000
    said = mail(day(findings=[{**SEAT, "what": what}]))
    [line] = [each for each in said.splitlines() if "evil.example" in each]
    assert line.startswith("  ~ Seat http: evil.example/ acme: full.")
    assert len(line) <= 242


def test_many_organizations_and_many_findings_fit_a_mail() -> None:
    findings = [{**SEAT, "what": "Seat " + "\N{BEETLE}" * 290} for _ in range(100)]
    told = [day(f"organization-{number:03}", findings=findings) for number in range(200)]
    said = mail(*told)
    assert len(said.encode()) < 256 * 1024
    assert "… and 89 more" in said
    assert "There is news of others, too: organization-020" in said
    assert "and 130 more." in said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([day()], "Muster: a quiet day (m)"),
        ([day(counts={"changed": 2})], "Muster: little happened (m)"),
        (
            [day(counts={"joined": 3, "left": 1}), day(counts={"joined": 1})],
            "Muster: 4 joined, 1 left (m)",
        ),
        ([day(findings=[PARKED])], "Muster: 1 thing to look at (m)"),
    ],
)
def test_the_subject_is_our_words_and_numbers(told: list[Json], said: str) -> None:
    assert digest.subject("m", told) == said


def test_the_subject_is_what_sns_takes() -> None:
    said = digest.subject("ä" * 128, [day(findings=[PARKED])])
    assert said.isascii()
    assert len(said) <= 100
