"""A run's plan made again from its archive: the same, or where it differs first (Q4).

Nothing is asked but the archive: the pages that were read, what the roster knew, the settings and the moment
are all in there. `replaying_offline` does the same with a copy of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

import orjson
from pydantic import ValidationError

from muster import __version__
from muster.crm import soql
from muster.crm.pages import Page
from muster.errors import NotFound, Problem, Rejected, Unavailable
from muster.imports import known_roster, plan_items
from muster.imports.deciding import decide
from muster.imports.known_roster import VaultReading
from muster.imports.plan_items import Item
from muster.imports.reading_sources import Sources, gather
from muster.insight.ports import Attempt
from muster.pushes import push_basis, push_items
from muster.pushes.push_items import PushItem
from muster.pushes.push_plan import make_plan as make_push_plan
from muster.pushes.sending_items import at_of
from muster.roster.member import Json
from muster.runs.archive import DECIDED_WITH, AttemptParts
from muster.runs.kinds import IMPORT, PUSH, SETTINGS
from muster.runs.ports import Archive
from muster.runs.run import Kind, Run
from muster.settings import Settings
from muster.sources.gathering_salesforce import Gathering
from muster.sources.gathering_vault_crm import VaultGathering

_PLAN = "plan"


type AnyItem = Item | PushItem


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


def replay(attempt: Attempt) -> Replay:
    """Return what comes of making the plan of an attempt again.

    Raises `NotFound` where the archive lacks what that takes, and says what; and `Unavailable`.
    """
    bodies = list(attempt.parts(_PLAN))
    summary, document = attempt.document(_PLAN), attempt.document(DECIDED_WITH)
    if summary is None and not bodies and document is None:
        raise _lacking(
            "no plan",
            "Nothing: the run ended before it had one, or is older than what is kept there (ArchiveDays).",
        )
    if document is None:
        raise _lacking(
            f"no {DECIDED_WITH}.json, which has the settings and what the roster knew",
            "Nothing: the run is one of Muster 0.2.0 or earlier, which kept only what it read and planned.",
        )
    run = Run.from_json(document["run"])
    return _OF_KIND[run.kind](run, document, summary, bodies, _ReadOnly(attempt))


def _import(
    run: Run, document: Json, summary: Json | None, bodies: Sequence[bytes], archive: "_ReadOnly"
) -> Replay:
    if summary is None:
        raise _lacking("no plan.json", "Nothing: the run ended before it had a plan.")
    settings = _settings(document)
    known = known_roster.kept(document, archive)
    vault = None
    if known.vault is not VaultReading.NOT_DUE:
        vault = VaultGathering(settings, _Nobody(), archive, _go_on, resumed=True)
    salesforce = Gathering(settings, _Nobody(), archive, _go_on, resumed=True)
    now = datetime.fromisoformat(run.gathered_at or run.started_at)
    basis = gather(Sources(settings, salesforce, vault, archive), run, now, known, None)
    plan, _ = decide(basis, settings, now, run.id)
    return _compared(
        run,
        document,
        (summary["hash"], plan_items.plan_hash(plan.effective)),
        list(chain.from_iterable(map(plan_items.read, bodies))),
        plan_items.read(plan_items.written(plan.items)),
    )


def _push(run: Run, document: Json, _: Json | None, bodies: Sequence[bytes], archive: "_ReadOnly") -> Replay:
    settings, basis = _settings(document), push_basis.kept(document, archive)
    members = basis.members.values()
    plan = make_push_plan(members, basis.users, basis.in_line, settings, at_of(run), basis.writable)
    planned = list(chain.from_iterable(map(push_items.read, bodies)))
    hashes = push_items.plan_hash(planned), push_items.plan_hash(plan.items)
    return _compared(run, document, hashes, planned, push_items.read(push_items.written(plan.items)))


_OF_KIND: Mapping[Kind, Callable[[Run, Json, Json | None, Sequence[bytes], "_ReadOnly"], Replay]] = {
    IMPORT.name: _import,
    SETTINGS.name: _import,
    PUSH.name: _push,
}


def _compared(
    run: Run,
    document: Json,
    hashes: tuple[str, str],
    planned: Sequence[AnyItem],
    replayed: Sequence[AnyItem],
) -> Replay:
    if hashes[0] == hashes[1]:
        # An interrupted attempt at planning may have left more parts behind than this plan has.
        planned = planned[: len(replayed)]
    differing = (pair for pair in zip_longest(planned, replayed) if pair[0] != pair[1])
    return Replay(run.id, document["version"], *hashes, len(replayed), next(differing, None))


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
