"""Notifies managers about new members of their teams, by e-mail, at the end of each import (N1).

Newcomers, from the webhook or an import, are collected into the outbox, one mail per manager. Then the
outbox is sent, including mails that earlier runs could not send. Safe to repeat and to interrupt
anywhere: nobody is lost, nobody is in two mails. A mail that is interrupted while it is sent may go out
twice, because SES does not recognise duplicates.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched

from muster.error_log import LogEntry, entry_of
from muster.errors import MusterError, Problem, Rejected
from muster.imports.manager_mails import NAMED, PendingMail, address_of, compose
from muster.imports.ports import Mail, Outbox
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.runs.clock import MARGIN_S
from muster.settings import Settings
from muster.times import timestamp

# A member can be created before its manager. The daily full import has both, and one of those may fail.
MANAGER_COMES_WITHIN = timedelta(days=2)
GIVEN_UP_AFTER = timedelta(days=3)
# The run's lease is held meanwhile, and the next import waits for it: stop after this long.
SENDING_S = 300


@dataclass(slots=True)
class MailSummary:
    """The result of notifying: mails by outcome, and failures by reason.

    `waiting` mails stay in the outbox for the next run.
    """

    sent: int = 0
    waiting: int = 0
    given_up: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ManagerNotifier:
    """Sends mails to managers; `now` is aware, `remaining` returns the seconds left.

    Without `mail`, or with `managers.notify` off, nothing is sent and the outbox is emptied: a mail months
    later would be about people the manager knows well.
    """

    outbox: Outbox
    mail: Mail | None
    roster: Roster
    now: datetime
    remaining: Callable[[], float]

    def notify(self, settings: Settings, run: str, new_since: float | None = 0) -> MailSummary:
        """Notify as many managers as there is time for; failures are in the summary, never raised.

        Who came no later than `new_since` (epoch seconds; `None`: whoever came) is announced to nobody: who
        is there when an organization begins is no newcomer (I13).
        """
        summary = MailSummary()
        stop_at = max(MARGIN_S, self.remaining() - SENDING_S)
        try:
            if settings.managers.notify and self.mail:
                self._collect(settings.organization, run, new_since, stop_at)
                self._send(settings, self.mail, summary, stop_at)
            else:
                self._forget_all(settings.organization)
        except MusterError as error:
            summary.failures[str(error)] += 1
        return summary

    def _forget_all(self, organization: str) -> None:
        self.outbox.forget(organization, self.outbox.newcomers(organization))
        for mail in self.outbox.mails(organization):
            self.outbox.remove(organization, mail)

    # ── Into the outbox ──────────────────────────────────────────────────────────────────────────

    def _collect(self, organization: str, run: str, new_since: float | None, stop_at: float) -> None:
        """Move newcomers into mails to their managers; forget those whose manager gets no mail."""
        came = self.outbox.newcomers(organization)
        new = {} if new_since is None else {each: at for each, at in came.items() if at > new_since}
        self.outbox.forget(organization, came.keys() - new.keys())
        teams, forgotten = self._teams(organization, new, stop_at)
        for manager, member in self._looked_up(organization, teams, stop_at):
            if address_of(member) and self.outbox.has_recorded_team(organization, manager):
                self.outbox.put(organization, run, manager, teams[manager], self.now.timestamp())
            else:
                forgotten += teams[manager]
        self.outbox.forget(organization, forgotten)

    def _teams(
        self, organization: str, since: Mapping[str, float], stop_at: float
    ) -> tuple[dict[str, list[str]], list[str]]:
        """Return the newcomers by manager, and those about whom nobody is notified.

        `since` is when each came. Newcomers whose manager in Salesforce is not in the roster yet are in
        neither: they wait.
        """
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
        """Yield the members with these ids, as many as there is time for; the next run does the others."""
        for some in batched(ids, LOOKED_UP_AT_ONCE, strict=False):
            if self.remaining() < stop_at:
                return
            members = self.roster.members(organization, some)
            for each in some:
                yield each, members.get(each)

    # ── Out of the outbox ────────────────────────────────────────────────────────────────────────

    def _send(self, settings: Settings, mail: Mail, summary: MailSummary, stop_at: float) -> None:
        """Send each manager their mails as one, until time is up or SES refuses all."""
        organization = settings.organization
        unsent: dict[str, list[PendingMail]] = defaultdict(list)
        for pending in self.outbox.mails(organization):
            unsent[pending.manager].append(pending)
        why: dict[str, str] = {}
        for manager, mails in list(unsent.items()):
            if self.remaining() < stop_at:
                break
            try:
                summary.sent += self._send_one(settings, mail, manager, mails)
                del unsent[manager]
            except MusterError as error:
                summary.failures[str(error)] += 1
                why[manager] = str(error)
                if not isinstance(error, Rejected):
                    break
        self._give_up(organization, unsent, why, summary)

    def _send_one(self, settings: Settings, mail: Mail, manager: str, mails: Sequence[PendingMail]) -> bool:
        """Send mails as one and remove them; returns whether a mail went out."""
        organization = settings.organization
        named = [newcomer for each in mails for newcomer in each.named][:NAMED]
        more = sum(each.newcomers for each in mails) - len(named)
        members = self.roster.members(organization, [manager, *named])
        newcomers = [members[each] for each in named if each in members and members[each].active]
        address = address_of(members.get(manager))
        is_sent = address is not None and bool(newcomers or more)
        if address and is_sent:
            message = compose(members[manager], newcomers, more, settings)
            mail.send(address, message.subject, message.text, message.html)
        for each in mails:
            self.outbox.remove(organization, each)
        return is_sent

    def _give_up(
        self,
        organization: str,
        unsent: Mapping[str, Sequence[PendingMail]],
        why: Mapping[str, str],
        summary: MailSummary,
    ) -> None:
        """Move mails that could not be sent for days to the error log; the rest wait for the next run."""
        too_old = (self.now - GIVEN_UP_AFTER).timestamp()
        for manager, mails in unsent.items():
            for mail in mails:
                if mail.since >= too_old:
                    summary.waiting += 1
                    continue
                entry = self._entry(mail, why.get(manager, "others were sent first"))
                self.roster.park(organization, [entry], self.now.timestamp())
                self.outbox.remove(organization, mail)
                summary.given_up += 1

    def _entry(self, mail: PendingMail, why: str) -> LogEntry:
        problem = Problem(
            "the manager",
            f"was not told of {mail.newcomers} new members: {why}",
            "Tell the manager, and check SES: is MailFrom verified, is the account out of its sandbox?",
        )
        return entry_of(
            problem,
            at=timestamp(self.now),
            system="mail",
            code="mail_given_up",
            notification=f"{mail.run}#{mail.manager}",
            record=mail.manager,
        )
