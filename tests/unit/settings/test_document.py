"""Texts and objects of every kind come out as settings, or as problems that say where."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from muster.errors import Problem, Rejected, TooLarge
from muster.settings import Settings
from muster.settings.document import read
from muster.validation import MOST_PROBLEMS


def problems(document: Any) -> tuple[Problem, ...]:
    with pytest.raises(Rejected) as caught:
        read(document)
    return caught.value.problems


@pytest.mark.parametrize(
    ("document", "remedies"),
    [
        (
            {"organization": "acme", "managers": "yes", "assignments": {}},
            ["Write a list: [first, second].", 'Write an object: {"key": value}.'],
        ),
        (
            '{"organization": "acme", "managers": "yes", "assignments": {}}',
            ["Write a list: [first, second].", 'Write an object: {"key": value}.'],
        ),
        (
            "organization: acme\nmanagers: yes\nassignments: {}",
            [
                "Write one item a line, each after a dash, or all in [square brackets].",
                "Write `key: value` lines.",
            ],
        ),
    ],
)
def test_a_remedy_is_in_the_language_of_the_document(document: Any, remedies: list[str]) -> None:
    assert sorted(problem.remedy for problem in problems(document)) == sorted(remedies)


def test_yaml_and_json_and_objects_mean_the_same() -> None:
    raw = {
        "organization": "acme",
        "guard": {"percent": 7.5},
        "seats": {"gong": {"limit": None}},
        "domains": {"convert": False},
    }
    yaml = """
        # Comments are for people.
        organization: acme
        guard: {percent: 7.5}
        seats:
          gong:
            limit: ~
        domains:
          convert: False
        """
    assert read(raw) == read(yaml) == read(json.dumps(raw)) == read(json.dumps(raw, indent="\t"))
    assert read(raw)[0] == raw


def test_yaml_is_read_as_version_1_2() -> None:
    workspaces = '{yes: on, no: "off", 1:30: y, x: 😀, y: "\\ud83d\\ude00"}'
    text = f"organization: acme\nassignments: [{{name: A, workspaces: {workspaces}}}]"
    assert read(text)[0]["assignments"][0]["workspaces"] == {
        "yes": "on",
        "no": "off",
        "1:30": "y",
        "x": "😀",
        "y": "😀",
    }


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("organization: acme\ntime_zone: 'UTC\n", "line 3, column 1", "bracket"),
        ("organization: acme\nguard:\n\tcount: 1\n", "line 3, column 1", "blanks"),
        ("organization: acme\n time_zone: UTC\n", "line 2, column 11", "indentation"),
        ("{organization: acme", "line 1, column 20", "bracket"),
        ("organization: acme\n---\norganization: acme\n", "line 2, column 1", "---"),
        ("organization: acme\ntime_zone: UTC\norganization: acme\n", "organization", "Keep one."),
        ('{"organization": "acme", "guard": {"count": 1, "count": 2}}', "guard.count", "Keep one."),
        ("organization: &a acme", "line 1, column 15", "anchor"),
        ("organization: *a", "line 1, column 15", "anchor"),
        ("organization: !!str acme", "line 1, column 15", "tag"),
        ("organization: !!python/object/apply:os.system [id]", "line 1, column 15", "tag"),
        ("!x\norganization: acme", "line 1, column 1", "tag"),
        ("%YAML 1.1\n---\norganization: acme", "line 2, column 1", "directive"),
        ("%TAG ! tag:x,2000:\n---\norganization: acme", "line 2, column 1", "directive"),
        ("<<: {time_zone: UTC}\norganization: acme", "line 1", "quotes"),
        ("organization: acme\n1: x", "line 2", "quotes"),
        ("organization: acme\n? [a]\n: x", "line 2", "quotes"),
        ("organization: acme\ntime_zone: 2026-01-01", "time_zone", "quotes"),
        ("organization: acme\nguard: {count: 0o17}", "guard.count", "quotes"),
        ("organization: acme\nguard: {count: 1_000}", "guard.count", "quotes"),
        ("organization: acme\nguard: {count: .inf}", "guard.count", "smaller"),
        ("organization: acme\nguard: {count: .nan}", "guard.count", "smaller"),
        ("organization: acme\nguard: {count: 1e999}", "guard.count", "smaller"),
        (f"organization: acme\nguard: {{count: {'9' * 5000}}}", "guard.count", "quotes"),
        ('organization: "\\ud800"', "organization", "again"),
        ('"\\ud800": x', "settings", "again"),
        ('organization: "\\0"', "organization", "NUL"),
        ("organization: \ud800", "line 1, column 15", "UTF-8"),
        ("organization: acme\n\0", "line 2, column 1", "UTF-8"),
        ('organization: "\\UFFFFFFFF"', "settings", "editor"),
        ("", "settings", "Begin with"),
        ("~", "settings", "Begin with"),
        ("acme", "settings", "Begin with"),
        ("- organization: acme", "settings", "Begin with"),
    ],
)
def test_a_text_that_is_no_settings_document_says_where(text: str, where: str, says: str) -> None:
    [found] = problems(text)
    assert found.where == where
    assert says in found.message + " " + found.remedy


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 50_000,
        "? " * 50_000,
        '"' + "\\n" * 100_000,
        "organization: " + "é" * 131_073,
        "x" * 10_000_000,
    ],
)
def test_bombs_are_refused(bomb: str) -> None:
    assert len(problems(bomb)) == 1


def test_the_size_limit_is_256_kib_as_text_and_as_stored() -> None:
    text = "organization: acme\n"
    assert read(text + "#" * (256 * 1024 - len(text)))
    for document in (
        text + "#" * (256 * 1024 - len(text) + 1),
        'organization: acme\ntime_zone: "' + "\\a" * 100_000 + '"',
        {"organization": "acme", "time_zone": "x" * 256 * 1024},
    ):
        with pytest.raises(TooLarge) as caught:
            read(document)
        assert caught.value.problems[0].message == "is larger than 256 KiB"


def test_twenty_levels_are_the_deepest() -> None:
    for document in ("[" * 22 + "]" * 22, json.loads('{"a":' * 21 + "1" + "}" * 21)):
        [found] = problems(document)
        assert found.message == "is nested more than 20 deep"
    for document in ('{"a":' * 20 + "1" + "}" * 20, json.loads('{"a":' * 20 + "1" + "}" * 20)):
        assert "a" in [found.where for found in problems(document)]


def test_every_fault_is_reported_but_not_endlessly() -> None:
    assert len(problems({"organization": "A", "time_zone": 1, "guard": {"count": "x"}, "more": 1})) == 4
    many = problems({"organization": "acme", "domains": {"company": ["@"] * 500}})
    assert len(many) == MOST_PROBLEMS + 1
    assert many[-1].message == "there are 450 more problems"


def test_the_organization_is_filled_in_and_held_to() -> None:
    assert read({}, "acme")[0] == {"organization": "acme"}
    assert read("organization: acme", "acme")[0] == {"organization": "acme"}
    with pytest.raises(Rejected) as caught:
        read("organization: globex", "acme")
    assert caught.value.problems[0].where == "organization"


def test_problems_do_not_quote_the_document_in_their_cause() -> None:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", "secret-canary": {"x": "canary"}})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


KEYS = st.sampled_from(
    [*Settings.model_fields, "name", "seats", "salesforce", "field", "map", "join", "x", "\ud800"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["gong", "enabled", "UTC"]),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), children, max_size=5)
    ),
    max_leaves=25,
)
SECTION = st.dictionaries(
    st.sampled_from(
        [
            name
            for section in Settings.model_json_schema()["$defs"].values()
            for name in section.get("properties", ())
        ]
    ),
    JSON,
    max_size=4,
)


def reads_or_rejects(document: Any) -> None:
    found: tuple[Problem, ...] = ()
    try:
        raw, settings = read(document, "acme")
        assert json.loads(json.dumps(raw)) == raw
        assert isinstance(settings, Settings)
    except Rejected as error:
        found = error.problems or (Problem("", "", ""),)
    for problem in found:
        assert problem.where
        assert problem.message
        assert problem.remedy
        (problem.where + problem.message + problem.remedy).encode()


@profile(deadline=None, database=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from([*Settings.model_fields]), JSON | SECTION | st.lists(SECTION, max_size=2))
    | JSON
)
def test_any_json_is_read_or_rejected_with_a_problem(document: Any) -> None:
    reads_or_rejects(document)


@profile(deadline=None, database=None, max_examples=300)
@given(st.text(max_size=60) | st.text(alphabet="ab:-?[]{}#&*!|>'\"%@`,\n \t<=.0123", max_size=40))
def test_any_text_is_read_or_rejected_with_a_problem(document: str) -> None:
    reads_or_rejects(document)


@pytest.mark.parametrize(
    "document", [None, 1, b"organization: acme", ["x"], {1: 2}, {"a": {1, 2}}, {"a": object()}]
)
def test_what_is_not_json_is_rejected(document: Any) -> None:
    reads_or_rejects(document)


def test_an_object_that_holds_itself_is_rejected() -> None:
    document: dict[str, Any] = {"organization": "acme"}
    document["guard"] = document
    assert "nested" in problems(document)[0].message
