"""Runs approved, rejected and gone on with: by the very event that the run's own answer names."""

from typing import Any

import pytest

from tests.doubles.muster_functions import JANE, Answer, carry_out, done
from tests.unit.muster_cli.conftest import Answering

RUN = "20261120T081532000-0a1b2c3d"
OF = {"organization": "acme"}
APPROVE = {**OF, "approve": RUN, "plan_hash": "hash", "by": JANE}
REJECT = {**OF, "reject": RUN, "by": JANE}
SAVE = {**OF, "action": "approve", "run_id": RUN, "by": JANE}


def waiting(*steps: tuple[str, dict[str, Any]]) -> Answer:
    to_do = [{"what": "Decide.", "function": function, "event": event} for function, event in steps]
    return done("It waits for approval.", to_do=to_do, run={"status": "parked"})


IMPORT = waiting(("ScheduledImportFunction", APPROVE), ("ScheduledImportFunction", REJECT))
SETTINGS = waiting(("OrganizationSettingsFunction", SAVE), ("ScheduledImportFunction", REJECT))
DEAD = waiting(("ScheduledPushFunction", {**OF, "run_id": RUN}))


@pytest.mark.parametrize(
    ("words", "shown", "function", "event"),
    [
        ("approve --no-follow", IMPORT, "ScheduledImportFunction", {**APPROVE, "start": True}),
        ("approve", SETTINGS, "OrganizationSettingsFunction", SAVE),
        ("reject", IMPORT, "ScheduledImportFunction", REJECT),
        ("reject", SETTINGS, "ScheduledImportFunction", REJECT),
        ("resume", DEAD, "ScheduledPushFunction", {**OF, "run_id": RUN}),
    ],
)
def test_the_event_that_the_run_names_is_sent(
    answering: Answering, words: str, shown: Answer, function: str, event: dict[str, Any]
) -> None:
    functions = answering(shown)

    result = carry_out(*words.split(), RUN, "--yes", "-o", "acme")

    assert functions.asked == [
        ("RosterQueryFunction", {**OF, "action": "run", "run_id": RUN, "by": JANE, "detail": True}),
        (function, event),
    ]
    assert result.exit_code == 0


@pytest.mark.parametrize("words", ["approve", "reject", "resume"])
def test_what_does_not_wait_is_shown_and_left(answering: Answering, words: str) -> None:
    functions = answering(done("It has ended: succeeded.", run={"status": "succeeded"}))

    result = carry_out(words, RUN, "--yes", "-o", "acme")

    assert len(functions.asked) == 1
    assert result.exit_code == 1
    assert "It has ended: succeeded." in result.stdout
    assert f"There is nothing to {words}." in result.stderr


def test_without_a_yes_nothing_is_decided(answering: Answering) -> None:
    functions = answering(IMPORT)

    result = carry_out("approve", RUN, "-o", "acme")

    assert len(functions.asked) == 1
    assert result.exit_code == 1
    assert "It waits for approval." in result.stdout
    assert "Say --yes where no terminal is." in result.stderr


def test_a_run_that_is_not_there_cannot_be_decided_about(answering: Answering) -> None:
    functions = answering({"status": "rejected", "message": "run_id is not a run.", "errors": []})

    result = carry_out("approve", RUN, "--yes", "-o", "acme")

    assert len(functions.asked) == 1
    assert result.exit_code == 1


UNDO = {**OF, "undo": RUN, "by": JANE}


@pytest.mark.parametrize(
    ("shown", "function", "event"),
    [
        (
            done(
                "It has ended.",
                to_do=[
                    {
                        "what": "Undo it.",
                        "function": "ScheduledPushFunction",
                        "event": {**UNDO, "preview": True},
                    }
                ],
                run={"status": "succeeded"},
            ),
            "ScheduledPushFunction",
            {**UNDO, "start": True},
        ),
        # What offers no undo is refused by the function, which says why.
        (
            done("A preview.", run={"id": RUN, "kind": "import"}),
            "ScheduledImportFunction",
            {**UNDO, "start": True},
        ),
        (
            done("Saved.", run={"id": RUN, "kind": "settings"}),
            "OrganizationSettingsFunction",
            {**UNDO, "action": "undo"},
        ),
    ],
    ids=["offered", "not offered", "settings"],
)
def test_a_run_is_undone_by_the_function_that_made_it(
    answering: Answering, shown: Answer, function: str, event: dict[str, Any]
) -> None:
    functions = answering(shown)

    result = carry_out("undo", RUN, "--yes", "--no-follow", "-o", "acme")

    assert functions.asked[1:] == [(function, event)]
    assert result.exit_code == 0
    functions = answering(shown)
    assert carry_out("undo", RUN, "--preview", "-o", "acme").exit_code == 0
    previewed = {name: value for name, value in event.items() if name != "start"}
    assert functions.asked[1:] == [(function, {**previewed, "preview": True})]


def test_an_undo_is_shown_before_it_is_asked_for(answering: Answering) -> None:
    run = done("It has ended.", run={"id": RUN, "kind": "import"})
    functions = answering(run, done("Ada comes back."))

    result = carry_out("undo", RUN, "-o", "acme")

    assert functions.asked[1:] == [("ScheduledImportFunction", {**UNDO, "preview": True})]
    assert result.exit_code == 1
    assert "Ada comes back." in result.stdout
    assert "Undo it? Nobody is there to ask." in result.stderr
