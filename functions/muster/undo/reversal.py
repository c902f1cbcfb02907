"""How what a run changed about one member is put back: through the rules in force, never around them (Q2).

`decide` is the one place, when planning and when applying. What is as it was before the run, or was changed
since, is left alone. What Salesforce and the assignments decide is evaluated by what Salesforce says now: it
is put back where that is again what was before; else the next import would do the same again. What people set
by hand is put back as an edit. Pure: no I/O, no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from muster.errors import Problem
from muster.roster import end_dates, salesforce_lifecycle, seats
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.entitlements import MANUAL
from muster.roster.history import differences, values_of
from muster.roster.member import Json, Member
from muster.roster.reasons import ERASED
from muster.roster.seats import Pools
from muster.runs.kinds import PUSH
from muster.runs.run import Run
from muster.settings import Settings
from muster.sources.user_changes import UserChange
from muster.undo import held_back
from muster.undo.by_hand import Above, Edited, Hand
from muster.undo.topics import (
    ACTIVE,
    ASSIGNMENT,
    ATTRIBUTE,
    BY_HAND,
    CAPTURE,
    END_DATE,
    GRANTS,
    IN_VAULT,
    MANAGER,
    REQUEST,
    SEATS,
    STATUS,
    WORKSPACES,
    Standing,
    Topic,
    topics_named,
    topics_of,
)
from muster.undo.undone import Undone


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for the undo, in which run (`run:<id>`), and whether it was a push that is undone."""

    by: str
    run: str
    of_a_push: bool = False

    @classmethod
    def by_run(cls, run: Run) -> Self:
        """Return what a run that is an undo says of that."""
        return cls(run.by or "", f"run:{run.id}", of_a_push=run.undoes_kind == PUSH.name)


@dataclass(frozen=True, slots=True)
class Reversal:
    """What is written to put back what a run changed about a member, and what cannot be put back, and why."""

    decision: Decision
    held: tuple[Problem, ...] = ()


def decide(
    undone: Undone,
    change: UserChange | None,
    known: Known,
    above: Above,
    settings: Settings,
    pools: Pools,
    now: datetime,
    asked: Asked,
) -> Reversal:
    """Return what putting back comes to for a member; `change` is its user as Salesforce shows it now."""
    member = known.member
    if member is None or member.id != undone.member:
        return Reversal(Decision(outcome=Outcome.UNCHANGED, before=member), (held_back.gone(),))
    if member.inactive_reason == ERASED:
        return Reversal(Decision(outcome=Outcome.UNCHANGED, before=member), (held_back.erased(),))
    hand = Hand(by=asked.by, run=asked.run, now=now, settings=settings, pools=pools, above=above)
    putting = _PuttingBack(undone, change, known, hand, asked, Edited(member, hand, []))
    return putting.reversal(member)


@dataclass(slots=True)
class _PuttingBack:
    """One member on its way back."""

    undone: Undone
    change: UserChange | None
    known: Known
    hand: Hand
    asked: Asked
    edited: Edited
    evaluated: Decision | None = None
    # Why the member is not active, as evaluated now.
    reason: str | None = None

    def reversal(self, member: Member) -> Reversal:
        values = values_of(member)
        was = self.undone.before(values)
        standings = {topic: self._standing(topic, values, was) for topic in self._topics()}
        overtaken = [topic for topic, each in standings.items() if each is Standing.OVERTAKEN]
        left = [topic for topic, each in standings.items() if each is Standing.OPEN]
        self.edited.held += held_back.overtaken(self._without_consequences(overtaken), self.undone)
        if served := self._served(values):
            self.edited.held.append(held_back.served(served))
        left = self._by_hand_first(left, was)
        if any(topic.kind != IN_VAULT for topic in left):
            left = self._by_the_rules(left, overtaken, was)
        self._by_hand(left, was)
        if self.asked.of_a_push:
            self._asked_back(member, was)
        return Reversal(self._decision(member), tuple(self.edited.held))

    def _standing(self, topic: Topic, values: Json, was: Json) -> Standing:
        """Return how a topic stands: what a manual assignment gave anew since nobody has decided (A5).

        It gives once to whoever comes back, after the run had taken away what was edited there.
        """
        found = topic.standing(self.undone, values)
        member = self.edited.member
        if found is not Standing.OVERTAKEN or topic.kind not in GRANTS or member.update_mode != MANUAL:
            return found
        by_hand = any(name in self.undone.later and self.undone.later[name].by_hand for name in topic.fields)
        return found if by_hand or member.assignment != was.get(ASSIGNMENT) else Standing.OPEN

    def _topics(self) -> list[Topic]:
        """Return what is to be put back as it was; what was sent to Vault CRM is asked back instead."""
        found = topics_of(self.undone)
        if not self.asked.of_a_push:
            return found
        of_requests = [topic for topic in found if topic.kind in (REQUEST, IN_VAULT)]
        return [topic for topic in found if topic not in of_requests or topic.key not in self.undone.sent]

    def _served(self, values: Json) -> list[Topic]:
        """Return the seats that the run gave from a line, and that are held still: they are kept."""
        given = (each.field for each in self.undone.changes if each.before and each.after == seats.HELD)
        topics = [topic for topic in topics_named(given) if topic.kind == SEATS]
        return [topic for topic in topics if values.get(topic.fields[0]) == seats.HELD]

    # ── What was set by hand, and decides whether the member is active ───────────────────────────────

    def _by_hand_first(self, topics: Sequence[Topic], was: Json) -> list[Topic]:
        """Put back status and end date (A16), and return what is left to put back."""
        mine = [topic for topic in topics if topic.kind in BY_HAND]
        others = [topic for topic in topics if topic.kind not in BY_HAND]
        today = end_dates.today(self.hand.now, self.hand.settings.time_zone)
        member = self.edited.member
        values: dict[str, Any] = {topic.name: was.get(topic.name) for topic in mine}
        would_be = replace(member, **values)
        opened = any(topic.kind == ACTIVE and not topic.value(was) for topic in others)
        if mine and opened and member.active and end_dates.closed_by_hand(would_be, today):
            self.edited.held.append(held_back.would_close(mine))
        elif self.asked.of_a_push and end_dates.is_ended(member, today):
            status = [topic for topic in mine if topic.kind == STATUS]
            self.edited.held += [held_back.follows_end_date(status, member.end_date)] if status else []
            self.edited.values([topic for topic in mine if topic.kind == END_DATE], was)
        else:
            self.edited.values(mine, was)
        return others

    def _without_consequences(self, topics: Sequence[Topic]) -> list[Topic]:
        """Return these without the status and group of a feature whose request the run changed too."""
        requests = {topic.key for topic in topics_of(self.undone) if topic.kind == REQUEST}
        return [topic for topic in topics if topic.kind != IN_VAULT or topic.key not in requests]

    # ── What Salesforce and the assignments decide ───────────────────────────────────────────────────

    def _by_the_rules(self, topics: Sequence[Topic], overtaken: Sequence[Topic], was: Json) -> list[Topic]:
        """Evaluate the member, take what puts something back, and return what is left to put back."""
        before = values_of(self.edited.member)
        decision = self._decided()
        candidate = decision.after if decision and decision.after else self.edited.member
        self.reason = candidate.inactive_reason
        values = values_of(candidate)
        back = [topic for topic in topics if topic.value(before) != topic.value(was) == topic.value(values)]
        closes = not candidate.active and self.edited.member.active
        since = [*overtaken, *topics_named(name for name, each in self.undone.later.items() if each.by_hand)]
        others = [topic for topic in since if topic.value(values) != topic.value(before)]
        let_in = any(topic.kind == ACTIVE and not topic.value(was) for topic in topics)
        if back and others:
            self.edited.held.append(held_back.would_overwrite(back, others))
            topics = [topic for topic in topics if topic not in back]
        elif back and closes and not let_in:
            self.edited.held.append(held_back.closes(back, candidate.inactive_reason))
            topics = [topic for topic in topics if topic not in back]
        elif back:
            self._take(decision, candidate, topics, was)
            topics = [*topics, *_seeded(before, values, candidate, topics)]
        now = values_of(self.edited.member)
        return [topic for topic in topics if topic.value(now) != topic.value(was)]

    def _decided(self) -> Decision | None:
        if self.change is None:
            return None
        hand, known = self.hand, replace(self.known, member=self.edited.member)
        return salesforce_lifecycle.decide(self.change, known, hand.settings, hand.pools, hand.now)

    def _take(self, decision: Decision | None, candidate: Member, topics: Sequence[Topic], was: Json) -> None:
        pools = seats.moved(self.hand.pools, seats.moves(self.edited.member.seats, candidate.seats))
        self.evaluated = decision
        self.edited.member = candidate
        self.edited.hand = replace(self.hand, pools=pools)
        places = values_of(candidate)
        held = [topic for topic in topics if topic.kind == SEATS and was.get(topic.fields[0]) == seats.HELD]
        if waiting := [topic for topic in held if places.get(topic.fields[0]) == seats.WAITING]:
            self.edited.held.append(held_back.in_line(waiting))

    # ── What is left: by hand, or held back ──────────────────────────────────────────────────────────

    def _by_hand(self, topics: Sequence[Topic], was: Json) -> None:
        membership = [topic for topic in topics if topic.kind == ACTIVE]
        if membership:
            self.edited.held.append(self._membership(membership, was))
            # What whoever is in, or out, has and goes by follows from that.
            topics = [topic for topic in topics if topic.kind == MANAGER and self._is_free_to_choose()]
        governed = [topic for topic in topics if topic.kind == ATTRIBUTE]
        if any(topic.name == ASSIGNMENT for topic in governed):
            # So does what came with the other assignment.
            governed += [topic for topic in topics if topic.kind in (*GRANTS, REQUEST)]
            topics = [topic for topic in topics if topic.kind not in (*GRANTS, REQUEST)]
        of = {kind: [topic for topic in topics if topic.kind == kind] for kind in (*GRANTS, REQUEST, MANAGER)}
        if self._is_free_to_choose():
            self.edited.values(of[MANAGER], was)
        else:
            governed += of[MANAGER]
        self.edited.seats(of[SEATS], was)
        self.edited.workspaces(of[WORKSPACES], was)
        self.edited.capture(of[CAPTURE], was)
        for topic in of[REQUEST]:
            self.edited.request(topic, was.get(topic.name))
        if governed and self.change is None:
            self.edited.held.append(held_back.not_shown(governed))
        elif governed:
            self.edited.held.append(held_back.governed(governed, self.edited.member.assignment))
        shown = [topic for topic in self._without_consequences(topics) if topic.kind == IN_VAULT]
        if shown:
            self.edited.held.append(held_back.shown_by_vault(shown))

    def _is_free_to_choose(self) -> bool:
        return self.hand.settings.ignore_organizational_structure

    def _membership(self, topics: Sequence[Topic], was: Json) -> Problem:
        if self.change is None:
            return held_back.not_shown(topics)
        if topics[0].value(was):
            return held_back.stays_out(self.reason)
        return held_back.stays_in(self.edited.member.assignment)

    # ── What a push has sent ─────────────────────────────────────────────────────────────────────────

    def _asked_back(self, member: Member, was: Json) -> None:
        """Ask for the groups that were requested before the push, or that the member was in (G6)."""
        taken_over = {change.field for change in self.undone.changes}
        for feature in self.undone.sent:
            topic = Topic(REQUEST, f"{feature}.request", feature)
            group = was.get(topic.name if topic.name in taken_over else f"{feature}.group")
            if topic.name in self.undone.later and topic.value(values_of(member)) != group:
                self.edited.held += held_back.overtaken([topic], self.undone)
            else:
                self.edited.request(topic, group)

    # ── What is written ──────────────────────────────────────────────────────────────────────────────

    def _decision(self, member: Member) -> Decision:
        """Return the decision to write all this at once, under the conditions of all that led to it."""
        after = self.edited.member
        if after == member:
            return Decision(outcome=Outcome.UNCHANGED, before=member)
        if after.active != member.active:
            outcome = Outcome.REACTIVATED if after.active else Outcome.DEACTIVATED
        else:
            outcome = Outcome.UPDATED
        # Each step counted its own version.
        after = replace(
            after, version=member.version, updated_at=member.updated_at, inactive_since=member.inactive_since
        )
        recorded = salesforce_lifecycle.recorded(
            member,
            after,
            outcome,
            self.hand.settings,
            self.hand.now,
            f"manual:{self.asked.by}",
            self.asked.run,
        )
        conditions = self.evaluated or recorded
        return replace(
            conditions,
            outcome=recorded.outcome,
            before=member,
            after=recorded.after,
            history=recorded.history,
            limits=recorded.limits,
            unchanged=(*conditions.unchanged, *self.edited.unchanged),
        )


def _seeded(before: Json, after: Json, candidate: Member, topics: Sequence[Topic]) -> list[Topic]:
    """Return what a manual assignment gives anew beside these: it gives once to whoever comes back (A5)."""
    if candidate.update_mode != MANUAL:
        return []
    given = topics_named(change.field for change in differences(before, after))
    return [topic for topic in given if topic.kind in (*GRANTS, REQUEST) and topic not in topics]
