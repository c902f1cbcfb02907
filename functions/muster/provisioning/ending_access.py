"""The account of a member who has left, closed at once, read back and recorded, beside any push (O4, W10).

Groups are left as they are: one writer a group, and that is the push, for which the member stays due. It does
not matter where this is interrupted: the account is then closed again, or by the next push.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from muster.errors import Misconfigured, MusterError, Problem, Rejected, Unavailable
from muster.provisioning import account_errors, leaver_accounts
from muster.provisioning.bringing_in_line import Case, Provisioning
from muster.provisioning.first_contact import Roster as Accounts
from muster.provisioning.ports import Ports, Target
from muster.provisioning.step_outcomes import NOT_SHOWN
from muster.roster.accounts import NO_ACCOUNT, Account
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.writing_members import Change, MemberWriter
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

# In the history: who set it, and what led to it.
ORIGIN, CAUSE = "push", "leaving"


class Ended(StrEnum):
    """What has become of an account."""

    CLOSED = "closed"  # the app shows that it lets nobody in
    NOT_SHOWN = "not_shown"  # the app has said so, and does not show it
    LEFT = "left"  # the next push has to do it
    AGAIN = "again"  # it can be tried again by and by


@dataclass(slots=True)
class AccessEnding:
    """Closes accounts of one organization; `now` returns the time (aware), `why` is of the last failure."""

    settings: Settings
    roster: Roster
    now: Callable[[], datetime]
    why: MusterError | None = field(default=None, init=False)
    # What the app was told and has shown last.
    _account: Account = field(default=NO_ACCOUNT, init=False)

    def apps(self, member: Member) -> list[TargetConnection]:
        """Return the apps in which something of a member who has left is to be closed now."""
        at = timestamp(self.now())
        return [
            connection
            for key, connection in self.settings.connections.targets()
            if leaver_accounts.is_to_be_closed(member.accounts.get(key, NO_ACCOUNT), connection, at)
        ]

    def close(self, member: Member, connection: TargetConnection, app: Target) -> Ended:
        """Close the account in one app, and record it; raises `Unavailable` where the roster cannot be."""
        before = self._account = member.accounts.get(connection.key, NO_ACCOUNT)
        at = timestamp(self.now())
        provisioning = Provisioning(
            Ports(
                target=app,
                groups={},
                record=self._note,
                record_group=lambda name, group: None,
                tell=lambda _, problem: self._tell(connection, member.id, problem),
            ),
            connection,
            self._accounts(connection),
            at,
        )
        self.why = None
        try:
            provisioning.end_access(Case(member.id, before, None))
        except (Unavailable, Misconfigured, Rejected) as error:
            self.why = error
        self._record(member, connection, before)
        if isinstance(self.why, Unavailable):
            return Ended.AGAIN
        return Ended.LEFT if self.why else _ended(self._account)

    def look_again(self, member: Member) -> None:
        """Have the next push look at the accounts of a member who has come back.

        Until just now the member had left, and somebody may have closed them who did not get to record it.
        """
        changes = {
            key: account
            for key, connection in self.settings.connections.targets()
            if (account := member.accounts.get(key)) and account.system in ("", connection.leads_to)
        }

        def change(there: Member) -> Member:
            accounts = {
                key: leaver_accounts.possibly_closed(account) if key in changes else account
                for key, account in there.accounts.items()
            }
            return replace(there, accounts=accounts)

        if changes:
            self._write(member, change)

    def _note(self, accounts: Mapping[str, Account]) -> None:
        (self._account,) = accounts.values()

    def _tell(self, connection: TargetConnection, member: str, problem: Problem) -> None:
        at = self.now()
        entry = account_errors.of_account(connection, member, self._account, timestamp(at), CAUSE)
        self.roster.park(self.settings.organization, [entry], at.timestamp())

    def _record(self, member: Member, connection: TargetConnection, before: Account) -> None:
        key = connection.key
        account = replace(self._account, system=connection.leads_to)

        def change(there: Member) -> Member:
            by_now = there.accounts.get(key, NO_ACCOUNT)
            after = leaver_accounts.recorded(account, before, by_now)
            return there if after == by_now else replace(there, accounts={**there.accounts, key: after})

        if self._account != before:
            self._write(member, change)

    def _write(self, member: Member, change: Change) -> None:
        writer = MemberWriter(self.settings, self.roster, self.now(), None, ORIGIN, CAUSE)
        writer.write({member.id: change})

    def _accounts(self, connection: TargetConnection) -> Accounts:
        organization, key, roster = self.settings.organization, connection.key, self.roster
        return Accounts(
            lambda account: roster.account_members(organization, key, [account]).get(account),
            lambda external_id: external_id in roster.members(organization, [external_id]),
        )


def _ended(account: Account) -> Ended:
    if account.is_linked and account.active is False:
        return Ended.NOT_SHOWN if account.why == NOT_SHOWN else Ended.CLOSED
    # What was refused or is somebody else's is told; what is hidden has to be looked for.
    return Ended.AGAIN if account.is_linked and account.id and not account.tries else Ended.LEFT
