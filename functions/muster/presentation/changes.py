"""What happened, in words: people who joined, left or changed, what brought it, and the runs beside it (Q3).

Takes an answer of RosterQueryFunction's `changes`, and history entries as `history` shows them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from muster.presentation.causes import BY_HAND, cause_in_words, moment, name_of_run
from muster.presentation.lines import at_most, counted
from muster.presentation.member_news import DID, field, is_minor, name_of, sign, what_changed, words
from muster.presentation.tables import Table, table

type Json = Mapping[str, Any]

ONLY_IN_DETAIL = frozenset({"people", "attributes", "causes", "runs", "settings", "log"})
# What leaves room on a screen for the rest of the answer.
_MOST_LINES, _MOST_OF_A_PART, _MOST_NAMED = 14, 4, 2
_CAUSES = {
    "import": ("import", "imports"),
    "push": ("push", "pushes"),
    "run": ("run", "runs"),
    "message": ("message of Salesforce", "messages of Salesforce"),
}
# In the error log, but nobody has to do anything about it.
_GOOD_NEWS = frozenset({"removal_succeeded", "connection_recovered"})
_NEEDS_SOMEBODY = frozenset({"open", "given_up"})


def headline(answer: Json) -> str:
    """Return one sentence: in which period who joined and left, and what waits or failed."""
    counts = answer["counts"]
    parts = [_who(kind, answer, counts) for kind in DID if counts[kind]]
    parts += _of_runs(answer)
    if errors := sum(each["count"] for each in answer["log"] if each["code"] not in _GOOD_NEWS):
        parts.append(f"{counted(errors, 'entry', 'entries')} in the error log")
    if counts["settings"]:
        saved = counts["settings"]
        parts.append(f"settings saved {'once' if saved == 1 else counted(saved, 'time')}")
    said = ", ".join(parts) or "nothing changed"
    more = "; there is more, ask again with the cursor" if answer["cursor"] else ""
    return f"{moment(answer['since'])} to {moment(answer['until'])} UTC: {said}{more}."


def summary(answer: Json) -> list[str]:
    """Return short lines: what needs somebody, then people, then what was decided, and how it came."""
    log = _by_need(answer["log"])
    needs = at_most([*_runs_in_need(answer), *map(_logged, log)], _MOST_OF_A_PART)
    decided = [*_decisions(answer["runs"]), *map(_saved, answer["settings"])]
    rest = [
        *at_most(decided, _MOST_OF_A_PART),
        *_came_by(answer["causes"]),
        *_runs_in_short(answer["counts"]),
    ]
    return [*needs, *_people(answer, _MOST_LINES - len(needs) - len(rest)), *rest]


def as_table(answer: Json) -> Table:
    """Return the people, runs, versions of settings and errors of an answer, one a row."""
    runs = {each["id"]: each for each in answer["runs"]}
    rows = [
        [
            moment(each["at"]),
            name_of(each),
            what_changed(each),
            "; ".join(dict.fromkeys(cause_in_words(cause, runs) for cause in each["causes"])),
        ]
        for each in answer["people"]
    ]
    rows += [[moment(each["started_at"]), f"run {each['id']}", *_of_run(each)] for each in answer["runs"]]
    rows += [
        [moment(each["at"]), f"settings, version {each['version']}", _places(each), _signed(each)]
        for each in answer["settings"]
    ]
    rows += [
        [moment(each["at"]), each["record"], f"{_message(each)} ({each['code']}, {each['count']:,})", ""]
        for each in answer["log"]
    ]
    return table("When (UTC)", "Who", "What", "By", rows=rows)


# ── People ───────────────────────────────────────────────────────────────────────────────────────


def _people(answer: Json, most: int) -> list[str]:
    """Return a line for each person with news, some of every kind, and one line for all the others."""
    notable: dict[str, list[str]] = {kind: [] for kind in DID}
    total = sum(answer["counts"][kind] for kind in DID)
    for person in answer["people"]:
        if not is_minor(person) or ("other" in person and total <= _MOST_NAMED):
            notable[person["news"]].append(f"{sign(person)} {name_of(person)} {_line(person)}")
    fair = [
        kind
        for some in zip_longest(*([kind] * len(each) for kind, each in notable.items()))
        for kind in some
        if kind
    ]
    room = most if total <= min(most, len(fair)) else most - 1
    shown = Counter(fair[: max(0, room)])
    lines = [line for kind, each in notable.items() for line in each[: shown[kind]]]
    left = {kind: answer["counts"][kind] - shown[kind] for kind in DID}
    return [*lines, *_others(left, answer["attributes"], bool(lines))]


def _others(left: Mapping[str, int], attributes: Iterable[str], some_are_named: bool) -> list[str]:
    parts = [
        f"{count:,} more {DID[kind][count > 1]}"
        for kind, count in left.items()
        if count and kind != "changed"
    ]
    if changed := left["changed"]:
        who = counted(changed, "other") if some_are_named or parts else counted(changed, "person", "people")
        named = list(dict.fromkeys(map(field, attributes)))
        more = " and more" if len(named) > _MOST_OF_A_PART else ""
        parts.append(f"{who} changed{': ' if named else ''}{', '.join(named[:_MOST_OF_A_PART])}{more}")
    return [f"~ {'; '.join(parts)}"] if parts else []


def _line(person: Json) -> str:
    said = f"changed: {what_changed(person)}" if is_minor(person) else what_changed(person)
    hands = [cause for cause in person["causes"] if cause["origin"].partition(":")[0] in BY_HAND]
    by = ", ".join(dict.fromkeys(cause_in_words(cause, {}) for cause in hands))
    # Nobody joins by an edit, and what changed by something else as well was not all done by them; but who
    # asked for a group has it by that, though a push has brought it.
    mixed = len(hands) < len(person["causes"]) and (person["news"] != "changed" or is_minor(person))
    partly = "in part " if mixed else ""
    return f"{said}{f' ({partly}{by})' if by else ''}"


def _who(kind: str, answer: Json, counts: Mapping[str, int]) -> str:
    count = counts[kind]
    one, many = DID[kind]
    named = [name_of(each) for each in answer["people"] if each["news"] == kind]
    others = any(counts[each] for each in DID if each != kind)
    if len(named) == count <= _MOST_NAMED and not (kind == "changed" and others):
        return f"{' and '.join(named)} {one if count == 1 else many}"
    if kind == "changed" and others:
        return f"{counted(count, 'other')} changed"
    return f"{counted(count, 'person', 'people')} {one if count == 1 else many}"


# ── Runs, settings, errors ───────────────────────────────────────────────────────────────────────


def _of_runs(answer: Json) -> list[str]:
    counts = Counter("waits" if _waits(run, answer) else run["status"] for run in answer["runs"])
    said = {"waits": ("waits for approval", "wait for approval"), "failed": ("failed", "failed")}
    return [
        f"{counted(counts[what], 'run')} {words[counts[what] > 1]}"
        for what, words in said.items()
        if counts[what]
    ]


def _waits(run: Json, answer: Json) -> bool:
    """Whether a run can still be approved."""
    return run["status"] == "parked" and str(run["expires_at"] or "") > str(answer["until"])


def _runs_in_need(answer: Json) -> list[str]:
    lines = []
    for run in answer["runs"]:
        what = f"! The {name_of_run(run)} {run['id']}"
        if _waits(run, answer):
            lines.append(f"{what} waits for approval until {moment(run['expires_at'])} UTC")
        elif run["status"] == "parked":
            lines.append(f"{what} was not approved in time")
        elif run["status"] == "failed":
            lines.append(f"{what} failed: {run['message'] or 'it stopped without saying why'}")
    return lines


def _decisions(runs: Iterable[Json]) -> list[str]:
    lines = []
    for run in runs:
        what = f"The {name_of_run(run)} {run['id']}"
        if run["approved_by"]:
            lines.append(f"{what} was approved by {run['approved_by']}")
        elif run["rejected_by"]:
            lines.append(f"{what} was rejected by {run['rejected_by']}")
    return lines


def _of_run(run: Json) -> tuple[str, str]:
    """Return what a run is and has come to, and by whom."""
    by = [f"begun by {run['by']}"] if run["by"] else []
    by += [f"approved by {run['approved_by']}"] if run["approved_by"] else []
    by += [f"rejected by {run['rejected_by']}"] if run["rejected_by"] else []
    return f"{name_of_run(run)}: {words(run['status'])}", ", ".join(by)


def _saved(version: Json) -> str:
    return f"{_signed(version)} saved version {version['version']} of the settings: {_places(version)}"


def _signed(version: Json) -> str:
    approved = f", approved by {version['approved_by']}," if version["approved_by"] else ""
    return f"{version['by']}{approved}"


def _places(version: Json) -> str:
    where = version["where"]
    if not where:
        return version["why"] or "no place changed"
    more = f" and {version['places'] - len(where):,} more" if version["places"] > len(where) else ""
    return f"{', '.join(where)}{more} ({version['why']})" if version["why"] else f"{', '.join(where)}{more}"


def _by_need(log: Iterable[Json]) -> list[Json]:
    """Return what is still open first, of it what is held; and what is no error last."""
    return sorted(
        log,
        key=lambda each: (
            each["code"] in _GOOD_NEWS,
            each["state"] not in _NEEDS_SOMEBODY,
            not each["code"].startswith("held_"),
        ),
    )


def _logged(entry: Json) -> str:
    sign = "! " if entry["state"] in _NEEDS_SOMEBODY and entry["code"] not in _GOOD_NEWS else ""
    solved = "solved since: " if entry["state"] == "solved" else ""
    held = "held at the door: " if entry["code"].startswith("held_") else ""
    more = f", and {entry['count'] - 1:,} more" if entry["count"] > 1 else ""
    return f"{sign}{solved}{held}{_message(entry)}{more} ({entry['code']})"


def _message(entry: Json) -> str:
    """Return what an entry of the error log says, with the name of whom it is about where there is one."""
    if not entry.get("name"):
        return str(entry["message"])
    return f"{entry['name']}: {entry['message'].removesuffix(f' (member {entry["member"]})')}"


def _came_by(causes: Sequence[Json]) -> list[str]:
    if not causes:
        return []
    said = [
        f"{'an undo by ' if each['cause'] == 'undo' else ''}"
        f"{each['by'] or _CAUSES.get(each['cause'], ('', each['cause']))[1]}"
        f" ({counted(each['people'], 'person', 'people')})"
        for each in causes[:_MOST_OF_A_PART]
    ]
    others = [counted(len(causes) - len(said), "other")] if len(causes) > len(said) else []
    return [f"Came by {', '.join([*said, *others])}"]


def _runs_in_short(counts: Mapping[str, int]) -> list[str]:
    parts = [counted(counts["runs"], "run") + " with news"] if counts["runs"] else []
    parts += [counted(counts["quiet_runs"], "quiet run")] if counts["quiet_runs"] else []
    return ["; ".join(parts)] if parts else []
