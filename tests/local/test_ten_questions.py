"""The ten questions of an admin, each asked by one invocation after a week on a deployed stack (Q5).

Judged by what stands in the console's pane alone. The answers are kept in `docs/answers`, for people to
read; to write them anew: KEEP_ANSWERS=1 pytest tests/local/test_ten_questions.py
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack, folder_of
from sandbox.local_stack.vault_admin import VaultAdmin
from tests.local import kept_answers
from tests.local.conftest import named, run
from tests.local.week import ADA, JACK, JANE, PROMOTED, Week

type Answer = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question, the invocation that answers it, and words that the answer has to have."""

    name: str
    asked: str
    event: Mapping[str, Any]
    says: tuple[str, ...]
    function: str = "RosterQueryFunction"


QUESTIONS = (
    Question(
        "why_has_she_a_seat",
        "Why has Ada Lovelace a seat?",
        {"action": "explain", "member": f"{ADA.first_name} {ADA.last_name}"},
        (
            "Ada Lovelace is active and holds gong and forecast.",
            "Holds gong since",
            "by Field sales",
            "in group UK Field Force",
            "Grace Hopper",
        ),
    ),
    Question(
        "why_has_he_none",
        "Why has Jack Moss none?",
        {"action": "explain", "member": f"{JACK.first_name} {JACK.last_name}"},
        ("Jack Moss is active and waits for gong (place 1 of 2).", "Waits for gong since"),
    ),
    Question(
        "what_happened_last_night",
        "What happened since Wednesday?",
        {"action": "changes", "since": "<Wednesday>"},
        (
            "Fay Wong joined",
            "Gus Hall joined",
            "Bob Stone left: deactivated in Salesforce",
            "Clara Ng waits for forecast",
            "was approved by omar@acme.example",
            "jane@acme.example saved version 3 of the settings: seats.gong.limit (One more was bought)",
        ),
    ),
    Question(
        "who_changed_it",
        "Who changed what is recorded of Jack Moss?",
        {"action": "history", "member": JACK.username},
        ("record web conferences enabled → prevented (edited by jane@acme.example)",),
    ),
    Question(
        "undo_it",
        "Undo what Thursday's import did!",
        {"undo": "<Thursday's import>", "preview": True, "by": JANE},
        (
            "A preview; nothing was changed.",
            "! Dan Brook and Eve Park: active cannot be put back: no assignment's filter matches the user",
            "Mend that first, then undo the run again",
        ),
        "ScheduledImportFunction",
    ),
    Question(
        "what_breaks_next",
        "What breaks next?",
        {"action": "health"},
        (
            "It is safe to push now: 1 person, nothing blocks",
            "Seat gong: 7 of 7 held; 2 people in line",
            "in line for a licence",
        ),
    ),
    Question(
        "how_many_seats_are_left",
        "How many seats are left?",
        {"action": "seats"},
        ("Seat gong: 7 of 7 held, 0 free, 2 people wait", "Seat forecast: 1 of 1 held, 0 free"),
    ),
    Question(
        "who_waits",
        "Who waits for a seat?",
        {"action": "seats", "as": "text"},
        ("Jack Moss", "Lou Reyes", "Clara Ng"),
    ),
    Question(
        "who_waits_for_a_licence",
        "Who waits for a licence of Engage?",
        {"action": "licences"},
        ("4 licences in use, 1 person waits", "first to last: Gus Hall"),
    ),
    Question(
        "is_it_safe_to_push_now",
        "Is it safe to push now?",
        {"preview": True, "by": JANE},
        ("2 people ask for a group", "it is safe to push now", "Gus Hall", "Ivy Lane"),
        "ScheduledPushFunction",
    ),
    # Last, for it leaves a change of settings that waits for approval.
    Question(
        "what_will_this_change_do",
        "What will this change of settings do?",
        {"action": "preview", "settings": "<the filter of Field sales narrowed>", "by": JANE},
        (
            "Clara Ng leaves: matched by no assignment; gong freed, Jack Moss is next",
            "It would wait for approval",
        ),
        "OrganizationSettingsFunction",
    ),
)


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, Answer]]:
    """Return the answers by name, asked in order on a stack where nothing else has happened."""
    with named() as name:
        up = run("sandbox.local_stack", "up", name=name)
        assert up.returncode == 0, up.stdout + up.stderr
        stack = LocalStack.read(folder_of(name))
        week = Week(stack, SalesforceAdmin(stack), VaultAdmin(stack)).staged()
        yield {question.name: _answer(week, question) for question in QUESTIONS}


def _answer(week: Week, question: Question) -> Answer:
    event = dict(question.event)
    if "since" in event:
        event["since"] = week.night
    if "undo" in event:
        event["undo"] = week.thursday
    if "settings" in event:
        event["settings"] = week.settings()
        event["settings"]["assignments"][0]["filter"] += f" AND Title != '{PROMOTED}'"
    # As an admin pastes it, who asks for no more than there is on a screen.
    return week.stack.invoke(question.function, **event, detail=False)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_is_answered_on_one_screen_in_words(
    answers: Mapping[str, Answer], question: Question
) -> None:
    pane = kept_answers.pane(answers[question.name])
    assert len(pane.splitlines()) <= kept_answers.SCREEN, pane
    said = "\n".join([answers[question.name]["message"], *_lines(answers[question.name])])
    assert [words for words in question.says if words not in said] == [], pane

    event = json.dumps({"organization": "acme", **question.event}, ensure_ascii=False)
    shown = kept_answers.marked(f"{question.asked}\n{question.function} with {event}\n\n{pane}\n")
    kept = kept_answers.path_of(question.name)
    if os.environ.get("KEEP_ANSWERS"):
        kept.write_text(shown)
    assert shown == kept.read_text(), f"KEEP_ANSWERS=1 writes {kept} anew"


def test_every_kept_answer_is_of_a_question_and_named_in_the_list() -> None:
    kept = {path.stem for path in kept_answers.FOLDER.glob("*.txt")}
    assert kept == {question.name for question in QUESTIONS}
    listed = (kept_answers.FOLDER / "README.md").read_text()
    assert [name for name in sorted(kept) if f"({name}.txt)" not in listed] == []


def _lines(answer: Answer) -> list[str]:
    lines: list[str] = answer.get("summary") or answer["text"]
    return lines
