"""Mails to managers about new members of their teams: who gets one, and what it says (N1).

A team is recorded if at least one active direct report has web-conference recording in effect. New
members count: when a team's first recorded member arrives, its manager is notified.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from muster.crm.salesforce_fields import is_valid_email
from muster.roster.member import Member
from muster.roster.recorded_teams import RECORDING
from muster.settings import Settings

# Each person's name, and the text about them.
type _People = Sequence[tuple[str, str]]

# How many people a mail names; it counts the rest.
NAMED = 50
# What joins words to a link; the last is the ideographic full stop, a dot to domain names too.
_JOINS = re.compile(r"([./\\\u3002])")
_MARKUP = re.compile(r"[<>\[\]{}|`*_~^=#:]")
# Salesforce allows 80 characters for a last name and for a title.
_LONGEST = 160
_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>$subject</title>
</head>
<body>
$body
</body>
</html>
""")


@dataclass(frozen=True, slots=True)
class PendingMail:
    """An unsent mail of a run, to a manager (member id), about a number of newcomers.

    `named` are the ids of the newcomers it names, `since` when it was put in the outbox (epoch seconds).
    Its text is composed when it is sent, from the members as they are then.
    """

    run: str
    manager: str
    newcomers: int
    named: tuple[str, ...]
    since: float


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as it is sent; `text` and `html` have the same content."""

    subject: str
    text: str
    html: str


def address_of(manager: Member | None) -> str | None:
    """Return a manager's e-mail address; `None` if the manager is inactive or has no valid one."""
    # A converted address need not receive mail.
    address = (manager.own_email or manager.email) if manager else None
    if manager is None or not manager.active or not is_valid_email(address):
        return None
    return address


def compose(manager: Member, newcomers: Sequence[Member], more: int, settings: Settings) -> Message:
    """Return the mail that names these newcomers and counts `more` besides.

    Nothing that users write about themselves is in its subject, or anywhere a link, markup or a line (T6).
    """
    people = sorted((_name(member), _about(member)) for member in newcomers)
    joined = f"{_in_words(len(people) + more)} joined your team"
    lines = [
        f"Hello {_harmless(manager.first_name) or _name(manager)},",
        f"{joined} at {settings.organization}.",
        *_notes(settings),
    ]
    rest = f"and {more} more" if more else ""
    return Message(joined, _as_text(lines, people, rest), _as_html(joined, lines, people, rest))


def _in_words(count: int) -> str:
    return f"{count} people have" if count > 1 else "1 person has"


def _as_text(lines: Sequence[str], people: _People, rest: str) -> str:
    entries = [f"- {who}: {about}" for who, about in people] + ([f"- {rest}"] if rest else [])
    greeting, opening, *notes = lines
    return "\n\n".join([greeting, opening, "\n".join(entries), *notes]) + "\n"


def _as_html(subject: str, lines: Sequence[str], people: _People, rest: str) -> str:
    entries = [f"<li><b>{escape(who)}</b>: {escape(about)}</li>" for who, about in people]
    entries += [f"<li>{escape(rest)}</li>"] if rest else []
    greeting, opening, *notes = (f"<p>{escape(line)}</p>" for line in lines)
    body = [greeting, opening, "<ul>", *entries, "</ul>", *notes]
    return _PAGE.substitute(subject=escape(subject), body="\n".join(body))


def _notes(settings: Settings) -> list[str]:
    why = (
        f"You get this mail because you are their manager at {settings.organization},"
        " and there are members of your team whose web conferences are recorded."
    )
    if not settings.managers.may_toggle_capture:
        return [why]
    toggle = (
        "You may decide what is captured of your team members. To switch data capture on or off for one"
        " of them, ask an administrator of Muster, who changes it in the member settings."
    )
    return [toggle, why]


def _about(member: Member) -> str:
    assignment = _harmless(member.assignment)
    about = [_harmless(member.title), f"assignment {assignment}" if assignment else "", _recording(member)]
    return "; ".join(filter(None, about))


def _recording(member: Member) -> str:
    setting = member.data_capture.get(RECORDING)
    if setting and setting.effective == "enabled":
        return "web conferences are recorded"
    if setting and setting.intended == "enabled":
        return f"web conferences are recorded once a seat is free ({_harmless(setting.seat_required)})"
    return "web conferences are not recorded"


def _name(member: Member) -> str:
    full = f"{_harmless(member.first_name)} {_harmless(member.last_name)}".strip()
    return _harmless(member.name) or full or _harmless(member.username) or member.id


def _harmless(value: str | None) -> str:
    """Return a value on one line, in which no mail program finds a link, an address or markup (T6).

    They find links in plain text too: `evil.example/x`, in whatever script its dot is written. So a dot or a
    slash has a space behind it, and what belongs to addresses and markup alone is left out.
    """
    # Wide and other forms of these characters are the characters themselves to a browser.
    text = unicodedata.normalize("NFKC", value or "").replace("@", " at ")
    text = _MARKUP.sub(" ", _JOINS.sub(r"\1 ", text))
    seen = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(seen.split())[:_LONGEST].strip()
