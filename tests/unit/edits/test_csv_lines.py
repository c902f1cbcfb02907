"""CSV files as people's spreadsheets write them, and what they are taken for."""

from typing import Any

import pytest

from muster.edits import group_requests, member_edits
from muster.edits.csv_lines import MOST_LINES, Lines, read
from muster.errors import Problem, Rejected, TooLarge
from muster.presentation.exports import BYTE_ORDER_MARK, line

ADA, BOB = "ada@acme.example", "bob@acme.example"


def edits(text: str) -> Lines:
    return read(text, member_edits.COLUMNS)


def problems(text: str) -> list[Problem]:
    """Return what is wrong with a file as a whole."""
    with pytest.raises(Rejected) as refused:
        edits(text)
    assert all(problem.where == "csv" and problem.remedy for problem in refused.value.problems)
    return [*refused.value.problems]


# ── What is read ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "member,end_date\nada,2026-12-31\nbob,null\n",
        "member,end_date\nada,2026-12-31\nbob,null",
        "\ufeffmember,end_date\nada,2026-12-31\nbob,null\n",
        "member;end_date\r\nada;2026-12-31\r\nbob;null\r\n",
        "member\tend_date\nada\t2026-12-31\nbob\tnull\n",
        "member,end_date\rada,2026-12-31\rbob,null\r",
        '"member","end_date"\n"ada","2026-12-31"\n"bob","NULL"\n',
        " member , end_date \n ada , 2026-12-31 \n bob , null \n",
        'member, "end_date"\nada, "2026-12-31"\nbob, null\n',
        "member,end_date,,\nada,2026-12-31,,\nbob,null,,\n",
    ],
)
def test_a_file_is_read_however_a_spreadsheet_writes_it(text: str) -> None:
    said = edits(text)
    expected = {2: {"member": "ada", "end_date": "2026-12-31"}, 3: {"member": "bob", "end_date": None}}
    assert (dict(said.requests), dict(said.unreadable), said.empty) == (expected, {}, 0)


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("seats", "gong", {"seats": ["gong"]}),
        ("seats", '"gong, forecast"', {"seats": ["gong", "forecast"]}),
        ("seats", "gong;forecast", {"seats": ["gong", "forecast"]}),
        ("seats", "null", {"seats": []}),
        ("workspaces.EMEA", "Manager", {"workspaces": {"EMEA": "Manager"}}),
        ('"workspaces.North, EMEA"', "null", {"workspaces": {"North, EMEA": None}}),
        ("data_capture.import_emails", "null", {"data_capture": {"import_emails": None}}),
        ("crm_user_status", "inactive", {"crm_user_status": "inactive"}),
        ("manager", "'+44 7700", {"manager": "+44 7700"}),
        ("manager", "'=1+1", {"manager": "=1+1"}),
        ("manager", "'@acme", {"manager": "@acme"}),
        ("manager", "'-x", {"manager": "-x"}),
        ("manager", "'s-Hertogenbosch", {"manager": "'s-Hertogenbosch"}),
        ("manager", '"say ""ada"""', {"manager": 'say "ada"'}),
    ],
)
def test_a_cell_is_what_the_event_would_hold(column: str, cell: str, expected: dict[str, Any]) -> None:
    assert edits(f"member,{column}\n{ADA},{cell}\n").requests == {2: {"member": ADA, **expected}}


def test_an_empty_cell_says_nothing_and_neither_does_a_line_of_them() -> None:
    said = edits(f"member,seats,end_date\n{ADA},,2026-12-31\n\n{BOB},,\n,,\n")
    assert said.requests == {2: {"member": ADA, "end_date": "2026-12-31"}}
    assert (said.empty, len(said)) == (1, 1)


def test_numbers_are_those_of_the_file_with_blank_and_broken_lines_counted() -> None:
    said = edits(f'\nmember,manager\n\n"a\nb",x\n{ADA},y\n{BOB},x,y\n')
    assert {number: each.problems[0].message for number, each in said.unreadable.items()} == {
        4: "has a cell with a line break",
        7: "has 3 cells, and the first line 2",
    }
    assert said.requests == {6: {"member": ADA, "manager": "y"}}
    assert len(said) == 3


def test_a_line_may_end_early() -> None:
    said = read(f"member,action,feature,group\n{ADA},remove,engage\n", group_requests.COLUMNS)
    assert said.requests == {2: {"member": ADA, "action": "remove", "feature": "engage"}}


def test_cells_that_export_writes_are_read_as_they_were() -> None:
    members = ["=ada", "+44 1", "-x", "@y", "z,z", 'a "b"']
    text = BYTE_ORDER_MARK + line(["member", "manager"]) + "".join(line([each, "eve"]) for each in members)
    assert [each["member"] for each in edits(text).requests.values()] == members


# ── What is refused as a whole ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (" \n", "has no first line that names the columns", "member, seats"),
        (f"{ADA},gong\n", "has no first line that names the columns", "member, seats"),
        ("member,sets\nada,gong\n", "has an unknown column 'sets'", "Did you mean 'seats'?"),
        ("member,workspaces.\nada,x\n", "has an unknown column 'workspaces.'", "workspaces.EMEA"),
        (
            "member,data_capture.import_mails\nada,x\n",
            "has an unknown column 'data_capture.import_mails'",
            "Did you mean 'data_capture.import_emails'?",
        ),
        ("member,Seats\nada,gong\n", "has an unknown column 'Seats'", "Did you mean 'seats'?"),
        ("member,title\nada,x\n", "has a column 'title', which follows Salesforce", "Take it out."),
        ("member,engage\nada,x\n", "has a column 'engage', which is not a member setting", "GroupAssignm"),
        ("member,seats,seats\nada,x,y\n", "has two columns 'seats'", "Take one out."),
        ("member,,seats\nada,x,y\n", "has no name for column 2", "Name it"),
        ("member" + ",seats" * 100, "has 101 columns, more than 100", "Take out"),
        ("seats\ngong\n", "has no column 'member'", "Add it"),
        ('member,seats\nada,gong\nbob,"gong\ncy,gong\n', "has a quotation mark in line 3", "Close it"),
        ('member,seats\nada,"gong"x\n', "has a quotation mark in line 2", "Close it"),
        ("member,seats\r\nada,go\0ng\r\n", "holds a NUL character in line 2", "UTF-8"),
        ("member,seats\n", "says nothing beside the names", "Fill in"),
        (f"member,seats\n{ADA},\n", "says nothing beside the names", "Fill in"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(text: str, message: str, remedy: str) -> None:
    (problem,) = problems(text)
    assert problem.message.startswith(message)
    assert remedy in problem.remedy


def test_all_that_is_wrong_with_the_columns_is_said_at_once() -> None:
    assert len(problems("seats,tilte,manager,manager\n")) == 3


def test_so_many_lines_are_taken_and_no_more() -> None:
    text = "member,seats\n" + f"{ADA},gong\n" * MOST_LINES
    assert len(edits(text)) == MOST_LINES
    with pytest.raises(TooLarge, match=r"holds more than 10,000 lines"):
        edits(f"{text}{ADA},gong\n")
