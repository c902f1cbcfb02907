"""Managers told about the new members of their teams, by e-mail, at the end of each import (N1).

Newcomers, whether they came by webhook or by import, are collected into the outbox, one mail per
manager; then what is in the outbox is sent, also what earlier runs could not send. Safe to repeat and
to interrupt anywhere: nobody is lost, nobody is in two mails. A mail whose sending is interrupted may
go out twice, for SES cannot tell whether it has seen one before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched

from muster.error_log import LogEntry, entry_of
from muster.errors import MusterError, Problem, Rejected
from muster.imports.manager_mails import NAMED, PendingMail, address_of, written
from muster.imports.ports import Mail, Outbox
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.runs.clock import MARGIN_S
from muster.settings import Settings
from muster.times import timestamp

# A new member can come before its manager. The daily full import knows both, and one of them may fail.
MANAGER_COMES_WITHIN = timedelta(days=2)
GIVEN_UP_AFTER = timedelta(days=3)
# The run's lease is held meanwhile, and the next import waits for it.
TELLING_S = 300


@dataclass(slots=True)
class Told:
    """What telling came to: mails by what became of them, and how often it failed for which reason.

    `waiting` mails are left in the outbox for the next run.
    """

    sent: int = 0
    waiting: int = 0
    given_up: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Notifying:
    """Tells managers, with the settings in force; `now` is aware, `remaining` answers seconds.

    Without `mail` nobody is told, as with `managers.notify` off: whoever was going to be is forgotten,
    lest months later managers are told about people they know well.
    """

    outbox: Outbox
    mail: Mail | None
    roster: Roster
    now: datetime
    remaining: Callable[[], float]

    def notify(self, settings: Settings, run: str) -> Told:
        """Tell as many managers as there is time for; what fails is in the answer, never raised."""
        told = Told()
        stop_at = max(MARGIN_S, self.remaining() - TELLING_S)
        try:
            if settings.managers.notify and self.mail:
                self._collect(settings.organization, run, stop_at)
                self._send(settings, self.mail, told, stop_at)
            else:
                self._forget_all(settings.organization)
        except MusterError as error:
            told.failures[str(error)] += 1
        return told

    def _forget_all(self, organization: str) -> None:
        self.outbox.forget(organization, self.outbox.newcomers(organization))
        for mail in self.outbox.mails(organization):
            self.outbox.remove(organization, mail)

    # ── Into the outbox ──────────────────────────────────────────────────────────────────────────

    def _collect(self, organization: str, run: str, stop_at: float) -> None:
        """Move the newcomers of managers who are to be told into mails; forget the others'."""
        teams, forgotten = self._teams(organization, stop_at)
        for manager, member in self._looked_up(organization, teams, stop_at):
            if address_of(member) and self.outbox.has_recorded_team(organization, manager):
                self.outbox.put(organization, run, manager, teams[manager], self.now.timestamp())
            else:
                forgotten += teams[manager]
        self.outbox.forget(organization, forgotten)

    def _teams(self, organization: str, stop_at: float) -> tuple[dict[str, list[str]], list[str]]:
        """Return the newcomers by manager, and those of whom nobody is to be told.

        In neither is who has a manager in Salesforce that is not in the roster yet.
        """
        since = self.outbox.newcomers(organization)
        waits_from = (self.now - MANAGER_COMES_WITHIN).timestamp()
        teams: dict[str, list[str]] = defaultdict(list)
        forgotten = []
        for newcomer, member in self._looked_up(organization, since, stop_at):
            if member is None or not member.active:
                forgotten.append(newcomer)
            elif member.manager:
                teams[member.manager].append(newcomer)
            elif member.reports_to is None or since[newcomer] < waits_from:
                forgotten.append(newcomer)
        return teams, forgotten

    def _looked_up(
        self, organization: str, ids: Iterable[str], stop_at: float
    ) -> Iterator[tuple[str, Member | None]]:
        """Yield the members of these ids, as many as there is time for; the next run has the others."""
        for some in batched(ids, LOOKED_UP_AT_ONCE, strict=False):
            if self.remaining() < stop_at:
                return
            members = self.roster.members(organization, some)
            for each in some:
                yield each, members.get(each)

    # ── Out of the outbox ────────────────────────────────────────────────────────────────────────

    def _send(self, settings: Settings, mail: Mail, told: Told, stop_at: float) -> None:
        """Send each manager what is there for them, as one mail, until SES has enough."""
        organization = settings.organization
        unsent: dict[str, list[PendingMail]] = defaultdict(list)
        for pending in self.outbox.mails(organization):
            unsent[pending.manager].append(pending)
        why: dict[str, str] = {}
        for manager, mails in list(unsent.items()):
            if self.remaining() < stop_at:
                break
            try:
                told.sent += self._send_one(settings, mail, manager, mails)
                del unsent[manager]
            except MusterError as error:
                told.failures[str(error)] += 1
                why[manager] = str(error)
                if not isinstance(error, Rejected):
                    break
        self._give_up(organization, unsent, why, told)

    def _send_one(self, settings: Settings, mail: Mail, manager: str, mails: Sequence[PendingMail]) -> bool:
        """Send mails as one and take them out; tell whether there was anybody to tell anything."""
        organization = settings.organization
        named = [newcomer for each in mails for newcomer in each.named][:NAMED]
        more = sum(each.newcomers for each in mails) - len(named)
        members = self.roster.members(organization, [manager, *named])
        newcomers = [members[each] for each in named if each in members and members[each].active]
        address = address_of(members.get(manager))
        is_told = address is not None and bool(newcomers or more)
        if address and is_told:
            message = written(members[manager], newcomers, more, settings)
            mail.send(address, message.subject, message.text, message.html)
        for each in mails:
            self.outbox.remove(organization, each)
        return is_told

    def _give_up(
        self,
        organization: str,
        unsent: Mapping[str, Sequence[PendingMail]],
        why: Mapping[str, str],
        told: Told,
    ) -> None:
        """Put into the error log what could not be sent for days; the rest waits for the next run."""
        too_old = (self.now - GIVEN_UP_AFTER).timestamp()
        for manager, mails in unsent.items():
            for mail in mails:
                if mail.since >= too_old:
                    told.waiting += 1
                    continue
                entry = self._entry(mail, why.get(manager, "others were sent first"))
                self.roster.park(organization, [entry], self.now.timestamp())
                self.outbox.remove(organization, mail)
                told.given_up += 1

    def _entry(self, mail: PendingMail, why: str) -> LogEntry:
        problem = Problem(
            "the manager",
            f"was not told of {mail.newcomers} new members: {why}",
            "Tell them, and look into SES: is MailFrom verified, is the account out of its sandbox?",
        )
        return entry_of(
            problem,
            at=timestamp(self.now),
            system="mail",
            code="mail_given_up",
            notification=f"{mail.run}#{mail.manager}",
            record=mail.manager,
        )
