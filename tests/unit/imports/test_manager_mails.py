"""Mails to managers: who can be written to, and what a mail says (N1)."""

import re
import unicodedata
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.imports.manager_mails import Message, address_of, compose
from muster.roster.data_capture import Capture
from muster.roster.member import Member
from tests.examples import settings

RECORDED = Capture("enabled", "enabled", None, "crm")
WITHOUT_SEAT = Capture("enabled", "disabled", "gong", "crm")
PREVENTED = Capture("prevented", "prevented", None, "crm")

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
    assert message.subject == "1 person has joined your team"
    assert message.text.startswith("Hello Grace,\n\n1 person has joined your team at acme.\n\n")
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
        ({"name": " ", "username": "ada@acme.example"}, "ada at acme. example"),
        ({"name": None}, "ada"),
    ],
)
def test_everybody_is_called_something(fields: dict[str, Any], name: str) -> None:
    assert f"- {name}: " in told(replace(ADA, **fields)).text


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


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë O'Neill-Şahin (Jr.), 李", "Zoë O'Neill-Şahin (Jr. ), 李"),
        ("J.R. Smith & Co.", "J. R. Smith & Co."),
        ("Sales/Marketing", "Sales/ Marketing"),
        ("https://evil.example/login", "https / / evil. example/ login"),
        ("www.evil.example", "www. evil. example"),
        ("evil.example/x?y=z#w", "evil. example/ x?y z w"),
        ("evil\uff0eexample\uff0flogin", "evil. example/ login"),
        ("evil\u3002example", "evil\u3002 example"),
        ("ada@evil.example", "ada at evil. example"),
        ("mailto:ada\uff20evil", "mailto ada at evil"),
        ("javascript:alert(1)", "javascript alert(1)"),
        ("\\\\evil\\share", "\\ \\ evil\\ share"),
        ("[click](x) **now** `x`", "click (x) now x"),
        ("<a href='x'>click</a>", "a href 'x' click / a"),
        ("Ada\r\nBcc: x\t\x00\x1b", "Ada Bcc x"),
        ("gnp\u202e.exe \u200b", "gnp . exe"),
    ],
)
def test_what_somebody_is_called_is_text_and_nothing_else(written: str, read: str) -> None:
    message = told(replace(ADA, name=written, title=None))
    assert f"\n- {read}: assignment" in message.text
    assert f"<li><b>{escape(read)}</b>: assignment" in message.html
    assert message.subject == "1 person has joined your team"
    assert "<title>1 person has joined your team</title>" in message.html


class Page(HTMLParser):
    """Collects the tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[Any] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# Anything, and what links, markup and headers are made of more often than chance would have it.
PIECES = st.sampled_from(
    ["http://", "https:", "www.", "evil.example", "/x", "@", "\uff0e", "\u3002", "\uff61", "\uff0f",
     "javascript:", "mailto:", "<a href='x'>", "\r\n", "Bcc: x", "\u200b", "\u202e", "&lt;", "\\\\",
     "ada", ".", "com", " "]
)  # fmt: skip
ANY_TEXT = st.one_of(
    st.text(st.characters(), max_size=200), st.lists(PIECES | st.characters(), max_size=20).map("".join)
)
# What mail programs make a link of in plain text, in whatever form its characters are written.
LINK = re.compile(r"\w:/|\S[./\\\u3002]\w|@|\w+:\w")


@given(name=ANY_TEXT, title=ANY_TEXT, assignment=ANY_TEXT, first_name=ANY_TEXT)
def test_no_value_changes_the_shape_of_a_mail(
    name: str, title: str, assignment: str, first_name: str
) -> None:
    ordinary = told(ADA)
    newcomer = replace(ADA, name=name, title=title, assignment=assignment)
    message = compose(replace(GRACE, first_name=first_name), [newcomer], 0, settings())
    assert message.text.count("\n") == ordinary.text.count("\n")
    assert all(line.isprintable() for line in message.text.split("\n"))
    assert message.subject == "1 person has joined your team"
    page = Page(message.html)
    assert page.tags == Page(ordinary.html).tags
    for text in (message.text, *page.text):
        assert not LINK.search(unicodedata.normalize("NFKC", text))
    for part in (message.subject, message.text, message.html):
        part.encode()
