from muster.presentation import lines, tables
from muster.presentation.answers import Layout, laid_out

PEOPLE = tables.table("Name", "Seats", "Active", rows=[["Ada", 1204, True], ["王小明", None, False]])
LAYOUT = Layout(lambda answer: ["+ Ada joins"], lambda answer: PEOPLE, frozenset({"changes"}))
ANSWER = {
    "status": "succeeded",
    "run_id": "r1",
    "changes": [{"name": "Ada"}],
    "to_do": ["Approve it."],
    "message": "1 joins.",
}


def test_what_matters_comes_first_and_what_is_long_on_request() -> None:
    assert list(laid_out(ANSWER, LAYOUT)) == ["status", "message", "to_do", "summary", "run_id"]
    assert laid_out(ANSWER, LAYOUT, detail=True)["changes"] == [{"name": "Ada"}]


def test_a_table_takes_the_place_of_the_summary() -> None:
    shown = laid_out(ANSWER, LAYOUT, as_text=True)

    assert shown["text"] == [
        "Name    Seats    Active",
        "------  -------  --------",
        "Ada     1,204    yes",
        "王小明           no",
    ]
    assert "summary" not in shown


def test_a_refusal_is_left_as_it_is() -> None:
    refused = {"message": "filter is empty.", "status": "rejected", "errors": []}

    assert laid_out(refused, LAYOUT) == refused


def test_an_empty_table_says_so() -> None:
    assert tables.as_lines(tables.table("Name", rows=[])) == ["(nothing)"]


def test_lines_are_bounded_and_say_how_many_more_there_are() -> None:
    assert lines.at_most(["a", "b"], 2) == ["a", "b"]
    assert lines.at_most(["a", "b", "c"], 2) == ["a", "… and 2 more"]
    assert lines.at_most(["a", "b"], 2, total=1_500) == ["a", "… and 1,499 more"]


def test_a_count_has_its_noun() -> None:
    assert [lines.counted(n, "person", "people") for n in (1, 1204)] == ["1 person", "1,204 people"]
    assert lines.counted(2, "seat") == "2 seats"
