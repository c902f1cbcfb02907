"""The roster as of a past moment, and what differs of it between two, in words (Q2).

Takes what RosterQueryFunction answers to `as_of` and `diff`; where that is about one member, `past` says it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import changes, left_out, members, past, words
from muster.presentation.causes import cause_in_words, moment, name_of_run
from muster.presentation.lines import at_most, counted
from muster.presentation.member_news import DID, name_of, what_changed
from muster.presentation.tables import Table, table

type Json = Mapping[str, Any]

ONLY_IN_DETAIL = past.ONLY_IN_DETAIL | {
    *("members", "assignments", "seats", "inactive_reasons", "known_from", "people", "attributes", "causes"),
}
_MOST_OF_A_PART, _MOST_MEMBERS = 4, 12
_NO_RUNS: Json = {"runs": (), "settings": (), "log": ()}
_KINDS = {
    "message": ("message of Salesforce", "messages of Salesforce"),
    "group_request": ("group request", "group requests"),
}


def as_of_headline(answer: Json) -> str:
    """Return in one sentence how many there were at the moment."""
    counts = answer["counts"]
    said = [counted(counts["active"], "active member"), f"{counts['inactive']:,} not active"]
    said += [f"{counts['erased']:,} erased since"] if counts["erased"] else []
    said += [f"{counts['not_recorded']:,} of whom that is not known"] if counts["not_recorded"] else []
    shown, total = len(answer["members"]), answer["total"]
    page = f"{shown:,} of {counted(total, 'member')} listed" if shown < total else f"{total:,} listed"
    more = "; there is more, ask again with the cursor" if answer["cursor"] else ""
    return f"On {moment(answer['at'])} UTC: {', '.join(said)}; {page}{more}."


def diff_headline(answer: Json) -> str:
    """Return in one sentence who joined, left, came back and changed between the two moments."""
    return changes.headline(_as_changes(answer))


def as_of_lines(answer: Json) -> Sequence[str]:
    """Return lines: how many had which assignment and seat, then the first members of the page."""
    if "members" not in answer:
        return past.lines(answer)
    assignments = [
        f"{name or 'no assignment'}: {counted(count, 'person', 'people')}"
        for name, count in answer["assignments"].items()
    ]
    seats = [
        f"{name}: {each['held']:,} held{f', {each["waiting"]:,} waited' if each['waiting'] else ''}"
        for name, each in answer["seats"].items()
    ]
    reasons = [
        f"- {counted(count, 'person', 'people')} not active: {left_out.why(reason) or 'deactivated'}"
        for reason, count in answer["inactive_reasons"].items()
    ]
    listed = [members.one_line(each) for each in members.by_name(answer["members"])]
    return [
        *at_most(assignments, _MOST_OF_A_PART),
        *at_most(seats, _MOST_OF_A_PART),
        *at_most(reasons, _MOST_OF_A_PART),
        *at_most(listed, _MOST_MEMBERS),
    ]


def diff_lines(answer: Json) -> Sequence[str]:
    """Return a line for each person with news, the weightiest first, and what brought it."""
    if "people" not in answer:
        return past.lines(answer)
    back = answer["counts"]["changed_back"]
    unsaid = [f"{counted(back, 'person', 'people')} changed, and changed back"] if back else []
    return [*changes.summary(_as_changes(answer)), *_came_by(answer), *unsaid]


def as_of_table(answer: Json) -> Table:
    """Return the page of members as a table."""
    return members.listed(answer) if "members" in answer else past.as_of_table(answer)


def diff_table(answer: Json) -> Table:
    """Return a row for each value that differs, and one for each person of whom all is new or gone."""
    if "people" not in answer:
        return past.diff_table(answer)
    rows = [
        [who, f"{news}: {what}" if what and what != news else news, before, after, _when(at), by]
        for person in answer["people"]
        for who, _, news, what, before, after, at, by in cells(person, answer["runs"])
    ]
    return table("Who", "What", "Before", "After", "Changed (UTC)", "By", rows=rows)


def cells(person: Json, runs: Mapping[str, Json] | None = None) -> Iterator[Sequence[object]]:
    """Yield the rows of a file (`exports.DIFFERENCES`) about one person."""
    who = (name_of(person), person["member"], DID[person["news"]][0])
    for each in person["differences"]:
        values = (words.value_of(each["field"], each[which]) for which in ("before", "after"))
        yield (*who, words.attribute(each["field"]), *values, each["at"], cause_in_words(each, runs or {}))
    if not person["differences"]:
        by = "; ".join(dict.fromkeys(cause_in_words(each, runs or {}) for each in person["causes"]))
        yield (*who, what_changed(person), "", "", person["at"], by)


def _when(at: object) -> str:
    return moment(str(at)) if at else ""


def _as_changes(answer: Json) -> Json:
    """Return the answer in the shape of `changes`, beside which nothing happened."""
    counts = {"runs": 0, "quiet_runs": 0, "settings": 0, **answer["counts"]}
    return {**answer, **_NO_RUNS, "causes": (), "counts": counts}


def _came_by(answer: Json) -> list[str]:
    """Return by which runs and whom most of it came."""
    said = [
        f"{_cause(each, answer['runs'])} ({counted(each['people'], 'person', 'people')})"
        for each in answer["causes"][:_MOST_OF_A_PART]
    ]
    others = len(answer["causes"]) - len(said)
    said += [counted(others, "other")] if others else []
    return [f"Came by {', '.join(said)}"] if said else []


def _cause(cause: Json, runs: Mapping[str, Json]) -> str:
    if cause["by"]:
        return str(cause["by"])
    if cause["run"] in runs:
        run = runs[cause["run"]]
        by = f" begun by {run['by']}" if run["by"] not in (None, "schedule") else ""
        return f"the {name_of_run(run)} {run['id']}{by}"
    if cause["run"]:
        return f"the run {cause['run']}"
    one, many = _KINDS.get(cause["cause"], (words.spaced(cause["cause"]), words.spaced(cause["cause"])))
    return many if cause["people"] > 1 else f"a {one}"
