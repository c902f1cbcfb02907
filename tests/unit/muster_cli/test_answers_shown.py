"""What is printed of an answer, where, and which exit code it stands for."""

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from muster_cli.failures import Failure
from muster_cli.screen import Screen
from tests.doubles.muster_functions import carry_out, done
from tests.unit.muster_cli.conftest import Answering

RUN = "20261120T081532000-0a1b2c3d"
REJECTED = {
    "status": "rejected",
    "message": "organization acmee has no settings.",
    "errors": [
        {"where": "organization", "message": "acmee has no settings", "remedy": "Did you mean 'acme'?"}
    ],
}
PARKED = {
    "status": "parked",
    "run_id": RUN,
    "message": "Nothing was changed.",
    "guard": ["12 members would be deactivated; 5 may be"],
    "summary": ["- Bob Stone leaves: deactivated in Salesforce", "… and 11 more"],
}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("succeeded", 0),
        ("started", 0),
        ("parked", 3),
        ("rejected", 1),
        ("succeeded_with_errors", 1),
        ("skipped", 1),
        ("continue", 1),
        ("something new", 1),
    ],
)
def test_the_exit_code_says_how_it_came_out(answering: Answering, status: str, code: int) -> None:
    answering({"status": status, "message": "Said."})

    assert carry_out("webhook", "install", "-o", "acme").exit_code == code


def test_an_answer_is_its_sentence_and_its_lines(answering: Answering) -> None:
    warnings = [{"where": "seats.gong", "message": "is below its use", "remedy": "Nobody loses it."}]
    steps = [
        "Wait.",
        {"what": "See them.", "function": "RosterQueryFunction", "event": {"action": "errors"}},
        {"what": "Go on.", "function": "ScheduledImportFunction", "event": {"run_id": RUN}},
        {"what": "Ask.", "function": "PreflightFunction", "event": {"organization": "acme"}},
    ]
    answering(done("All is well.", warnings=warnings, summary=["+ Ada joins"], to_do=steps, cursor="c2", x=1))

    result = carry_out("health", "-o", "acme")

    assert result.stdout.splitlines() == [
        "All is well.",
        "! seats.gong is below its use",
        "    Nobody loses it.",
        "+ Ada joins",
        "→ Wait.",
        "→ See them.",
        "    muster errors",
        "→ Go on.",
        f"    muster resume {RUN}",
        "→ Ask.",
        '    PreflightFunction {"organization": "acme"}',
        "There is more: the same with --cursor c2",
    ]
    assert result.stderr == ""


def test_what_waits_says_what_holds_it_and_how_to_decide(answering: Answering) -> None:
    answering(PARKED)

    result = carry_out("webhook", "install", "-o", "acme")

    assert result.stdout.splitlines() == [
        "Nothing was changed.",
        "! 12 members would be deactivated; 5 may be",
        "- Bob Stone leaves: deactivated in Salesforce",
        "… and 11 more",
        f"→ Look at it: muster run {RUN}",
        f"→ Then: muster approve {RUN}, or muster reject {RUN}",
    ]


def test_a_refusal_says_where_and_what_to_do(answering: Answering) -> None:
    answering(REJECTED)

    result = carry_out("health", "-o", "acmee")

    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Refused: organization acmee has no settings.",
        "  organization: acmee has no settings",
        "    Did you mean 'acme'?",
    ]


@pytest.mark.parametrize("answer", [done(members=[{"name": "Łukasz"}]), REJECTED, PARKED])
def test_json_is_the_answer_as_it_is_and_nothing_else(answering: Answering, answer: dict[str, Any]) -> None:
    answering(answer)

    result = carry_out("list", "--json", "-o", "acme")

    assert json.loads(result.stdout) == answer
    assert result.stderr == ""


def test_an_answer_without_lines_is_shown_as_it_is_and_any_with_detail(answering: Answering) -> None:
    answering(done(found={"a": [1, None]}), done(found={"a": [1, None]}, summary=["+ Ada joins"]))

    without, with_lines = (carry_out("health", *more, "-o", "acme") for more in ([], ["--detail"]))

    assert without.stdout.splitlines() == ["Done.", "found:", "  a:", "  - 1", "  -"]
    assert with_lines.stdout.splitlines() == ["Done.", "+ Ada joins", *without.stdout.splitlines()[1:]]


def test_a_failure_is_told_without_a_traceback(answering: Answering) -> None:
    answering(Failure("ScheduledImportFunction failed: Misconfigured: no secret", "Store it."))

    result = carry_out("health", "-o", "acme")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "ScheduledImportFunction failed: Misconfigured: no secret",
        "  Store it.",
    ]


def test_who_interrupts_is_told_that_it_may_go_on(answering: Answering) -> None:
    answering(KeyboardInterrupt())

    result = carry_out("push", "-o", "acme")

    assert result.exit_code == 130
    assert "may still be carried out" in result.stderr


def terminal(width: int, **of: Any) -> tuple[Screen, StringIO]:
    written = StringIO()
    colours = {"color_system": "standard", **of}
    console = Console(file=written, width=width, force_terminal=True, highlight=False, **colours)
    return Screen(out=console, err=console), written


def test_a_terminal_has_colours_and_its_own_width() -> None:
    screen, written = terminal(40)

    screen.show(done("One joins.", summary=["+ Ada Lovelace joins: Field sales, gong, forecast"]))

    lines = written.getvalue().splitlines()
    assert "\x1b[32m" in lines[1]
    assert len(lines) == 3


def test_a_table_is_drawn_within_the_width_and_in_place_of_the_summary() -> None:
    screen, written = terminal(48, color_system=None)
    versions = [
        {
            "version": 7,
            "at": "2026-11-20T08:15:31Z",
            "by": "jane",
            "approved_by": None,
            "why": "Leeds joins the field",
            "changed": [],
        }
    ]

    screen.show(done(summary=["+ Ada"], versions=versions), "versions")

    lines = written.getvalue().splitlines()
    assert "+ Ada" not in lines
    assert "jane" in written.getvalue()
    assert "…" not in written.getvalue()
    assert max(map(len, lines)) <= 48


def test_names_give_the_terminal_no_orders() -> None:
    screen, written = terminal(80)

    named = [{"organization": "\x1b]0;x\x07", "scheduled": True, "pushed": True}]
    screen.show(done("\x1b[2JAda\x07 [red]joins[/red]", organizations=named), "organizations")

    shown = written.getvalue()
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown
    assert "\x07" not in shown
    assert "[red]joins[/red]" in shown


def test_a_list_of_nothing_is_said_in_the_message(answering: Answering) -> None:
    answering(done("0 runs.", runs=[]))

    assert carry_out("runs", "-o", "acme").stdout == "0 runs.\n"


CHECKS = [
    {"check": "login", "connection": "salesforce", "result": "failed", "found": "no", "remedy": "Set it."}
]


@pytest.mark.parametrize(
    ("answer", "words", "shown"),
    [
        (done(checks=CHECKS, summary=["! Failed"]), [], "! Failed"),
        (done(checks=CHECKS, summary=["! Failed"]), ["--detail"], "login"),
        (done(checks=CHECKS), [], "login"),
    ],
)
def test_checks_are_summed_up_unless_each_is_asked_for(
    answering: Answering, answer: dict[str, Any], words: list[str], shown: str
) -> None:
    answering(answer)

    lines = carry_out("preflight", *words, "-o", "acme").stdout

    assert shown in lines
    assert ("! Failed" in lines) == (shown == "! Failed")


def test_where_there_is_no_terminal_a_table_has_whole_lines_and_no_colours(answering: Answering) -> None:
    remedy = "Setup > Permission Sets > the integration user's > System Permissions: tick View All Users."
    answering(done(checks=[{**CHECKS[0], "remedy": remedy}]))

    lines = carry_out("preflight", "-o", "acme").stdout.splitlines()

    assert lines[2].endswith(remedy)
    assert not any("\x1b" in line or line.endswith(" ") for line in lines)
