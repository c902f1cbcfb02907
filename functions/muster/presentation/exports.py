"""What a CSV file holds: its columns, a row for each thing, and cells that no spreadsheet runs (Q3).

Works on the JSON that `list` and `errors` answer. A cell that a spreadsheet would take for a formula begins
with an apostrophe; so does a phone number, for its plus is one.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

type Row = Mapping[str, Any]
type Cells = Sequence[object]

# Excel takes a file for UTF-8 only with this at its beginning.
BYTE_ORDER_MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_FEATURES = ("engage", "engage_connect")


def line(cells: Cells) -> str:
    """Return a line of a CSV file (RFC 4180), with its line end."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell(each) for each in cells])
    return buffer.getvalue()


def cell(value: object) -> str:
    """Return a value as a cell that is shown and never run."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────

MEMBER = ("member", "name", "email", "username")
_PERSON = (
    *MEMBER,
    "active",
    "inactive_reason",
    "title",
    "assignment",
    "update_mode",
    "manager",
    "seats_held",
    "seats_waiting",
    "crm_user_status",
    "end_date",
    "salesforce_id",
    "vault_crm_id",
    "updated_at",
    "accounts",
)


def _member(member: Row) -> Cells:
    return member["id"], member["name"], member["email"], member["username"]


def _roster(member: Row) -> Iterator[Cells]:
    seats = member["seats"]
    yield (
        *_member(member),
        *(member[name] for name in ("active", "inactive_reason", "title", "assignment", "update_mode")),
        member["manager"],
        ", ".join(name for name, place in seats.items() if place["state"] == "held"),
        ", ".join(name for name, place in seats.items() if place["state"] == "waiting"),
        member["crm_user_status"],
        member["end_date"],
        *(member["crm"].get(name, {}).get("id") for name in ("salesforce", "vault_crm")),
        member["updated_at"],
        ", ".join(f"{app}: {account['state']}" for app, account in member.get("accounts", {}).items()),
    )


def _seats(member: Row) -> Iterator[Cells]:
    for name, place in member["seats"].items():
        since = place.get("since")
        yield (*_member(member), name, place["state"], place.get("requires"), since, member["assignment"])


def _licences(member: Row) -> Iterator[Cells]:
    for feature in _FEATURES:
        shown = member[feature]
        if any(shown.values()):
            yield (
                *_member(member),
                feature,
                shown["request"],
                shown["status"],
                shown["group"],
                member["crm"].get("vault_crm", {}).get("id"),
            )


def of_nobody(holder: Row) -> Iterator[Cells]:
    """Yield the rows of a user of Vault CRM who has a licence and is linked to no member."""
    for feature, held in holder["groups"].items():
        who = (None, "(nobody in the roster)", holder["email"], holder["username"])
        yield (*who, feature, held["request"], None, held["group"], holder["id"])


_ENTRY = (
    "at",
    "system",
    "code",
    "state",
    "solved_by",
    "name",
    "member",
    "record",
    "message",
    "remedy",
    "notification",
)


def _entry(entry: Row) -> Iterator[Cells]:
    yield [entry.get(name) for name in _ENTRY]


type Rows = Callable[[Row], Iterator[Cells]]

# By what is exported: the columns, and the rows of one member or one entry.
OF_MEMBERS: Mapping[str, tuple[Sequence[str], Rows]] = {
    "roster": (_PERSON, _roster),
    "seats": ((*MEMBER, "seat", "state", "requires", "since", "assignment"), _seats),
    "licences": ((*MEMBER, "feature", "request", "status", "group", "vault_crm_id"), _licences),
}
ERRORS: tuple[Sequence[str], Rows] = (_ENTRY, _entry)
CHANGES = ("when_utc", "who", "what", "by")
DIFFERENCES = ("who", "member", "news", "what", "before", "after", "when_utc", "by")
EVERYTHING = (*OF_MEMBERS, "changes", "differences", "errors")
