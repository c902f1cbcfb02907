"""What is answered about the lines of a CSV file: sums, the first lines in words, and how it came out."""

from typing import Any

import pytest

from muster.edits.answers import Done, Sums, counts_of, of_lines
from muster.edits.csv_lines import Lines
from muster.errors import Problem, Rejected
from muster.roster.member import Json

SEAT = {"field": "seats.gong.state", "before": None, "after": "held"}
SINCE = {"field": "seats.gong.since", "before": None, "after": "2026-11-30"}
DATE = Problem("end_date", "is not a date", "Write year, month and day.")
NOBODY = Problem("member", "is not in the roster: 'm2'", "Ask explain.")
LEFT = Problem("member", "is not active", "Ask explain.")


def about(
    results: dict[int, Json], changed: set[int], refused: dict[int, Problem], *, detail: bool = False
) -> Sums:
    """Return the sums of a file whose lines are about m2, m3 and so on."""
    numbers = [*results, *refused]
    sums = Sums(Lines({number: {"member": f"m{number}"} for number in numbers}, {}, 0), detail)
    sums.add(Done(results, frozenset(changed), {n: Rejected(problem) for n, problem in refused.items()}))
    return sums


def answered(sums: Sums, first: int | None = None, following: int | None = None, **more: bool) -> Json:
    return of_lines(sums, "edit:1", first, following, **{"preview": False, **more})


@pytest.mark.parametrize(
    ("good", "wrong", "first", "following", "status"),
    [
        (1, 0, None, None, "succeeded"),
        (1, 1, None, None, "succeeded_with_errors"),
        (0, 1, None, None, "rejected"),
        (0, 1, 9, None, "succeeded_with_errors"),
        (1, 1, None, 9, "continue"),
        (0, 1, None, 9, "continue"),
    ],
)
def test_how_a_file_came_out(
    good: int, wrong: int, first: int | None, following: int | None, status: str
) -> None:
    sums = about({2: {"changed": [SEAT]}} if good else {}, {2} if good else set(), {3: DATE} if wrong else {})
    said = answered(sums, first, following)
    assert (said["status"], said.get("from_line")) == (status, following)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ({"changed": [SEAT, SINCE]}, "~ line 2, m2: seats.gong.state nothing → held"),
        ({"changed": [SEAT], "note": "Well."}, "~ line 2, m2: seats.gong.state nothing → held. Well."),
        (
            {"changed": [{"field": f"f{n}", "before": n, "after": None} for n in range(6)]},
            "~ line 2, m2: f0 0 → nothing, f1 1 → nothing, f2 2 → nothing, f3 3 → nothing, 2 more",
        ),
        ({"feature": "engage", "request": None, "note": "Sent."}, "~ line 2, m2: engage nothing. Sent."),
    ],
)
def test_what_a_line_does_in_words(result: dict[str, Any], line: str) -> None:
    assert answered(about({2: result}, {2}, {}))["lines"] == [line]


@pytest.mark.parametrize(
    ("problem", "line", "where"),
    [
        (DATE, "! line 2, m2: end_date is not a date. Write year, month and day.", "line 2, end_date"),
        (NOBODY, "! line 2: member is not in the roster: 'm2'. Ask explain.", "line 2, member"),
        (LEFT, "! line 2, m2: member is not active. Ask explain.", "line 2, member"),
        (Problem("", "has 5 cells", "Quote."), "! line 2, m2: has 5 cells. Quote.", "line 2"),
    ],
)
def test_what_is_wrong_with_a_line_in_words(problem: Problem, line: str, where: str) -> None:
    said = answered(about({}, set(), {2: problem}))
    assert (said["lines"], [each["where"] for each in said["errors"]]) == ([line], [where])


@pytest.mark.parametrize(("detail", "most"), [(False, 20), (True, 500)])
def test_an_answer_has_a_screen_of_lines_and_so_many_in_full(detail: bool, most: int) -> None:
    results: dict[int, Json] = {number: {"changed": [SEAT]} for number in range(2, 1_002)}
    refused = dict.fromkeys(range(1_002, 2_002), DATE)
    said = answered(about(results, {*results}, refused, detail=detail))
    assert said["message"] == "1,000 of 2,000 lines: 1,000 changes were made, 1,000 were refused."
    assert (len(said["results"]), len(said["errors"]), len(said["lines"])) == (most, most, 20)
    assert (said["lines"][11], said["lines"][-1]) == ("… and 989 more", "… and 993 more")


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"counts": {"changed": 1, "unchanged": 2, "refused": 3}, "errors": [{}] * 4}, (1, 2, 3)),
        ({"preview": True, "counts": {"changed": 1, "unchanged": 2, "refused": 3}}, (0, 0, 0)),
        ({"status": "rejected", "errors": [{}]}, (0, 0, 1)),
    ],
)
def test_what_metrics_count(said: dict[str, Any], counts: tuple[int, int, int]) -> None:
    found = counts_of(said)
    assert (found["changed"], found["unchanged"], found["refused"]) == counts
