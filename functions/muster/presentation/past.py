"""One member as of a past moment, and what differs between two moments, in words (Q2).

Takes what RosterQueryFunction answers to `as_of` and `diff`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from muster.presentation import left_out, members, plans, words
from muster.presentation.causes import cause_in_words, moment
from muster.presentation.lines import at_most
from muster.presentation.member_news import name_of, what_changed
from muster.presentation.tables import Table, table

type Json = Mapping[str, Any]

ONLY_IN_DETAIL = frozenset({"standing_at", "was", "not_in_history", "news", "differences", "runs"})
# What no line is worth: it follows from something else, or tells how that came about.
_SILENT = frozenset({"enabled", "id", "name", "organization", "update_mode"})
_HOW = frozenset({"origin", "requires", "seat_required", "since"})
_IN_ROSTER, _NOT_YET, _ERASED = "in_roster", "not_yet", "erased"


def as_of_headline(answer: Json) -> str:
    """Return in one sentence what the member was at a moment, and what is new since."""
    then = f"On {moment(answer['at'])} UTC"
    if answer["standing"] != _IN_ROSTER:
        return f"{then}: {_unknown(answer, answer['standing'], answer['standing_at'])}."
    was = members.one_line(answer["was"]).removeprefix("- ")
    return f"{then}: {was}; since then: {_news(answer)}."


def diff_headline(answer: Json) -> str:
    """Return in one sentence what differs of the member between two moments."""
    period = f"{moment(answer['since'])} to {moment(answer['until'])} UTC"
    first, last = (answer["standing"][each] for each in ("since", "until"))
    if last == _IN_ROSTER and first in (_IN_ROSTER, _NOT_YET):
        return f"{name_of(answer)}, {period}: {_news(answer)}."
    which = "until" if last != _IN_ROSTER else "since"
    return f"{period}: {_unknown(answer, answer['standing'][which], answer['standing_at'][which])}."


def lines(answer: Json) -> Sequence[str]:
    """Return a line for each value that differs, with when and by what it was changed last.

    None of who was not in the roster yet: all that there is differs, and the message has the news.
    """
    standing = answer["standing"]
    found: dict[str, str] = {}
    if (standing if isinstance(standing, str) else standing["since"]) != _IN_ROSTER:
        return []
    for each in _shown(answer["differences"]):
        if said := _line(each):
            found.setdefault(words.attribute(each["field"]), f"{said} ({_changed(each, answer['runs'])})")
    return at_most(list(found.values()))


def as_of_table(answer: Json) -> Table:
    """Return each value that the member had, and what it is now where that differs."""
    differing = {each["field"]: each for each in answer["differences"]}
    was = dict(members.flat(answer["was"] or {}))
    rows = [
        [_label(name), _value(name, was.get(name)), *_after(differing.get(name), answer["runs"])]
        for name in dict.fromkeys([*was, *differing])
        if not _is_silent(name)
    ]
    return table("What", "Then", "Now, where it differs", "Changed (UTC)", rows=rows)


def diff_table(answer: Json) -> Table:
    """Return each value that differs, before and after, and when and by what it was changed last."""
    rows = [
        [_label(each["field"]), _value(each["field"], each["before"]), *_after(each, answer["runs"])]
        for each in _shown(answer["differences"])
    ]
    return table("What", "Before", "After", "Changed (UTC)", rows=rows)


def _news(answer: Json) -> str:
    news = answer["news"]
    if news is None:
        return "nothing has changed" if "at" in answer else "nothing changed"
    said = what_changed(news)
    differing = answer["differences"]
    # What the news is silent about may be all that differs.
    if said == what_changed({"news": "changed"}) and differing:
        return words.listed(list(dict.fromkeys(words.attribute(each["field"]) for each in differing)))
    return said


def _unknown(answer: Json, standing: str, at: str | None) -> str:
    """Return why nothing is said of a member at a moment."""
    on = f" on {moment(at)} UTC" if at else ""
    if standing == _ERASED:
        return f"{name_of(answer)} was erased{on}, and nothing about the person is kept"
    if standing == _NOT_YET:
        return f"{name_of(answer)} was not in the roster yet; added{on}"
    begins = f": it begins{on}" if at else ""
    return f"the history of {name_of(answer)} does not reach so far back{begins}"


def _line(change: Json) -> str:
    """Return what one value has become; nothing where another value says it."""
    name, after = change["field"], change["after"]
    if name == "active":
        return "+ active" if after else ""
    if name == "inactive_reason":
        return f"- not active: {left_out.why(after)}" if after else ""
    its = plans.effect([change])
    if its.moved:
        return f"~ assignment {its.moved}"
    parts = [
        f"gained {', '.join(its.gains)}" if its.gains else "",
        f"lost {', '.join(its.loses)}" if its.loses else "",
        f"waits for {', '.join(its.waits)}" if its.waits else "",
        *its.others.values(),
    ]
    gained, lost = bool(its.gains), bool(its.loses)
    sign = "~" if gained == lost else "+" if gained else "-"
    return f"{sign} {said}" if (said := words.joined(parts)) else ""


def _shown(differing: Iterable[Json]) -> list[Json]:
    return [each for each in differing if not _is_silent(each["field"])]


def _is_silent(name: str) -> bool:
    return name in _SILENT or ("." in name and name.rpartition(".")[2] in _HOW)


def _label(name: str) -> str:
    """Return what an attribute is called in a table, where what is meant and what has effect are two rows."""
    is_effect = name.startswith("data_capture.") and name.endswith(".effective")
    return f"{words.attribute(name)}, in effect" if is_effect else words.attribute(name)


def _value(name: str, given: object) -> str:
    if name == "inactive_reason":
        return left_out.why(str(given)) if given else ""
    return words.status(str(given)) if given and name.endswith(".status") else words.value_of(name, given)


def _after(change: Json | None, runs: Mapping[str, Json]) -> Iterable[str]:
    return (_value(change["field"], change["after"]), _changed(change, runs)) if change else ("", "")


def _changed(change: Json, runs: Mapping[str, Json]) -> str:
    if "at" not in change:
        return "not in the history"
    return f"{moment(change['at'])}, {cause_in_words(change, runs)}"
