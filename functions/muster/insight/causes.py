"""What brought a change: a run, a message, somebody's edit; and which changes have a given cause (I11). Pure.

A history entry names it in `run` (`run:<id>`, `webhook:<notification>`, `edit:<id>`, `groups:<id>`,
`erase:<id>`), and in `origin` whose value it is (`crm`, `align`, `assignment:<name>`, `manual:<who>`,
`manager:<who>`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from muster import validation
from muster.errors import Problem, Rejected
from muster.roster.member import Json
from muster.times import timestamp

RUN = "run"
# What the part of `run` before the colon stands for; a run is of one of these kinds itself.
_KINDS = {"webhook": "message", "edit": "edit", "groups": "group_request", "erase": "erasure"}
_OF_RUNS = ("import", "push", "undo")
KINDS = (*_OF_RUNS, *_KINDS.values())
_BY_HAND = ("manual", "manager")
_ORIGINS = (*_BY_HAND, "assignment")
_WHOLE_ORIGINS = ("crm", "align")
# What one call has done is recorded within less time.
_AROUND = timedelta(hours=1)

type Kinds = Mapping[str, str]


def run_of(entry: Json) -> str | None:
    """Return the id of the run that brought a change, if a run did."""
    prefix, _, run = entry["run"].partition(":")
    return run if prefix == RUN else None


def kind_of(entry: Json, kinds: Kinds) -> str:
    """Return one of `KINDS`, or `run` for a run that is not among `kinds` (id → kind)."""
    if (run := run_of(entry)) is not None:
        return kinds.get(run, RUN)
    return _KINDS.get(entry["run"].partition(":")[0], RUN)


def by_hand(entry: Json) -> str | None:
    """Return who made a change by hand; `None`: nobody did."""
    kind, _, who = entry["origin"].partition(":")
    return who if kind in _BY_HAND else None


def matching(cause: str, kinds: Kinds) -> Callable[[Json], bool]:
    """Return what tells whether a history entry has this cause; raises `Rejected` for an unknown word.

    A cause is one of `KINDS`, what an entry has as `run` or `origin`, or the e-mail address of whoever made
    the change by hand.
    """
    asked = cause.strip()
    word = asked.casefold()
    prefix = word.partition(":")[0]
    if word in KINDS:
        return lambda entry: kind_of(entry, kinds) == word
    if prefix in (RUN, *_KINDS) and ":" in word:
        return lambda entry: entry["run"].casefold() == word
    if (prefix in _ORIGINS and ":" in word) or word in _WHOLE_ORIGINS:
        return lambda entry: entry["origin"].casefold() == word
    if "@" in word:
        return lambda entry: (by_hand(entry) or "").casefold() == word
    whole = [f"{each}:…" for each in (RUN, *_KINDS, *_ORIGINS)]
    known = [*KINDS, *_WHOLE_ORIGINS, *whole]
    close = validation.closest(asked, (*KINDS, *_WHOLE_ORIGINS))
    remedy = (
        f"Did you mean {close!r}?" if close else f"Write one of {', '.join(known)}, or an e-mail address."
    )
    raise Rejected(Problem("cause", f"{asked[:50]!r} is no cause of a change", remedy))


def run_named(cause: str | None) -> str | None:
    """Return the id of the run that a cause names, if it names one."""
    prefix, _, run = (cause or "").strip().partition(":")
    return run if prefix.casefold() == RUN and run else None


def opened_by(entry: Json, organization: str) -> Json:
    """Return the event for RosterQueryFunction that shows what brought a change."""
    if (run := run_of(entry)) is not None:
        return {"organization": organization, "action": "run", "run_id": run}
    at = datetime.fromisoformat(entry["at"])
    return {
        "organization": organization,
        "action": "changes",
        "cause": entry["run"],
        "since": timestamp(at - _AROUND, "seconds"),
        "until": timestamp(at + _AROUND, "seconds"),
    }
