"""One member's story: imports, edits, pushes and an undo, each decided by the rules themselves."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from muster.edits import group_requests, member_edits
from muster.edits.member_edits import Editor, Others
from muster.errors import Problem
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.history import values_of
from muster.roster.links import Link
from muster.roster.member import Json, Member
from muster.roster.seats import Pool
from muster.settings import Settings
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import UserChange
from muster.undo import reversal
from muster.undo.reversal import Asked, Reversal
from muster.undo.undone import undone
from tests.examples import ADA, NOW, change
from tests.members import changed

JANE = "jane@acme.example"
VAULT = {"id": "10042"}


@dataclass
class Story:
    """Ada, as she is now, and her history; a minute passes with each step."""

    settings: Settings
    member: Member | None = None
    now: datetime = NOW
    entries: list[Json] = field(default_factory=list)
    pools: dict[str, Pool] = field(default_factory=dict)

    @property
    def ada(self) -> Member:
        assert self.member
        return self.member

    @property
    def values(self) -> Json:
        return values_of(self.ada)

    def read(self, run: str, *matches: str, **fields: Any) -> UserChange:
        """Return Ada as Salesforce shows her now."""
        self.now += timedelta(minutes=1)
        shown = change(31, self.settings, **fields)
        return replace(
            shown,
            run=f"run:{run}",
            matches=frozenset(matches),
            source=read_version(shown.fields, self.now),
            fields_digest=str(sorted(shown.fields.items())),
        )

    def known(self, manager: str | None = None) -> Known:
        if self.member is None:
            return Known(manager=manager)
        link = Link(crm_id=ADA, member=self.member.id, revision=1)
        return Known(link=link, member=self.member, manager=manager)

    def imported(self, run: str, *matches: str, manager: str | None = None, **fields: Any) -> Decision:
        read = self.read(run, *matches, **fields)
        decision = salesforce_lifecycle.decide(read, self.known(manager), self.settings, self.pools, self.now)
        return self._written(decision)

    def edited(self, **edit: Any) -> None:
        self.now += timedelta(minutes=1)
        decision, _ = member_edits.decide(
            self.ada,
            member_edits.read({"member": self.ada.id, **edit}),
            Editor(JANE),
            Others(),
            self.settings,
            self.pools,
            self.now,
            "edit:1",
        )
        self._written(decision)

    def requested(self, feature: str, group: str | None) -> None:
        self.now += timedelta(minutes=1)
        asked = group_requests.read(
            {
                "member": self.ada.id,
                "action": "assign" if group else "remove",
                "feature": feature,
                **({"group": group} if group else {}),
            }
        )
        self._written(group_requests.decide(self.ada, asked, JANE, self.settings, self.now, "groups:1"))

    def became(self, run: str, origin: str = "", **attributes: Any) -> None:
        """Record what a push, say, has made of Ada."""
        self.now += timedelta(minutes=1)
        after = changed(self.ada, **attributes)
        self._written(
            salesforce_lifecycle.recorded(
                self.ada,
                after,
                Outcome.UPDATED,
                self.settings,
                self.now,
                origin or f"run:{run}",
                f"run:{run}",
            )
        )

    def undo(
        self,
        run: str,
        *matches: str,
        shown: bool = True,
        of_a_push: bool = False,
        manager: str | None = None,
        above: tuple[Member, ...] = (),
        **fields: Any,
    ) -> Reversal:
        """Undo a run, with what Salesforce says now, and write it."""
        read = self.read("undo", *matches, **fields) if shown else None
        found = reversal.decide(
            undone(self.ada.id, self.entries, f"run:{run}"),
            read,
            self.known(manager),
            lambda _: above,
            self.settings,
            self.pools,
            self.now,
            Asked(JANE, "run:undo", of_a_push),
        )
        self._written(found.decision)
        return found

    def _written(self, decision: Decision) -> Decision:
        if decision.after:
            before = self.member.revision if self.member else 0
            self.member = replace(decision.after, revision=before + 1)
        if decision.history:
            self.entries.append(asdict(decision.history))
        return decision


def held(found: Reversal) -> list[tuple[str, str]]:
    """Return what is held back: where, and the first words of why."""
    return [(each.where, " ".join(each.message.split()[:3])) for each in found.held]


def all_of(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{each.where} {each.message}" for each in problems]
