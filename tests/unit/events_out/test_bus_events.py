"""Events as they go on the bus: ids, values only where they may be shown, sizes, and the published schema."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with aws-sam-cli

from muster.events_out import schema
from muster.events_out.bus_events import MOST_BYTES, BusEvent, UnreadableEntry, bus_events, entry_of
from muster.roster.member_events import Kind
from tests.conftest import ROOT
from tests.unit.events_out.entries import ADA, ADDRESS, OF_KIND, Json, changed, entry

PUBLISHED = ROOT / "docs/events/member_events.schema.json"
EXAMPLES = ROOT / "events/outward"


def details(document: Json, *, personal_data: bool = False) -> list[Json]:
    return [json.loads(each.detail) for each in bus_events("acme", document, personal_data=personal_data)]


def of(kind: Kind, *, personal_data: bool = False) -> tuple[BusEvent, Json]:
    """Return the event of a kind that its entry is, and its detail."""
    made = bus_events("acme", OF_KIND[kind], personal_data=personal_data)
    [event] = [each for each in made if each.detail_type == kind]
    return event, json.loads(event.detail)


def test_each_event_has_an_id_of_its_own_that_never_changes() -> None:
    document = entry(
        changed("seats.gong.state", "held", None), changed("seats.gong.eu.state", None, "held"), ADDRESS
    )
    once, again = details(document), details(json.loads(json.dumps(document)), personal_data=True)
    assert [each["id"] for each in once] == [
        f"acme/{ADA}/7/MemberUpdated",
        f"acme/{ADA}/7/SeatRevoked/gong",
        f"acme/{ADA}/7/SeatGranted/gong.eu",
    ]
    assert [each["id"] for each in again] == [each["id"] for each in once]


def test_what_an_event_is_about_is_all_that_it_tells_of() -> None:
    seat = changed("seats.gong.state", None, "waiting"), changed("seats.gong.rank", None, 2)
    document = entry(ADDRESS, *seat)
    [updated, waiting] = details(document)
    assert [each["field"] for each in updated["changes"]] == ["email", "seats.gong.state", "seats.gong.rank"]
    assert waiting["changes"] == [{"field": "seats.gong.state"}, {"field": "seats.gong.rank"}]
    assert (waiting["seat"], waiting["before"], waiting["after"]) == ("gong", None, "waiting")


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("crm", "crm"),
        ("assignment:Field sales", "assignment:Field sales"),
        ("manual:jane@acme.example", "manual"),
        ("manager:grace@acme.example", "manager"),
    ],
)
def test_without_personal_data_there_are_ids_and_names_of_fields(origin: str, shown: str) -> None:
    document = entry(ADDRESS, origin=origin, why="Ada Lovelace asked for it")
    [event] = bus_events("acme", document, personal_data=False)
    assert json.loads(event.detail)["origin"] == shown
    assert json.loads(event.detail)["changes"] == [{"field": "email"}]
    assert not [word for word in ("@", "Ada", "Lovelace") if word in event.detail]


def test_with_personal_data_there_are_values_and_who_made_the_change() -> None:
    document = entry(ADDRESS, origin="manual:jane@acme.example", why="Ada Lovelace asked for it")
    [told] = details(document, personal_data=True)
    assert told["origin"] == "manual:jane@acme.example"
    assert told["changes"] == [ADDRESS]
    # What an admin writes about somebody is for the history alone.
    assert "Lovelace" not in str(told)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ([ADDRESS], [ADDRESS]),
        # In UTF-8, not in characters.
        ([changed("title", "é" * 60_000, "é" * 60_000)], [{"field": "title"}]),
        ([changed("custom." + "x" * 250_000, None, "y")], []),
    ],
    ids=["fits", "without values", "without names"],
)
def test_what_is_too_large_goes_without_values_and_says_so(changes: list[Json], shown: list[Json]) -> None:
    [event] = bus_events("acme", entry(*changes), personal_data=True)
    told = json.loads(event.detail)
    assert (told["changes"], told["truncated"]) == (shown, shown != changes)
    assert event.size("muster") <= MOST_BYTES


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        json.dumps({**entry(ADDRESS), "changes": [{"field": "email"}]}),
        json.dumps({**entry(ADDRESS), "at": "yesterday"}),
        json.dumps({**entry(ADDRESS), "version": "first"}),
        json.dumps({**entry(ADDRESS), "origin": None}),
        json.dumps({**entry(ADDRESS), "changes": [changed("seats", None, "held"), 7]}),
        "[" * 100_000,
    ],
    ids=[f"{number}" for number in range(12)],
)
def test_an_entry_that_is_none_is_told_without_quoting_it(document: str) -> None:
    with pytest.raises(UnreadableEntry) as caught:
        bus_events("acme", entry_of(document), personal_data=False)
    assert str(caught.value) == "a history entry is not as Muster writes them"


def test_an_entry_without_changes_is_no_event() -> None:
    assert bus_events("acme", entry(), personal_data=False) == ()


# ── What is published ────────────────────────────────────────────────────────────────────────────


def faults(event: Json) -> list[str]:
    """Return what is wrong with an event, by the published schema."""
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text()))
    return [error.message for error in validator.iter_errors(event)]


def delivered(event: BusEvent) -> Json:
    """Return an event as a target of a rule gets it."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": event.detail_type,
        "source": "muster",
        "account": "123456789012",
        "time": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-1",
        "resources": [],
        "detail": json.loads(event.detail),
    }


def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text() == schema.text(), (
        "run: cd functions && python -m muster.events_out.schema > ../docs/events/member_events.schema.json"
    )


@pytest.mark.parametrize("kind", Kind)
def test_there_is_an_example_of_each_event(kind: Kind) -> None:
    event, _ = of(kind)
    example: Any = json.loads((EXAMPLES / f"{kind}.json").read_text())
    assert example == delivered(event)
    assert faults(example) == []


def test_there_are_no_other_examples() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_events_with_values_are_as_published_too(kind: Kind) -> None:
    event, _ = of(kind, personal_data=True)
    assert faults(delivered(event)) == []


@pytest.mark.parametrize("left_out", ["id", "version", "seat", "before", "changes"])
def test_an_event_that_lacks_something_is_not_as_published(left_out: str) -> None:
    event, _ = of(Kind.SEAT_GRANTED)
    broken = delivered(event)
    del broken["detail"][left_out]
    assert faults(broken) != []
