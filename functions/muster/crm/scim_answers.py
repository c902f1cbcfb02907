"""What a SCIM target's answer to a write means, however it says so (O2).

Errors come without `scimType` or `status`, nested in `response`, as plain text, as HTML, or empty; a name
that is taken is a 409 here and a 400 there; a full licence is a 403 with words. A problem's words are the
target's own, without the values that were sent and without addresses: they go to the error log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from muster.crm.scim_attributes import at
from muster.crm.scim_resources import Resource
from muster.errors import Problem


class Outcome(Enum):
    """The outcome of one write."""

    WRITTEN = "written"  # as the target says: what ends an access is read back all the same
    TAKEN = "taken"  # another has the name or address, or who is added is a member already
    FULL = "full"  # no licence or seat is left in the target
    GONE = "gone"  # there is nothing of that id, or the target does not show it
    FORBIDDEN = "forbidden"  # the token may not do that, at all or to this one
    NOT_OFFERED = "not_offered"  # the target has no such call
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of one write, the resource if the answer shows it, and why it was refused."""

    outcome: Outcome
    resource: Resource | None = None
    problem: Problem | None = None


_REMEDIES = {
    Outcome.TAKEN: "See in the target who has that name or address; adopt that account, or free the name.",
    Outcome.FULL: "Buy licences in the target, or free some; Muster tries again by itself.",
    Outcome.GONE: "It was deleted in the target, or is hidden there.",
    Outcome.FORBIDDEN: "Give the token's user the right to do that; change an owner in the target.",
    Outcome.NOT_OFFERED: "Choose the profile that fits the target in connections.scim.",
    Outcome.REFUSED: "Correct what is named, in the attributes of the connection or in the CRM.",
}
_NO_LICENCE = re.compile(
    r"licen[cs]e|\bseats?\b|\bquota\b|subscription|\blimit\b.*\b(reached|exceeded)", re.I
)
_ALREADY = re.compile(r"already (exists|in use|taken|been taken|registered|a member)|\bduplicate\b", re.I)
_SCIM_TYPE = re.compile(r"[A-Za-z]{1,40}")
_QUOTED = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"|\S*@\S*")
_SHORTEST_VALUE = 3


def outcome_of(status: int, content: object, text: str = "") -> Outcome:
    """Return what an answer with an error's status means; `text` is a body that is not JSON."""
    scim_type, detail = said(content, text)
    if status not in (404, 410) and status < 500 and _NO_LICENCE.search(detail):
        return Outcome.FULL
    if status == 409 or (status == 400 and (scim_type == "uniqueness" or _ALREADY.search(detail))):
        return Outcome.TAKEN
    return {
        402: Outcome.FULL,
        403: Outcome.FORBIDDEN,
        404: Outcome.GONE,
        405: Outcome.NOT_OFFERED,
        410: Outcome.GONE,
        501: Outcome.NOT_OFFERED,
    }.get(status, Outcome.REFUSED)


def problem_of(
    outcome: Outcome, status: int, content: object, where: str, sent: object = None, text: str = ""
) -> Problem:
    """Return why a write was refused; `where` is the id it is about, `sent` the body that was sent."""
    scim_type, detail = said(content, text)
    answered = f"{status} {scim_type}".rstrip()
    words = explanation(detail, texts_in(sent))
    message = f"is answered {answered}: {words}" if words else f"is answered {answered}"
    return Problem(where, message, _REMEDIES[outcome])


def said(content: object, text: str = "") -> tuple[str, str]:
    """Return the scimType and the words of an error; empty where it has none. HTML has no words."""
    nested = at(content, "response")
    holder = nested if isinstance(nested, dict) else content
    scim_type = at(holder, "scimType")
    detail = next(
        (each for name in ("detail", "message", "error") if isinstance(each := at(holder, name), str)), ""
    )
    if not detail and "<" not in text:
        detail = text
    kind = scim_type if isinstance(scim_type, str) and _SCIM_TYPE.fullmatch(scim_type) else ""
    return kind, detail


def explanation(detail: str, values: Iterable[str]) -> str:
    """Return a target's words on one line, without addresses and quoted values, and without `values`."""
    words = detail[:2_000]
    for value in sorted({each for each in values if len(each) >= _SHORTEST_VALUE}, key=len, reverse=True):
        words = re.sub(re.escape(value), "…", words, flags=re.IGNORECASE)
    words = "".join(each if each.isprintable() else " " for each in _QUOTED.sub("…", words))
    return " ".join(words.split())[:300]


def texts_in(sent: object) -> Iterator[str]:
    """Yield every text in a body, but for names of schemas and operations, which say nothing of a person."""
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, dict):
        for key, value in sent.items():
            if key not in ("schemas", "op", "path", "type"):
                yield from texts_in(value)
    elif isinstance(sent, list):
        for value in sent:
            yield from texts_in(value)
