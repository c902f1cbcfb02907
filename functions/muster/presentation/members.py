"""Members in lines and tables: who they are, what they hold, what happened to them (Q1)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from muster.presentation import left_out, plans, seats, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

type Member = Mapping[str, Any]

# So many values of one change are named.
_VALUES = 3
# The states of accounts in apps that are not as they are to be.
_WAITING_ACCOUNTS = frozenset({"to_adopt", "conflict", "no_licence", "failed"})
_ROSTER = ("Name", "E-mail", "Title", "Active", "Takes calls", "Why not active")


def one_line(member: Member) -> str:
    """Return a member in one line: name, address, and what they hold or why they have left."""
    who = f"{member['name'] or member['id']}{f' ({member["email"]})' if member['email'] else ''}"
    if not member["active"]:
        return f"- {who}: not active, {left_out.why(member['inactive_reason']) or 'deactivated'}"
    return f"{who}: {words.joined([member['assignment'], *_holds(member)], ', ') or 'no assignment'}"


def lines(answer: Answer) -> Sequence[str]:
    """Return a line for each member of a list, by name."""
    return at_most([one_line(each) for each in by_name(answer["members"])])


def one(answer: Answer) -> Sequence[str]:
    """Return a member's line, where there is only one."""
    return [one_line(answer["member"])]


def by_name(members: Iterable[Member]) -> list[Member]:
    """Return members in the order of a phone book."""
    return sorted(members, key=lambda each: ((each["name"] or "").casefold(), each["id"]))


def listed(answer: Answer) -> Table:
    """Return the table of an answer's members."""
    return roster(by_name(answer["members"]))


def only(answer: Answer) -> Table:
    """Return the table of an answer's one member, a line a value."""
    return table(
        "What", "Value", rows=[[words.attribute(name), each] for name, each in flat(answer["member"])]
    )


def roster(members: Iterable[Member]) -> Table:
    """Return members as a table."""
    rows = []
    for member in members:
        reason = left_out.why(member["inactive_reason"])
        names = ("name", "email", "title", "active", "inbound_enabled")
        rows.append([*(member[name] for name in names), reason])
    return table(*_ROSTER, rows=rows)


def moved(before: Iterable[Member], after: Iterable[Member]) -> Table:
    """Return people's activity and seats before and after something happened."""
    rows = [
        [was["name"], was["active"], seats.places(was), "→", becomes["active"], seats.places(becomes)]
        for was, becomes in zip(before, after, strict=True)
    ]
    return table("Name", "Active", "Seats", "", "Active", "Seats", rows=rows)


def licences(members: Iterable[Member]) -> Table:
    """Return what members ask for in each Engage feature, what became of it, and where they are."""
    rows = [
        [
            member["name"],
            called,
            member[feature]["request"],
            words.status(member[feature]["status"]),
            member[feature]["group"],
        ]
        for member in members
        for feature, called in words.FEATURES.items()
        if any(member[feature].values())
    ]
    return table("Name", "Feature", "Group request", "Status", "Group", rows=rows)


def grants(assignments: Iterable[Mapping[str, Any]], members: Sequence[Member]) -> Table:
    """Return how many people each assignment has, and what they hold, wait for and are set to."""
    rows = []
    for each in assignments:
        some = [member for member in members if member["assignment"] == each["name"]]
        held = _grouped((seat, place["state"]) for member in some for seat, place in member["seats"].items())
        workspaces = _grouped(pair for member in some for pair in member["workspaces"].items())
        capture = _grouped(
            (words.spaced(name), _effect(setting))
            for member in some
            for name, setting in member["data_capture"].items()
        )
        rows.append(
            [each["name"], len(some), each["filter"], held, words.joined([workspaces, capture], "\n")]
        )
    return table("Assignment", "People", "Why", "Seats", "Workspaces, data capture", rows=rows)


def counts(values: Iterable[str]) -> str:
    """Return values with how many there are of each, the most frequent first."""
    return ", ".join(f"{count:,} {value}" for value, count in Counter(values).most_common())


def flat(given: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Yield the values of a member in words, by dotted names; what has no value is left out."""
    for name, each in given.items():
        if isinstance(each, Mapping):
            yield from flat(each, f"{prefix}{name}.")
        elif isinstance(each, list):
            yield f"{prefix}{name}", ", ".join(map(_entry, each))
        elif each is not None:
            yield f"{prefix}{name}", words.value_of(f"{prefix}{name}", each)


# ── History ──────────────────────────────────────────────────────────────────────────────────────────


def history_news(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return in one sentence how many changes there are, and of when the latest is."""
    if not entries:
        return "No changes"
    return f"{counted(len(entries), 'change')}, the latest of {words.moment(entries[0]['at'])}"


def history(answer: Answer) -> Sequence[str]:
    """Return a line for each change of a member, newest first: when, what, and what brought it about."""
    return [entry(each) for each in answer["history"]]


def entry(change: Mapping[str, Any]) -> str:
    """Return one change of a member in a line."""
    cause = words.cause(change["run"], change["origin"])
    why = f", because: {change['why']}" if change.get("why") else ""
    return f"{words.moment(change['at'])} {_changed(change)} ({cause}{why})"


def history_table(answer: Answer) -> Table:
    """Return a member's history as a table, newest first; all that came with the first entry is one line."""
    rows: list[Sequence[object]] = []
    for each in answer["history"]:
        at, cause = words.moment(each["at"]), words.cause(each["run"], each["origin"])
        if each["version"] == 1:
            rows.append([at, "(added to the roster)", None, counted(len(each["changes"]), "value"), cause])
            continue
        for change in each["changes"]:
            what = words.attribute(change["field"])
            values = [words.value_of(change["field"], change[each]) for each in ("before", "after")]
            rows.append([at, what, *values, cause])
            at = cause = ""
    return table("Time (UTC)", "What changed", "Before", "After", "By", rows=rows)


def _changed(change: Mapping[str, Any]) -> str:
    changes = change["changes"]
    active = next((each["after"] for each in changes if each["field"] == "active"), None)
    reason = next((each["after"] for each in changes if each["field"] == "inactive_reason"), None)
    its = plans.effect(changes)
    if change["version"] == 1:
        holds = [f"seat {each}" if each in its.gains else each for each in its.gains]
        return words.joined(["+ joins", *holds] if active else ["added, not active"], ": ")
    if active is False:
        freed = f"{', '.join(its.loses)} given back" if its.loses else ""
        return f"- leaves: {words.joined([left_out.why(reason) or 'deactivated', freed])}"
    gained = [each for each in its.gains if each not in its.loses]
    lost = [each for each in its.loses if each not in its.gains]
    others = list(its.others.values())
    more = [f"{counted(len(others) - _VALUES, 'more value')}"] if len(others) > _VALUES else []
    sign = "~" if bool(gained) == bool(lost) else "+" if gained else "-"
    parts = [
        "comes back" if active else "",
        its.moved,
        f"gains {', '.join(gained)}" if gained else "",
        f"loses {', '.join(lost)}" if lost else "",
        f"waits for {', '.join(its.waits)}" if its.waits else "",
        *others[:_VALUES],
        *more,
    ]
    return f"{'+' if active else sign} {words.joined(parts) or _attributes(changes)}"


def _attributes(changes: Iterable[Mapping[str, Any]]) -> str:
    return words.listed(list(dict.fromkeys(words.attribute(each["field"]) for each in changes)))


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────


def _holds(member: Member) -> list[str]:
    """Return what a member holds and waits for, in words."""
    found = []
    for seat, place in member["seats"].items():
        match place["state"]:
            case "held":
                found.append(seat)
            case "waiting":
                at = f", place {place['place']:,}" if place.get("place") else ""
                found.append(f"waits for {seat}{at}")
            case "blocked":
                found.append(f"{seat} needs {place['requires']}")
    for feature, called in words.FEATURES.items():
        mine = member[feature]
        if mine["group"]:
            found.append(f"{mine['group']} ({called})")
        elif mine["request"]:
            status = words.status(mine["status"]) or "not sent"
            found.append(f"asks for {mine['request']} ({called}): {status}")
    for app, account in member.get("accounts", {}).items():
        if account["state"] in _WAITING_ACCOUNTS:
            found.append(f"account in {words.connection(app)}: {words.ACCOUNTS[account['state']]}")
    return found


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a line for each first value, with how many there are of each second one."""
    groups: dict[str, list[str]] = {}
    for first, second in pairs:
        groups.setdefault(first, []).append(second)
    return "\n".join(f"{first}: {counts(seconds)}" for first, seconds in groups.items())


def _effect(setting: Mapping[str, Any]) -> str:
    if setting["effective"] == setting["intended"]:
        return str(setting["effective"])
    return f"{setting['effective']} until the seat is held"


def _entry(each: object) -> str:
    return " ".join(map(str, each.values())) if isinstance(each, Mapping) else str(each)
