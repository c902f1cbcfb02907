"""What is gone on with where the time was up: files of edits and group requests, and events sent again."""

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.muster_functions import JANE, carry_out
from tests.unit.muster_cli.conftest import Answering

DONE = {"status": "succeeded", "organization": "acme", "message": "3 of 3 lines: 3 changes were made."}
GOES_ON = DONE | {"status": "continue", "message": "2 of 3 lines.", "from_line": 4}


@pytest.mark.parametrize(
    ("words", "function", "more"),
    [
        ("set-file", "MemberSettingsFunction", {}),
        ("set-file --as-manager --preview", "MemberSettingsFunction", {"as": "manager", "preview": True}),
        ("groups file", "GroupAssignmentFunction", {}),
    ],
)
def test_a_file_is_sent_as_it_is_and_gone_on_with(
    answering: Answering, tmp_path: Path, words: str, function: str, more: dict[str, Any]
) -> None:
    file = tmp_path / "some.csv"
    text = "\ufeffmember;end_date\r\nada@x;2026-12-31\r\n"
    file.write_bytes(text.encode())
    functions = answering(GOES_ON, DONE)
    result = carry_out(*words.split(), str(file), "-o", "acme")
    assert result.exit_code == 0, result.output
    event = {"organization": "acme", "by": JANE, "csv": text, **more}
    assert functions.asked == [(function, event), (function, event | {"from_line": 4})]
    assert "2 of 3 lines." in result.stdout
    assert "3 changes were made" in result.stdout


def test_events_are_sent_again_until_all_are(answering: Answering) -> None:
    cursor = "2026-11-20T08:15:31.000Z|m1|00000007"
    functions = answering(GOES_ON | {"cursor": cursor}, DONE)
    result = carry_out("resend-events", "--since", "yesterday", "-o", "acme")
    assert result.exit_code == 0, result.output
    event = {"organization": "acme", "action": "resend_events", "since": "yesterday", "by": JANE}
    function = "MemberEventsFunction"
    assert functions.asked == [(function, event), (function, event | {"cursor": cursor})]


@pytest.mark.parametrize(
    "content",
    [None, b"member\n\xff\xfe", b"m" * 4_000_001],
    ids=["there is none", "not UTF-8", "too large"],
)
def test_a_file_that_cannot_be_sent_is_told_and_nothing_is_sent(
    answering: Answering, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "some.csv"
    if content is not None:
        file.write_bytes(content)
    functions = answering()
    result = carry_out("set-file", str(file), "-o", "acme")
    assert result.exit_code == 1
    assert "some.csv" in result.stderr.replace("\n", "")
    assert functions.asked == []
