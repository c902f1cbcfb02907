"""What an import does to people, in short lines and as a table (I6, Q3).

Of a plan there are its counts, its `tally` (who joins by assignment, who leaves by reason, what changes by
attribute) and its first items, the important first; lines are made of these, whatever the plan's size.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.presentation import left_out, outcomes, seats, undoings, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.outcomes import Item, name_of
from muster.presentation.tables import Table, table

# So many of a kind have a line of their own, and so many of what changes are named.
_LINES = 6
_NAMED = 3
_SEATS = 4
# States of accounts that whoever has gained or lost one expects.
_OWN_ACCOUNTS = ("active", "inactive", "deleted")


@dataclass(slots=True)
class Effect:
    """What an item does to a member's seats and groups, to the assignment, and to other values, in words."""

    gains: list[str] = field(default_factory=list)
    loses: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)
    moved: str = ""
    others: dict[str, str] = field(default_factory=dict)


# ── In lines ─────────────────────────────────────────────────────────────────────────────────────────


def lines(answer: Answer) -> Sequence[str]:
    """Return what a plan does: who leaves, who joins, who gains or loses what, what else changes, seats."""
    items: Sequence[Item] = answer.get("changes", ())
    counts: Mapping[str, int] = answer.get("counts") or {}
    tally: Mapping[str, Mapping[str, int]] = answer.get("tally") or {}
    return at_most(
        [
            *of_items(items, counts, tally),
            *[seats.use(name, use) for name, use in (answer.get("seats") or {}).items() if use["limit"]][
                :_SEATS
            ],
            *left_out.lines(answer.get("left_out") or {}),
        ]
    )


def of_items(
    items: Sequence[Item], counts: Mapping[str, int], tally: Mapping[str, Mapping[str, int]]
) -> list[str]:
    """Return the lines of a plan's first items; `counts` and `tally` are of all its items."""
    effects = [(item, effect(item["changes"])) for item in items]
    served = _served(effects)
    found = [*_leaving(effects, counts, tally, served), *_joining(effects, counts, tally)]
    changing = [each for each in effects if each[0]["does"] in ("updated", "linked")]
    moving = [each for each in changing if each[1].gains or each[1].loses or each[1].moved]
    quiet = [each for each in changing if each not in moving]
    for item, its in moving[:_LINES]:
        found.append(_moving(item, its, served))
    # Whoever is told as the next in line beside who leaves needs no line of their own.
    for seat, names in served.items():
        found += [f"+ {name} gains {seat}, first in line" for name in list(names)[:_NAMED]]
    found += _quiet(quiet, len(moving[:_LINES]), counts, tally)
    waiting = [item for item in items if item["does"] == "waiting"]
    found += [
        f"! {name_of(item)} waits: an active member has the same username or e-mail address"
        for item in waiting[:_NAMED]
    ]
    found += [
        f"! What was edited by hand is overwritten for {name_of(item)}:"
        f" {words.listed([*dict.fromkeys(map(words.attribute, item['loses_by_hand']))])}"
        for item in items
        if item.get("loses_by_hand")
    ][:_NAMED]
    return [*found, *undoings.held_lines(items)]


def effect(changes: Sequence[Mapping[str, Any]]) -> Effect:
    """Return what a member's changes come to."""
    found = Effect()
    for change in changes:
        name, before, after = change["field"], change["before"], change["after"]
        match name.split("."):
            case ["seats", *seat, "state"]:
                _note_seat(found, ".".join(seat), before, after)
            case ["accounts", *app, "state"]:
                _note_account(found, ".".join(app), before, after)
            case ["accounts", *_]:
                pass
            case ["seats" | "update_mode" | "id" | "organization" | "active" | "inactive_reason", *_]:
                pass
            case [("engage" | "engage_connect") as feature, "request"]:
                _note_group(found, f" ({words.FEATURES[feature]})", before, after)
            case ["engage" | "engage_connect", "status"]:
                pass
            case ["assignment"]:
                found.moved = f"{before or 'no assignment'} → {after or 'no assignment'}"
            case ["crm", connection, "id"]:
                system = words.CONNECTIONS.get(connection, connection)
                found.others[words.attribute(name)] = f"linked to user {after} in {system}"
            case _:
                label = words.attribute(name)
                said = f"{label} {words.value(before)} → {words.value(after)}"
                found.others.setdefault(label, said)
    return found


def _note_seat(found: Effect, seat: str, before: str | None, after: str | None) -> None:
    if before == "held":
        found.loses.append(seat)
        found.freed.append(seat)
    if after == "held":
        found.gains.append(seat)
    elif after == "waiting":
        found.waits.append(seat)


def _note_account(found: Effect, app: str, before: str | None, after: str | None) -> None:
    called = f"account in {words.connection(app)}"
    if after == "active":
        found.gains.append(called)
    elif before == "active":
        found.loses.append(called)
    if after not in (None, *_OWN_ACCOUNTS):
        found.others[called] = f"{called}: {words.ACCOUNTS.get(after, words.spaced(after))}"


def _note_group(found: Effect, feature: str, before: str | None, after: str | None) -> None:
    if before:
        found.loses.append(f"{before}{feature}")
    if after:
        found.gains.append(f"{after}{feature}")


type _Effects = Sequence[tuple[Item, Effect]]
type _Served = dict[str, deque[str]]


def _served(effects: _Effects) -> _Served:
    """Return who is given a seat from its line, by seat, in the order of the line."""
    found: _Served = {}
    for item, its in effects:
        if item["does"] == "seated":
            for seat in its.gains:
                found.setdefault(seat, deque()).append(name_of(item))
    return found


def _freed(seat: str, served: _Served) -> str:
    names = served.get(seat)
    return f"{seat} freed, {names.popleft()} is next" if names else f"{seat} freed"


def _leaving(
    effects: _Effects, counts: Mapping[str, int], tally: Mapping[str, Mapping[str, int]], served: _Served
) -> list[str]:
    some = [each for each in effects if each[0]["does"] == "deactivated"]
    found = []
    for item, its in some[:_LINES]:
        groups = [f"no longer in {each}" for each in its.loses if each not in its.freed]
        freed = ", ".join([*(_freed(seat, served) for seat in its.freed), *groups])
        found.append(f"- {name_of(item)} leaves: {words.joined([left_out.why(item['reason']), freed])}")
    reasons = {left_out.why(reason): count for reason, count in tally.get("leaves", {}).items()}
    return found + _more("-", len(found), counts.get("deactivated", 0), "leaves", "leave", reasons)


def _joining(
    effects: _Effects, counts: Mapping[str, int], tally: Mapping[str, Mapping[str, int]]
) -> list[str]:
    some = [each for each in effects if each[0]["does"] in ("created", "reactivated")]
    found = []
    for item, its in some[:_LINES]:
        verb = "joins" if item["does"] == "created" else "comes back"
        what = [item["assignment"], *its.gains, *(f"waits for {seat}" for seat in its.waits)]
        given = ", ".join(each for each in what if each)
        found.append(f"+ {name_of(item)} {verb}{f': {given}' if given else ''}")
    total = counts.get("created", 0) + counts.get("reactivated", 0)
    return found + _more("+", len(found), total, "joins", "join", tally.get("joins", {}))


def _moving(item: Item, its: Effect, served: _Served) -> str:
    freed = [_freed(seat, served) for seat in its.freed if served.get(seat)]
    lost = [each for each in its.loses if each not in its.gains]
    gained = [each for each in its.gains if each not in its.loses]
    sign = "~" if bool(gained) == bool(lost) else "+" if gained else "-"
    parts = [
        its.moved,
        f"gains {', '.join(gained)}" if gained else "",
        f"loses {', '.join(lost)}" if lost else "",
        f"waits for {', '.join(its.waits)}" if its.waits else "",
        *freed,
        *list(its.others.values())[:_NAMED],
    ]
    return f"{sign} {name_of(item)}: {words.joined(parts)}"


def _quiet(
    quiet: _Effects, named: int, counts: Mapping[str, int], tally: Mapping[str, Mapping[str, int]]
) -> list[str]:
    """Return who changes without gaining or losing anything: few one by one, many by what changes."""
    total = counts.get("updated", 0) + counts.get("linked", 0) - named
    if total == len(quiet) <= _NAMED:
        return [
            f"~ {name_of(item)}: {words.joined(list(its.others.values())[:_NAMED]) or 'nothing to be seen'}"
            for item, its in quiet
        ]
    if total <= 0:
        return []
    labels = Counter(label for _, its in quiet for label in its.others)
    if total != len(quiet):
        labels = Counter(tally.get("changed", {})) or labels
    what = ", ".join(label for label, _ in labels.most_common(_LINES))
    others = "other" if named else "person"
    return [f"~ {counted(total, others, 'others' if named else 'people')}{f': {what}' if what else ''}"]


def _more(sign: str, named: int, total: int, one: str, many: str, by: Mapping[str, int]) -> list[str]:
    """Return who is not named, by reason or assignment as in all of the plan."""
    more = total - named
    if more <= 0:
        return []
    verb = one if more == 1 else many
    parts = ", ".join(f"{name} {count:,}" for name, count in Counter(by).most_common(_LINES) if name)
    if not named:
        return [f"{sign} {counted(more, 'person', 'people')} {verb}{f': {parts}' if parts else ''}"]
    return [f"{sign} … and {more:,} more {verb}{f'; in all {parts}' if parts else ''}"]


# ── As a table ───────────────────────────────────────────────────────────────────────────────────────


def changes_table(items: Sequence[Item]) -> Table:
    """Return a plan's items: whose, what becomes of them, and what they gain, lose and wait for."""
    rows = []
    for item in items:
        its = effect(item["changes"])
        rows.append(
            [
                item["name"],
                outcomes.verb(item["does"]),
                item["assignment"],
                left_out.why(item["reason"]),
                ", ".join(its.gains),
                ", ".join(its.loses),
                ", ".join(its.waits),
            ]
        )
    return table("Name", "What", "Assignment", "Why", "Gains", "Loses", "Waits for", rows=rows)
