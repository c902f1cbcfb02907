"""plan, apply and validate: a settings document as it is, what it would change, and what that ends with."""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_cli.failures import Failure
from muster_cli.screen import Screen
from tests.doubles.muster_functions import JANE, Answer, carry_out, done
from tests.unit.muster_cli.conftest import Answering

CHANGES = [
    {"where": "seats.forecast", "before": None, "after": {"limit": 20}},
    {"where": "seats.gong.limit", "before": 100, "after": 200},
    {"where": "time_zone", "before": "Europe/London", "after": None},
]
SAME = done("The settings are good; against version 7 they change 0 places.", version=7, changes=[])
DIFFERENT = done("The settings are good; against version 7 they change 3 places.", version=7, changes=CHANGES)
NOBODY = done("Nothing to change.", counts={"updated": 0})
SOMEBODY = done("3 created.", counts={"created": 3}, summary=["+ Ada joins"])
WOULD_WAIT = done("It would wait.", counts={"deactivated": 12}, guard=["12 members would be deactivated"])
REFUSED = {
    "status": "rejected",
    "message": "seats.gong is unknown.",
    "errors": [{"where": "seats.gong", "message": "is unknown", "remedy": "Leave it out."}],
}
SAVED = done("Version 8 is saved.", version=8)
PARKED = {"status": "parked", "run_id": "r1", "message": "Nothing was saved."}


def sent(action: str, text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    signed = {} if action == "validate" else {"by": JANE}
    event = {"organization": "acme", "action": action, "settings": text, **signed, **more}
    return "OrganizationSettingsFunction", event


@pytest.mark.parametrize(
    ("answers", "code", "asked"),
    [
        ([SAME, NOBODY], 0, ["validate", "preview"]),
        ([SAME, SOMEBODY], 2, ["validate", "preview"]),
        ([DIFFERENT, NOBODY], 2, ["validate", "preview"]),
        ([DIFFERENT, WOULD_WAIT], 3, ["validate", "preview"]),
        ([DIFFERENT, REFUSED], 1, ["validate", "preview"]),
        ([DIFFERENT, Failure("Salesforce is down.")], 1, ["validate", "preview"]),
        ([REFUSED], 1, ["validate"]),
    ],
)
def test_a_plan_ends_with_what_it_found(
    answering: Answering, document: Path, answers: list[Answer], code: int, asked: list[str]
) -> None:
    functions = answering(*answers)

    result = carry_out("plan", str(document))

    assert result.exit_code == code
    assert [event["action"] for _, event in functions.asked] == asked


def test_a_plan_sends_the_file_as_it_is_and_says_what_it_changes(
    answering: Answering, document: Path
) -> None:
    functions = answering(DIFFERENT, SOMEBODY)

    result = carry_out("plan", str(document))

    text = document.read_text()
    assert "# the only one" in text
    assert functions.asked == [sent("validate", text, detail=True), sent("preview", text)]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["added", "seats.forecast", '{"limit":', "20}"] in lines
    assert ["changed", "seats.gong.limit", "100", "200"] in lines
    assert ["removed", "time_zone", "Europe/London"] in lines
    assert lines[-2:] == [["3", "created."], ["+", "Ada", "joins"]]


def test_a_document_may_come_from_elsewhere_and_be_json(
    answering: Answering, document: Path, tmp_path: Path
) -> None:
    functions = answering(SAME, SAME, SAME)
    written = tmp_path / "globex.json"
    written.write_text(json.dumps({"organization": "globex"}))
    broken = tmp_path / "broken.yaml"
    broken.write_text("organization: [")

    carry_out("validate", str(written))
    carry_out("validate", str(broken), "-o", "acme")
    carry_out("validate", str(document), "-o", "initech")

    # What a document lacks or names wrongly, Muster says.
    assert [event["organization"] for _, event in functions.asked] == ["globex", "acme", "initech"]


def test_a_file_that_cannot_be_read_is_named(answering: Answering, tmp_path: Path) -> None:
    functions = answering()
    binary = tmp_path / "logo.png"
    binary.write_bytes(b"\x89PNG\xff")

    for path in (tmp_path / "none.yaml", binary):
        result = carry_out("plan", str(path))
        assert result.exit_code == 1
        assert f"{path} cannot be read" in result.stderr
    assert not functions.asked


@pytest.mark.parametrize(("saved", "code"), [(SAVED, 0), (PARKED, 3), (REFUSED, 1)])
def test_what_was_planned_is_saved_and_nothing_newer(
    answering: Answering, document: Path, saved: Answer, code: int
) -> None:
    functions = answering(DIFFERENT, SOMEBODY, saved)

    result = carry_out("apply", str(document), "--why", "Leeds joins", "--yes")

    text = document.read_text()
    assert functions.asked == [
        sent("validate", text, detail=True),
        sent("preview", text),
        sent("put", text, why="Leeds joins", expected_version=7),
    ]
    assert result.exit_code == code


def test_what_waits_says_how_to_approve_it(answering: Answering, document: Path) -> None:
    answering(DIFFERENT, WOULD_WAIT, PARKED)

    result = carry_out("apply", str(document), "--yes")

    assert result.stdout.splitlines()[-1] == "→ Then: muster approve r1, or muster reject r1"


def test_without_a_yes_nothing_is_saved(
    answering: Answering, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = answering(DIFFERENT, SOMEBODY)

    assert carry_out("apply", str(document)).exit_code == 1
    assert [event["action"] for _, event in functions.asked] == ["validate", "preview"]

    functions = answering(DIFFERENT, SOMEBODY)
    monkeypatch.setattr(Screen, "ask", lambda _, question: None)
    assert carry_out("apply", str(document)).exit_code == 0
    assert [event["action"] for _, event in functions.asked] == ["validate", "preview", "put"]


def test_where_nothing_would_change_nobody_is_asked(answering: Answering, document: Path) -> None:
    functions = answering(SAME, NOBODY, SAVED)

    assert carry_out("apply", str(document)).exit_code == 0
    assert [event["action"] for _, event in functions.asked] == ["validate", "preview", "put"]


def test_what_cannot_be_planned_is_not_saved_by_itself(answering: Answering, document: Path) -> None:
    functions = answering(DIFFERENT, REFUSED)

    result = carry_out("apply", str(document), "--yes")

    assert result.exit_code == 1
    assert [event["action"] for _, event in functions.asked] == ["validate", "preview"]
    assert result.stderr.splitlines()[-1] == "To save it without a plan: --expected-version 7"


def test_what_was_planned_before_is_saved_on_the_version_that_it_was_planned_on(
    answering: Answering, document: Path
) -> None:
    functions = answering(SAVED)

    carry_out("apply", str(document), "--expected-version", "7")

    assert functions.asked == [sent("put", document.read_text(), expected_version=7)]


def test_json_is_one_document(answering: Answering, document: Path) -> None:
    answering(DIFFERENT, SOMEBODY)
    assert json.loads(carry_out("plan", str(document), "--json").stdout) == SOMEBODY
    answering(DIFFERENT, SOMEBODY, SAVED)
    assert json.loads(carry_out("apply", str(document), "--json", "--yes").stdout) == SAVED
    answering(REFUSED)
    assert json.loads(carry_out("apply", str(document), "--json", "--yes").stdout) == REFUSED


def test_the_settings_in_force_can_be_kept_as_a_file(answering: Answering, tmp_path: Path) -> None:
    answer = done("Version 7.", settings={"organization": "acme", "seats": {"gong": {"limit": 200}}})
    written = tmp_path / "acme.yaml"
    answering(answer)
    shown = carry_out("settings", "get", "-o", "acme")
    answering(answer)
    carry_out("settings", "get", "-o", "acme", "--output", str(written))

    assert shown.stdout == written.read_text() == "organization: acme\nseats:\n  gong:\n    limit: 200\n"
