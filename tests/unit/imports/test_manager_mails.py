"""Mails to managers: whose team counts as recorded, who can be written to, and what a mail says (N1)."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.imports.manager_mails import Message, address_of, compose, recorded_under
from muster.roster.member import Member
from tests.examples import settings

RECORDED = {"intended": "enabled", "effective": "enabled", "seat_required": None, "origin": "crm"}
WITHOUT_SEAT = {"intended": "enabled", "effective": "disabled", "seat_required": "gong", "origin": "crm"}
PREVENTED = {"intended": "prevented", "effective": "prevented", "seat_required": None, "origin": "crm"}

ADA = Member(
    id="ada",
    organization="acme",
    active=True,
    name="Ada Lovelace",
    title="Rep",
    manager="grace",
    assignment="Field sales",
    data_capture={"record_web_conferences": RECORDED},
)
GRACE = Member(
    id="grace",
    organization="acme",
    active=True,
    first_name="Grace",
    name="Hopper",
    email="grace@acme.example",
)


@pytest.mark.parametrize(
    ("member", "manager"),
    [
        (ADA, "grace"),
        (replace(ADA, active=False), None),
        (replace(ADA, manager=None), None),
        (replace(ADA, data_capture={}), None),
        (replace(ADA, data_capture={"import_emails": RECORDED}), None),
        (replace(ADA, data_capture={"record_web_conferences": WITHOUT_SEAT}), None),
        (replace(ADA, data_capture={"record_web_conferences": PREVENTED}), None),
        (None, None),
    ],
)
def test_a_team_is_recorded_by_its_active_members_whose_recording_is_in_effect(
    member: Member | None, manager: str | None
) -> None:
    assert recorded_under(member) == manager


@pytest.mark.parametrize(
    ("manager", "address"),
    [
        (GRACE, "grace@acme.example"),
        (replace(GRACE, active=False), None),
        (replace(GRACE, own_email="grace@far.example"), "grace@far.example"),
        (replace(GRACE, email=None), None),
        (replace(GRACE, email="grace"), None),
        (replace(GRACE, email="grace@acme.example, all@acme.example"), None),
        (replace(GRACE, email="grace@acme.example\r\nBcc: all@acme.example"), None),
        (None, None),
    ],
)
def test_only_an_active_manager_with_one_address_is_written_to(
    manager: Member | None, address: str | None
) -> None:
    assert address_of(manager) == address


def told(*newcomers: Member, more: int = 0, **managers: bool) -> Message:
    return compose(GRACE, newcomers, more, settings(managers=managers))


def test_a_mail_says_who_joined_and_what_is_known_of_them() -> None:
    message = told(ADA)
    assert message.subject == "Ada Lovelace has joined your team"
    assert message.text.startswith("Hello Grace,\n\nAda Lovelace has joined your team at acme.\n\n")
    assert "- Ada Lovelace: Rep; assignment Field sales; web conferences are recorded\n" in message.text
    assert "<li><b>Ada Lovelace</b>: Rep; assignment Field sales; web conferences" in message.html


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"title": None}, "assignment Field sales; web conferences are recorded"),
        ({"assignment": None}, "Rep; web conferences are recorded"),
        ({"data_capture": {}}, "Rep; assignment Field sales; web conferences are not recorded"),
        (
            {"data_capture": {"record_web_conferences": PREVENTED}},
            "Rep; assignment Field sales; web conferences are not recorded",
        ),
        (
            {"data_capture": {"record_web_conferences": WITHOUT_SEAT}},
            "Rep; assignment Field sales; web conferences are recorded once a seat is free (gong)",
        ),
    ],
)
def test_a_mail_says_only_what_is_so(fields: dict[str, Any], about: str) -> None:
    assert f"- Ada Lovelace: {about}\n" in told(replace(ADA, **fields)).text


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "Ada Lovelace"),
        ({"name": None, "first_name": "Ada", "last_name": "King"}, "Ada King"),
        ({"name": " ", "username": "ada@acme.example"}, "ada@acme.example"),
        ({"name": None}, "ada"),
    ],
)
def test_everybody_is_called_something(fields: dict[str, Any], name: str) -> None:
    assert told(replace(ADA, **fields)).subject == f"{name} has joined your team"


@pytest.mark.parametrize(
    ("people", "more", "joined"),
    [(2, 0, "2 people have"), (1, 1, "2 people have"), (50, 12, "62 people have"), (0, 1, "1 person has")],
)
def test_those_who_are_not_named_are_counted(people: int, more: int, joined: str) -> None:
    message = told(*[replace(ADA, id=str(number)) for number in range(people)], more=more)
    assert message.subject == f"{joined} joined your team"
    assert (f"- and {more} more\n" in message.text) == bool(more)
    assert (f"<li>and {more} more</li>" in message.html) == bool(more)
    assert message.text.count("- Ada Lovelace") == message.html.count("<li><b>Ada Lovelace") == people


def test_people_are_named_in_alphabetical_order() -> None:
    text = told(replace(ADA, name="Bob"), ADA).text
    assert text.index("Ada") < text.index("Bob")


@pytest.mark.parametrize("may_toggle", [True, False])
def test_managers_who_may_switch_data_capture_are_told_how(may_toggle: bool) -> None:
    message = told(ADA, may_toggle_capture=may_toggle)
    for part in (message.text, message.html):
        assert ("ask an administrator of Muster" in part) == may_toggle


def test_markup_in_a_name_stays_text() -> None:
    message = told(replace(ADA, name="<img src=x>", title='"&'))
    assert "<img" not in message.html
    assert "<title>&lt;img src=x&gt; has joined" in message.html
    assert "<b>&lt;img src=x&gt;</b>: &quot;&amp;" in message.html
    assert "- <img src=x>:" in message.text


def test_a_line_break_in_a_name_makes_no_header_and_no_line() -> None:
    message = told(replace(ADA, name="Ada\r\nBcc: x"))
    assert message.subject == "Ada Bcc: x has joined your team"
    assert "\nBcc" not in message.text
    assert "\nBcc" not in message.html


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


ANY_TEXT = st.text(st.characters(), max_size=200)


@given(name=ANY_TEXT, title=ANY_TEXT, assignment=ANY_TEXT, first_name=ANY_TEXT)
def test_no_value_changes_the_shape_of_a_mail(
    name: str, title: str, assignment: str, first_name: str
) -> None:
    ordinary = told(ADA)
    newcomer = replace(ADA, name=name, title=title, assignment=assignment)
    message = compose(replace(GRACE, first_name=first_name), [newcomer], 0, settings())
    assert message.subject.isprintable()
    assert message.text.count("\n") == ordinary.text.count("\n")
    assert all(line.isprintable() for line in message.text.split("\n"))
    assert Tags(message.html).found == Tags(ordinary.html).found
    for part in (message.subject, message.text, message.html):
        part.encode()
    assert len(message.subject) <= 200
