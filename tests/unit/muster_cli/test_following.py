"""A run watched to its end: how often it is asked after, what is said meanwhile, and how that ends."""

from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from muster_cli import following
from muster_cli.asking import Muster
from muster_cli.failures import Failure
from muster_cli.screen import Screen
from tests.doubles.muster_functions import Answer, Scripted, carry_out, done
from tests.unit.muster_cli.conftest import Answering

RUN = "20261120T081532000-0a1b2c3d"


def run(status: str, message: str = "It reads.", **more: Any) -> Answer:
    return done(message, run={"status": status}, **more)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, none of which lasts."""
    made: list[float] = []
    monkeypatch.setattr("muster_cli.following.time", SimpleNamespace(sleep=made.append))
    return made


def followed(*answers: Answer | BaseException, wait: Callable[[float], None]) -> int:
    return following.follow(Muster(Scripted(answers), Screen(), "acme"), RUN, wait)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("succeeded", 0),
        ("previewed", 0),
        ("parked", 3),
        ("failed", 1),
        ("rejected", 1),
        ("succeeded_with_errors", 1),
    ],
)
def test_the_end_of_the_run_is_the_end_of_the_command(status: str, code: int) -> None:
    assert followed(run("running"), run(status), run(status), wait=lambda _: None) == code


def test_it_is_asked_after_ever_less_often() -> None:
    pauses: list[float] = []

    followed(*[run("running")] * 30, run("succeeded"), wait=pauses.append)

    assert len(pauses) == 30
    assert pauses[0] == 1
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert pauses[-1] == 15


def test_a_question_that_goes_astray_is_followed_by_another() -> None:
    lost = Failure("RosterQueryFunction has not answered", "…")

    assert followed(*[lost] * 4, run("running"), *[lost] * 4, run("succeeded"), wait=lambda _: None) == 0


def test_who_cannot_ask_any_more_is_told_that_the_run_goes_on() -> None:
    with pytest.raises(Failure) as told:
        followed(*[Failure("AWS does not accept your credentials", "Sign in.")] * 5, wait=lambda _: None)

    assert told.value.message == "AWS does not accept your credentials"
    assert told.value.remedy == f"The run goes on by itself: muster run {RUN} --follow"


def test_a_terminal_shows_a_bar_that_goes_when_the_run_has_ended() -> None:
    written = StringIO()
    terminal = Console(file=written, force_terminal=True, width=100, color_system=None)
    applying = {"phase": "apply", "planned": 200, "applied": 50}
    answers = [
        run("running"),
        run("running", "50 of 200 applied.", at_work=applying),
        *[run("succeeded")] * 2,
    ]
    to = Muster(Scripted(answers), Screen(out=terminal, err=terminal), "acme")

    assert following.follow(to, RUN, lambda _: None) == 0
    assert "50 of 200 applied." in written.getvalue()
    assert "50/200" in written.getvalue()


@pytest.mark.usefixtures("pauses")
def test_a_run_is_begun_once_and_then_only_asked_after(answering: Answering) -> None:
    started = {"status": "started", "run_id": RUN, "message": "The run has begun."}
    end = run("succeeded", "3 created.", summary=["+ Ada joins"])
    functions = answering(started, run("running"), run("running"), run("running", "50 of 200."), end, end)

    result = carry_out("import", "--full", "-o", "acme")

    begun, *asked = functions.asked
    assert begun[1] == {
        "organization": "acme",
        "by": "jane@acme.example",
        "mode": "full",
        "start": True,
    }
    assert {function for function, _ in asked} == {"RosterQueryFunction"}
    assert {event["action"] for _, event in asked} == {"run"}
    assert result.stderr.splitlines() == ["The run has begun.", "It reads.", "50 of 200."]
    assert result.stdout.splitlines() == ["3 created.", "+ Ada joins"]
    assert result.exit_code == 0


def test_who_interrupts_ends_the_watching_and_not_the_run(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("muster_cli.following.time", SimpleNamespace(sleep=interrupted))
    functions = answering(run("running"))

    result = carry_out("run", RUN, "--follow", "-o", "acme")

    assert result.exit_code == 130
    assert result.stderr.splitlines()[-2:] == [
        "Stopped watching; the run goes on.",
        f"  Watch it again: muster run {RUN} --follow",
    ]
    assert len(functions.asked) == 1


def test_a_run_that_is_not_there_is_a_refusal(answering: Answering) -> None:
    refused = {"status": "rejected", "message": "run_id is not a run of this organization.", "errors": []}
    answering(refused, refused)

    result = carry_out("run", RUN, "--follow", "-o", "acme")

    assert result.exit_code == 1
    assert "is not a run of this organization" in result.stderr
