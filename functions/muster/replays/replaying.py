"""A run's plan made again from its archive: the same, or where it differs first (Q4).

Nothing is asked but the archive: the pages that were read, what the roster knew, the settings and the moment
are all in there. `replaying_offline` does the same with a copy of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, zip_longest
from typing import Any

import orjson
from pydantic import ValidationError

from muster import __version__
from muster.crm import soql
from muster.crm.pages import Page
from muster.engage import push_basis, push_items
from muster.engage.push_items import PushItem
from muster.engage.push_plan import make_plan as make_push_plan
from muster.errors import NotFound, Problem, Rejected, Unavailable
from muster.imports import known_roster, plan_items
from muster.imports.deciding import decide
from muster.imports.known_roster import VaultReading
from muster.imports.plan_items import Item
from muster.imports.reading_sources import Sources, gather
from muster.provisioning import account_items, account_plan, app_basis
from muster.provisioning.account_items import AccountItem
from muster.replays.ports import Attempt
from muster.roster.member import Json
from muster.runs.archive import DECIDED_WITH, PLAN, UNFINISHED, AttemptParts
from muster.runs.kinds import IMPORT, PUSH, SETTINGS, UNDO
from muster.runs.ports import Archive
from muster.runs.run import Kind, Run, at_of
from muster.settings import Settings
from muster.sources.gathering_salesforce import Gathering
from muster.sources.gathering_vault_crm import VaultGathering
from muster.undo import touched, undo_basis
from muster.undo.deciding import decide as decide_undo
from muster.undo.reversal import Asked

# For how many people the query function has the time to make a plan again.
MOST_PEOPLE = 20_000


type AnyItem = Item | PushItem | AccountItem


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of making a plan again: the hashes, how many items, and the first that differ, if any do.

    `planned_with` is the version of Muster that made the plan. A pair of items is the planned one and the one
    of today; `None` where there is none.
    """

    run_id: str
    planned_with: str
    planned: str
    replayed: str
    items: int
    difference: tuple[AnyItem | None, AnyItem | None] | None = None

    @property
    def same(self) -> bool:
        """Whether it is the same plan."""
        return self.planned == self.replayed and self.difference is None

    def to_json(self) -> Json:
        """Return it as functions answer it."""
        planned, replayed = self.difference or (None, None)
        either = planned or replayed
        return {
            "run_id": self.run_id,
            "same": self.same,
            "hash": {"planned": self.planned, "replayed": self.replayed},
            "items": self.items,
            "muster": {"planned": self.planned_with, "replayed": __version__},
            "difference": either
            and {
                "user": either.user,
                "planned": planned and planned.shown(),
                "replayed": replayed and replayed.shown(),
            },
        }


@dataclass(frozen=True, slots=True)
class ArchivedAttempt:
    """The last attempt at a run, in the run archive."""

    archive: Archive
    run: Run

    def parts(self, name: str) -> Iterator[bytes]:
        """Yield the parts of that name in order."""
        yield from AttemptParts(self.archive, self.run).parts(name)

    def document(self, name: str) -> Json | None:
        """Return the document of that name; `None`: there is none."""
        try:
            return self.archive.document(self.run.organization, self.run.id, self.run.attempt, name)
        except Unavailable:
            return None


def replay(attempt: Attempt, most: int | None = None) -> Replay:
    """Return what comes of making the plan of an attempt again.

    Raises `NotFound` where the archive lacks what that takes, and says what; `Rejected` where the plan was
    made for more than `most` people; and `Unavailable`.
    """
    document, summary = _documents(attempt)
    if most is not None and (people := _people(summary)) > most:
        raise _too_many(people, most)
    run = Run.from_json(document["run"])
    again = _OF_KIND[run.kind](_Archived(run, document, _settings(document), _ReadOnly(attempt)))
    # An interrupted attempt at planning may have left more parts behind than this plan has.
    planned = islice(chain.from_iterable(map(again.read, attempt.parts(PLAN))), summary["items"])
    replayed = again.read(again.plan)
    differing = (pair for pair in zip_longest(planned, replayed) if pair[0] != pair[1])
    return Replay(
        run.id, document["version"], summary["hash"], again.hash, len(replayed), next(differing, None)
    )


# ── The kinds of runs ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Archived:
    """What a plan was made with."""

    run: Run
    document: Json
    settings: Settings
    parts: "_ReadOnly"


@dataclass(frozen=True, slots=True)
class _Again:
    """A plan made again: its hash, the plan as one part of its file, and what reads such a part."""

    hash: str
    plan: bytes
    read: Callable[[bytes], Sequence[AnyItem]]


def _import(archived: _Archived) -> _Again:
    run, settings, parts = archived.run, archived.settings, archived.parts
    known = known_roster.kept(archived.document, parts)
    vault = None
    if known.vault is not VaultReading.NOT_DUE:
        vault = VaultGathering(settings, _Nobody(), parts, _go_on, resumed=True)
    salesforce = Gathering(settings, _Nobody(), parts, _go_on, resumed=True)
    now = datetime.fromisoformat(run.gathered_at or run.started_at)
    basis = gather(Sources(settings, salesforce, vault, parts), run, now, known, None)
    plan, _ = decide(basis, settings, now, run.id)
    return _Again(plan_items.plan_hash(plan.effective), plan_items.written(plan.items), plan_items.read)


def _push(archived: _Archived) -> _Again:
    if archived.run.app:
        return _push_to_app(archived, archived.run.app)
    basis = push_basis.kept(archived.document, archived.parts)
    members, settings = basis.members.values(), archived.settings
    plan = make_push_plan(members, basis.users, basis.in_line, settings, at_of(archived.run), basis.writable)
    return _Again(push_items.plan_hash(plan.items), push_items.written(plan.items), push_items.read)


def _push_to_app(archived: _Archived, app: str) -> _Again:
    basis = app_basis.kept(archived.document, archived.parts)
    settings = archived.settings
    connection = dict(settings.connections.targets())[app]
    plan = account_plan.make_plan(basis, connection, settings, at_of(archived.run))
    return _Again(account_items.plan_hash(plan), account_items.written(plan), account_items.read)


def _undo(archived: _Archived) -> _Again:
    people = touched.gathered(archived.parts.parts(touched.PART))
    basis = undo_basis.kept(archived.document, people, archived.parts)
    plan = decide_undo(basis, archived.settings, Asked.by_run(archived.run))
    return _Again(plan.hash(), plan_items.written(plan.items), plan_items.read)


_OF_KIND: Mapping[Kind, Callable[[_Archived], _Again]] = {
    IMPORT.name: _import,
    SETTINGS.name: _import,
    PUSH.name: _push,
    UNDO.name: _undo,
}


# ── What an archive has, and lacks ───────────────────────────────────────────────────────────────────


def _documents(attempt: Attempt) -> tuple[Json, Json]:
    """Return what the plan was made with, and its summary, which belong together; raises `NotFound`."""
    document, summary = attempt.document(DECIDED_WITH), attempt.document(PLAN)
    if summary == UNFINISHED:
        what = "was interrupted while it was planned, so the run archive has no whole plan of it"
        raise NotFound(Problem("run_id", what, "Nothing: if it goes on, it is planned anew."))
    if document is None and (summary is not None or next(attempt.parts(PLAN), None) is not None):
        raise _lacking(
            f"no {DECIDED_WITH}.json, which has the settings and what the roster knew",
            "Nothing: the run is one of Muster before 0.2.0, which kept only what it read and planned.",
        )
    if document is None or summary is None:
        raise _lacking(
            "no plan",
            "Nothing: the run ended before it had one, or is older than what is kept there (ArchiveDays).",
        )
    return document, summary


def _people(summary: Json) -> int:
    """Return for how many people a plan was made."""
    vault = summary.get("vault_crm") or {"read": 0}
    people: int = max(summary["read"], vault["read"], summary["items"])
    return people


def _too_many(people: int, most: int) -> Rejected:
    what = f"was planned for {people:,} people, and this function has the time for {most:,}"
    remedy = (
        "Copy its folder from the run archive, and make the plan again on a computer:"
        " PYTHONPATH=functions python -m muster.replays.replaying_offline <folder>."
    )
    return Rejected(Problem("run_id", what, remedy))


def _settings(document: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate_json(orjson.dumps(document["settings"]))
    except ValidationError:
        # Not chained: pydantic's error quotes the document.
        raise _lacking(
            f"settings that this version of Muster ({__version__}) no longer accepts",
            f"Replay it with Muster {document['version']}, from a copy of the archive.",
        ) from None


def _lacking(what: str, remedy: str) -> NotFound:
    where = "in the run archive, so its plan cannot be made again"
    return NotFound(Problem("run_id", f"has {what} {where}", remedy))


def _go_on() -> None:
    """There is no lease and no end of the time."""


@dataclass(frozen=True, slots=True)
class _ReadOnly:
    """An attempt's parts, of which none is written again."""

    attempt: Attempt

    def put(self, name: str, number: int, _: bytes) -> None:
        raise Unavailable(f"the archive lacks {name}/{number:05}.json")

    def parts(self, name: str) -> Iterator[bytes]:
        return self.attempt.parts(name)


class _Nobody:
    """A source of whom nothing is asked: what is not in the archive was not read."""

    def query(self, query: str) -> Iterator[Page]:
        if query == soql.frozen():
            # Salesforce refused it, and there are no pages of what is refused.
            raise Rejected(Problem("UserLogin", "was not shown", "Nothing."))
        raise _lacks(query)

    def more(self, next_url: str) -> Iterator[Page]:
        raise _lacks(next_url)

    def batch(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        raise _lacks(*queries)

    def tried(self, queries: Sequence[str]) -> list[list[dict[str, Any]] | Rejected]:
        raise _lacks(*queries)


def _lacks(*asked: str) -> Unavailable:
    return Unavailable(f"the archive lacks the answer to {asked[0][:80] if asked else 'a question'}")
