import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from muster.presentation import lines, tables
from muster.presentation.answers import SCREEN, Layout, laid_out

PEOPLE = tables.table("Name", "Seats", "Active", rows=[["Ada", 1204, True], ["王小明", None, False]])
LAYOUT = Layout(lambda answer: ["+ Ada joins"], lambda answer: PEOPLE, frozenset({"changes", "seats"}))
ANSWER = {
    "status": "succeeded",
    "run_id": "r1",
    "changes": [{"name": "Ada"}],
    "seats": {},
    "to_do": ["Approve it."],
    "message": "1 joins.",
}
PROBLEM = {"where": "a", "message": "is wrong", "remedy": "Correct it."}


def length(answer: object) -> int:
    """Return how many lines the console's pane shows, with the version that every answer ends with."""
    return json.dumps(answer, indent=2).count("\n") + 1 + 1


def test_what_matters_comes_first_and_what_is_long_on_request() -> None:
    shown = laid_out(ANSWER, LAYOUT)

    assert list(shown) == ["status", "message", "to_do", "summary", "more", "run_id"]
    # What is empty is nothing more to see.
    assert shown["more"] == "With detail: true also changes."
    assert list(laid_out(ANSWER, LAYOUT, detail=True)) == [
        "status",
        "message",
        "to_do",
        "summary",
        "run_id",
        "changes",
        "seats",
    ]


def test_a_table_takes_the_place_of_the_summary() -> None:
    shown = laid_out(ANSWER, LAYOUT, as_text=True)

    assert shown["text"] == [
        "Name    Seats    Active",
        "------  -------  --------",
        "Ada     1,204    yes",
        "王小明           no",
    ]
    assert "summary" not in shown


def test_a_table_takes_the_place_of_the_list_that_it_shows() -> None:
    layout = Layout(table=LAYOUT.table, not_beside_text=frozenset({"members"}))
    answer = {"status": "succeeded", "members": [{"name": "Ada"}]}

    assert list(laid_out(answer, layout, as_text=True)) == ["status", "text", "more"]
    assert list(laid_out(answer, layout)) == ["status", "members"]


def test_a_refusal_is_left_as_it_is() -> None:
    refused = {"message": "filter is empty.", "status": "rejected", "errors": []}

    assert laid_out(refused, LAYOUT) == refused


def test_of_many_faults_as_many_are_told_as_fit_and_all_in_detail() -> None:
    refused = {"status": "rejected", "organization": "acme", "message": "…", "errors": [PROBLEM] * 50}
    shown = laid_out(refused, LAYOUT)

    assert (len(shown["errors"]), shown["more"]) == (6, "With detail: true also 44 more of errors.")
    assert length(shown) <= SCREEN
    assert laid_out(refused, LAYOUT, detail=True) == refused


def test_who_is_left_out_is_counted_where_there_is_no_room_for_names() -> None:
    people = [{"user": f"005{n}", "name": "Ada", "username": "ada@x"} for n in range(10)]
    answer = {"status": "succeeded", "left_out": {"unmatched": {"count": 12, "first": people}}}
    shown = laid_out(answer, Layout())

    assert shown["left_out"] == {"unmatched": {"count": 12, "first": []}}
    assert shown["more"] == "With detail: true also the people of left_out."


def test_who_is_left_out_is_told_by_the_summary_alone_where_there_is_no_room() -> None:
    answer = {"status": "succeeded", "left_out": {f"r{n}": {"count": 1, "first": []} for n in range(9)}}
    shown = laid_out(answer, Layout(lambda _: ["- Bob leaves"] * 8))

    assert (len(shown["summary"]), "left_out" in shown) == (8, False)
    assert shown["more"] == "With detail: true also left_out."


def test_what_is_to_be_done_is_kept_whole_and_the_summary_is_cut() -> None:
    event = {"organization": "acme", "approve": "r", "plan_hash": "h", "by": "<you>"}
    steps = [{"what": "Approve it.", "function": "ScheduledImportFunction", "event": event}] * 2
    layout = Layout(lambda answer: lines.at_most([f"- {n}" for n in range(100)]))
    shown = laid_out({"status": "parked", "message": "…", "to_do": steps, "run_id": "r"}, layout)

    assert shown["to_do"] == steps
    assert shown["summary"][-1] == "… and 91 more"
    assert length(shown) <= SCREEN


def test_a_long_document_goes_before_the_summary_is_cut() -> None:
    layout = Layout(lambda answer: [f"- {n}" for n in range(20)])
    document = {f"key {n}": n for n in range(30)}
    shown = laid_out({"status": "succeeded", "version": 7, "settings": document, "small": [1]}, layout)

    assert len(shown["summary"]) == 20
    assert list(shown) == ["status", "summary", "more", "version", "small"]


def test_more_than_a_screen_comes_where_it_is_asked_for() -> None:
    layout = Layout(lambda answer: [f"- {n}" for n in range(100)])
    answer = {"status": "succeeded"}

    assert len(laid_out(answer, layout, is_longer=True)["summary"]) == 100
    assert len(laid_out(answer, Layout(layout.summary, is_listed=True))["summary"]) == 100


TEXTS = st.text(max_size=20)
PROBLEMS = st.lists(st.just(PROBLEM), max_size=60)
PLACES = st.dictionaries(
    TEXTS, st.fixed_dictionaries({"count": st.integers(1), "first": PROBLEMS}), max_size=14
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(TEXTS, inner, max_size=8),
    max_leaves=60,
)
ANSWERS = st.fixed_dictionaries(
    {"status": st.sampled_from(["succeeded", "parked", "rejected"]), "message": TEXTS},
    optional={
        "guard": st.lists(TEXTS, max_size=30),
        "warnings": PROBLEMS,
        "errors": PROBLEMS,
        "run_id": TEXTS,
        "counts": st.dictionaries(
            st.sampled_from(["created", "updated", "grant"]), st.integers(1), max_size=3
        ),
        "left_out": PLACES,
        "one": ANYTHING,
        "other": ANYTHING,
    },
)


@given(ANSWERS, st.lists(TEXTS, max_size=60))
def test_no_answer_is_longer_than_a_screen_and_what_tools_read_stays(
    answer: dict[str, Any], summary: list[str]
) -> None:
    shown = laid_out(answer, Layout(lambda _: summary))

    assert length(shown) <= SCREEN
    for name in ("status", "message", "run_id", "counts"):
        assert shown.get(name) == answer.get(name)
    # What is not shown is told.
    gone = [name for name in answer if name not in shown]
    assert all(name in shown["more"] for name in gone)


def test_a_table_is_no_wider_than_can_be_read_without_scrolling_sideways() -> None:
    long, longer = "who " * 40, "what to do about it " * 30
    shown = tables.as_lines(tables.table("Name", "Why", "What to do", rows=[["Ada", long, longer]] * 2))

    assert max(map(len, shown)) <= tables.WIDTH
    assert shown[2].startswith("Ada ")
    assert " ".join(" ".join(shown).split()).count("what to do") >= 50


def test_an_empty_table_says_so() -> None:
    assert tables.as_lines(tables.table("Name", rows=[])) == ["(nothing)"]


def test_lines_are_bounded_and_say_how_many_more_there_are() -> None:
    assert lines.at_most(["a", "b"], 2) == ["a", "b"]
    assert lines.at_most(["a", "b", "c"], 2) == ["a", "… and 2 more"]
    assert lines.at_most(["a", "b"], 2, total=1_500) == ["a", "… and 1,499 more"]


def test_lines_that_were_shortened_are_shortened_again() -> None:
    shortened = lines.at_most(["a", "b", "c"], 3, total=1_500)

    assert shortened == ["a", "b", "… and 1,498 more"]
    assert lines.at_most(shortened, 2) == ["a", "… and 1,499 more"]
    assert lines.at_most(shortened, 3) == shortened


def test_a_count_has_its_noun() -> None:
    assert [lines.counted(n, "person", "people") for n in (1, 1204)] == ["1 person", "1,204 people"]
    assert lines.counted(2, "seat") == "2 seats"
