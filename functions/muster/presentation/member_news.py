"""What is new of a person, in words: who joined or left, and what was gained, lost, waited for or refused.

Takes people as `changes` of RosterQueryFunction answers them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from muster.presentation import left_out
from muster.presentation.words import ACCOUNTS, connection

type Json = Mapping[str, Any]

# What people did, of one and of several, by kind of news.
DID = {
    "joined": ("joined", "joined"),
    "returned": ("came back", "came back"),
    "left": ("left", "left"),
    "erased": ("was erased", "were erased"),
    "changed": ("changed", "changed"),
}
_GROUPS = {"engage": "group", "engage_connect": "Connect group"}
_MOST_FIELDS = 6
_FOLLOWS = frozenset({"workspace", "data_capture"})
_FIELDS = {
    "crm_user_status": "CRM user status",
    "email": "e-mail address",
    "phone_numbers.mobile": "mobile phone",
    "phone_numbers.other": "phone",
}


def name_of(person: Json) -> str:
    """Return the name; of who has none, or is erased, the member's id."""
    return person["name"] or f"member {person['member']}"


def what_changed(person: Json) -> str:
    """Return what is new of a person, without the name: "joined: Field sales, gong; waits for forecast"."""
    news = person["news"]
    gained, lost = (_things(person, name) for name in ("gained", "lost"))
    assignment = person.get("assignment", {})
    if news in ("joined", "returned"):
        has = [each for each in (assignment.get("to"), *gained) if each]
        parts = [f"{DID[news][0]}{': ' if has else ''}{', '.join(has)}"]
    elif news in ("left", "erased"):
        reason = left_out.why(person.get("reason")) if news == "left" else ""
        parts = [f"{DID[news][0]}{': ' if reason else ''}{reason}"]
    else:
        parts = [_moved(assignment)] if assignment else []
        parts += [f"gained {', '.join(gained)}"] if gained else []
    parts += [f"lost {', '.join(lost)}"] if lost else []
    parts += [f"waits for {', '.join(map(thing, waits))}"] if (waits := person.get("waits_for")) else []
    parts += map(_refused, person.get("failed", ()))
    parts += map(_asked, person.get("asked", ()))
    parts += [_fields(other)] if (other := person.get("other")) else []
    return "; ".join(parts) or "changed, and changed back"


def _refused(what: Json) -> str:
    if "account" in what:
        return f"{thing(what)}: {ACCOUNTS[what['status']]}"
    return f"refused: {thing(what)}, {words(what['status'])}"


def _things(person: Json, name: str) -> list[str]:
    """Return what was gained or lost; of who joins or leaves not what comes and goes with the assignment."""
    follows = frozenset[str]() if person["news"] == "changed" else _FOLLOWS
    return [thing(each) for each in person.get(name, ()) if not follows & each.keys()]


def _moved(assignment: Json) -> str:
    return f"moved from {assignment['from'] or 'no assignment'} to {assignment['to'] or 'none'}"


def _asked(what: Json) -> str:
    return f"asked for {thing(what)}" if any(what.values()) else f"asked to leave {thing(what)}"


def thing(what: Json) -> str:
    """Return what somebody gained or lost: a seat, an account, a group, a setting, a workspace."""
    if "seat" in what:
        return str(what["seat"])
    if "account" in what:
        return f"account in {connection(what['account'])}"
    if "data_capture" in what:
        return words(what["data_capture"])
    if "workspace" in what:
        return f"workspace {what['workspace']} as {what['profile']}"
    [(feature, group)] = [(each, what[each]) for each in _GROUPS if each in what]
    return f"{_GROUPS[feature]} {group}" if group else f"a {_GROUPS[feature]}"


def words(name: str) -> str:
    """Return a name in the words of an admin: `record_web_conferences` as "record web conferences"."""
    return name.replace("_", " ")


def _fields(names: Iterable[str]) -> str:
    named = list(dict.fromkeys(map(field, names)))
    more = f" and {len(named) - _MOST_FIELDS:,} more" if len(named) > _MOST_FIELDS else ""
    return f"{', '.join(named[:_MOST_FIELDS])}{more}"


def field(name: str) -> str:
    """Return the name of an attribute in the words of an admin."""
    if name in _FIELDS:
        return _FIELDS[name]
    group, _, rest = name.partition(".")
    match group:
        case "custom":
            return rest
        case "crm":
            system, _, name = rest.partition(".")
            return f"{words(name)} in {'Salesforce' if system == 'salesforce' else 'Vault CRM'}"
        case "data_capture":
            return words(rest.removesuffix(".intended"))
    return words(name)


def is_minor(person: Json) -> bool:
    """Whether nothing changed that a person has or is in."""
    lists = ("failed", "waits_for", "lost", "gained", "assignment", "asked")
    return person["news"] == "changed" and not any(name in person for name in lists)


def sign(person: Json) -> str:
    """Return what a line about the person begins with (`lines`)."""
    if "failed" in person:
        return "!"
    if person["news"] == "changed":
        gains, loses = "gained" in person, "lost" in person
        return "~" if gains == loses else "+" if gains else "-"
    return "+" if person["news"] in ("joined", "returned") else "-"
