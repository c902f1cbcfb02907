"""What came of making a run's plan again, in words (Q4).

Takes what RosterQueryFunction answers to `replay`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

type Json = Mapping[str, Any]


def headline(answer: Json) -> str:
    """Return in one sentence whether the plan is the same."""
    plan = f"The plan of run {answer['run_id']}"
    if answer["same"]:
        return f"{plan} is the same when it is made again: {counted(answer['items'], 'item')}, the same hash."
    return f"{plan} is another one when it is made again{_first(answer)}."


def lines(answer: Json) -> Sequence[str]:
    """Return what was planned for the first user of whom it differs, what is planned now, and by what."""
    if answer["same"]:
        return []
    shown = []
    if difference := answer["difference"]:
        shown += [f"planned: {_item(difference['planned'])}", f"made again: {_item(difference['replayed'])}"]
    versions = answer["muster"]
    if versions["planned"] != versions["replayed"]:
        shown.append(f"It was planned by Muster {versions['planned']}; this is {versions['replayed']}.")
    return at_most(shown)


def as_table(answer: Json) -> Table:
    """Return the values of the first user of whom it differs, as planned and as planned now."""
    difference = answer["difference"] or {"planned": None, "replayed": None}
    planned, replayed = (_values(difference[which]) for which in ("planned", "replayed"))
    rows = [
        [name, planned.get(name), replayed.get(name)]
        for name in dict.fromkeys([*planned, *replayed])
        if planned.get(name) != replayed.get(name)
    ]
    return table("What", "Planned", "Made again", rows=rows)


def _first(answer: Json) -> str:
    difference = answer["difference"]
    return f": it differs first about user {difference['user']}" if difference else ""


def _item(item: Json | None) -> str:
    if item is None:
        return "nothing"
    named = (f"{words.attribute(name)}: {value}" for name, value in _changes(item))
    return "; ".join([words.spaced(item["does"]), *named])


def _values(item: Json | None) -> dict[str, str]:
    if item is None:
        return {}
    return {name: value for name, value in item.items() if isinstance(value, str)} | dict(_changes(item))


def _changes(item: Json) -> Iterator[tuple[str, str]]:
    """Yield what an item changes, of a member or in Vault CRM."""
    for each in item.get("changes", ()):
        yield each["field"], words.value(each["after"])
    for each in (item.get("writes", {}), item.get("fields", {})):
        yield from ((name, words.value(value)) for name, value in each.items())
    if item.get("active") is not None:
        yield "active", words.value(item["active"])
