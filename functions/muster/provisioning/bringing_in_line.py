"""A chunk of members brought in line with a SCIM target, each step recorded before the next (O2, O3).

Those who leave come first: their licences are free for the others. Who is made or let in, or gets another
address, of which some apps make a second account, is recorded before it is sent, so that nobody gets in
without a trace; everything else says what is to be, and is harmless to repeat.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from muster.crm import scim_attributes
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_attributes import EXTERNAL_ID, USER_NAME, Values
from muster.crm.scim_resources import USERS, Resource
from muster.errors import MusterError, OutcomeUnknown, Problem
from muster.provisioning import closing_others, first_contact, other_accounts, step_outcomes
from muster.provisioning.differences import DECISIVE, Kind, Step, difference
from muster.provisioning.first_contact import Found, Roster
from muster.provisioning.group_changes import group_changes
from muster.provisioning.grouping import Groups
from muster.provisioning.looking import Lookup
from muster.provisioning.ports import Ports
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import Account
from muster.runs.clock import OutOfTime
from muster.settings.target_connection import TargetConnection

_GROUPING = frozenset({Kind.LEAVE, Kind.JOIN})
_OTHERS = frozenset(Kind) - _GROUPING
_OPENING = frozenset({Kind.CREATE, Kind.ACTIVATE})
_ENDING = frozenset({Kind.LOOK, Kind.DEACTIVATE, Kind.DELETE, Kind.READ_BACK})
# So many are recorded at once as to be made or let in: so many are looked for where a push dies among them.
_OPENED_AT_ONCE = 10
# How often a push does the same to one account: it looks again for who has a name that is taken.
_MOST = {Kind.LOOK: 3}


@dataclass(slots=True)
class Case:
    """A member by its id, its account as it is now, and what it is to have.

    `has_looked`: this push has looked for the account, and found none.
    """

    member: str
    account: Account
    wanted: WantedAccount | None
    has_looked: bool = False


class Provisioning:
    """Carries out what members differ by from what was sent to one target."""

    def __init__(self, ports: Ports, connection: TargetConnection, roster: Roster, at: str) -> None:
        """Begin a push at a moment (ISO 8601); `roster` says who is whose already."""
        self._ports = replace(ports, record_group=self._record_group)
        self._store_group = ports.record_group
        self._cases: Sequence[Case] = ()
        self._connection = connection
        self._roster = Roster(self._member_of, roster.is_member)
        self._linked_before = roster.taken
        # Accounts linked by this push, by their ids.
        self._linked: dict[str, str] = {}
        self._at = at
        self._lookup = Lookup(ports.target, connection.dialect)
        self._group_ids = dict(ports.groups)
        # Who is to be made or let in next, by member: the account as that was recorded, and is not sent yet.
        self._intended: dict[str, Account] = {}

    def carry_out(self, cases: Sequence[Case]) -> None:
        """Carry out all that can be done for these members now; their accounts are updated on the way."""
        self._cases = cases
        leaving = [case for case in cases if case.wanted is None]
        staying = [case for case in cases if case.wanted is not None]
        unknown = [case for case in staying if self._is_to_be_looked_for(case)]
        self._lookup.expect({case.member: case.wanted.user_name for case in unknown if case.wanted})
        for some in (leaving, staying):
            for case in some:
                self._advance(case, {Kind.LOOK})
            self._regroup(some, Kind.LEAVE)
            for few in batched(some, _OPENED_AT_ONCE, strict=False):
                self._advance_together(few)
            self._regroup(some, Kind.JOIN)

    def end_access(self, case: Case) -> None:
        """Close the account of a member who has left, and read that back; groups are left as they are.

        An account whose id is not known is looked for only where none is made: so it is not one just made.
        """
        done: Counter[tuple[Kind, str]] = Counter()
        while step := self._next(case, _ENDING, done):
            if step.kind is Kind.LOOK and not case.account.id and not self._connection.only_ends_access:
                return
            self._take(case, step, done)

    def _is_to_be_looked_for(self, case: Case) -> bool:
        return not case.account.id and any(step.kind is Kind.LOOK for step in self._difference(case))

    # ── Accounts ─────────────────────────────────────────────────────────────────────────────────────

    def _advance_together(self, cases: Sequence[Case]) -> None:
        """Advance some; that some of them are to be made or let in is recorded at once, before any is."""
        self._intended = {
            case.member: step_outcomes.intended(case.account, step, case.wanted)
            for case in cases
            if (step := self._next(case, _OTHERS, Counter())) and step.kind in _OPENING
        }
        if self._intended:
            self._ports.record(self._intended)
        try:
            for case in cases:
                self._advance(case, _OTHERS)
        except (MusterError, OutOfTime):
            # What was not sent was not begun: by the next push somebody else may have made that account.
            if not_sent := {case.member: case.account for case in cases if case.member in self._intended}:
                self._ports.record(not_sent)
            raise

    def _advance(self, case: Case, kinds: Collection[Kind]) -> None:
        """Carry out the steps of these kinds, as long as each of them comes to something."""
        done: Counter[tuple[Kind, str]] = Counter()
        while step := self._next(case, kinds, done):
            self._take(case, step, done)

    def _take(self, case: Case, step: Step, done: Counter[tuple[Kind, str]]) -> None:
        done[step.kind, case.account.id] += 1
        before = case.account
        self._carry_out_one(case, step)
        case.has_looked = step.kind is Kind.LOOK and not case.account.is_linked
        if case.account.why and case.account.why != before.why:
            self._tell(case)

    def _next(self, case: Case, kinds: Collection[Kind], done: Counter[tuple[Kind, str]]) -> Step | None:
        for step in self._difference(case):
            may = step.kind in kinds and done[step.kind, case.account.id] < _MOST.get(step.kind, 1)
            if may or step.kind in DECISIVE:
                return step if may else None
        return None

    def _difference(self, case: Case) -> tuple[Step, ...]:
        return difference(case.account, case.wanted, self._connection, self._at, has_looked=case.has_looked)

    def _carry_out_one(self, case: Case, step: Step) -> None:
        if step.kind is Kind.LOOK:
            self._look(case)
        elif step.kind is Kind.READ_BACK:
            shown = self._ports.target.get(USERS, case.account.id)
            self._record(case, step_outcomes.read_back(case.account, shown, case.wanted, self._at))
        elif step.kind is Kind.CLOSE_OTHERS:
            self._close_others(case)
        else:
            self._write(case, step)

    def _look(self, case: Case) -> None:
        account = case.account
        if account.unsure and account.id:
            shown = self._ports.target.get(USERS, account.id)
            after = step_outcomes.read(account, shown, case.wanted)
            if account.readdressed and after.id and case.wanted:
                own = self._own(case, account.user_name, case.wanted.user_name)
                after = other_accounts.after_change(account, after, own, case.wanted.values)
            self._record(case, after)
            return
        name = case.wanted.user_name if case.wanted else account.user_name
        if account.taken:
            self._lookup.forget(case.member)
        found = self._lookup.find(case.member, name) if name else Found()
        match = first_contact.match(case.member, account, found, self._roster, self._connection)
        self._record(case, step_outcomes.looked(account, match, case.wanted))

    def _write(self, case: Case, step: Step) -> None:
        intended = step_outcomes.intended(case.account, step, case.wanted)
        readdresses = self._readdresses(case.account, case.wanted.values if case.wanted else {})
        if step.kind is Kind.CHANGE and readdresses:
            intended = replace(intended, readdressed=True)
        if case.member in self._intended:
            case.account = self._intended.pop(case.member)
        elif step.kind in _OPENING or (step.kind is Kind.CHANGE and readdresses):
            self._record(case, intended)
        try:
            result = self._sent(case, step)
        except OutcomeUnknown:
            self._record(case, intended)
            return
        if step.kind is Kind.CHANGE and result.outcome is Outcome.REFUSED:
            result = self._one_by_one(case, result)
        former = case.account.id
        account = step_outcomes.written(case.account, step, case.wanted, result, self._at)
        if step.kind is Kind.CHANGE and result.outcome is Outcome.WRITTEN and case.wanted:
            account = self._readdressed(case, account, case.wanted.values)
        is_new = account.is_linked and account.id not in ("", former)
        other = self._member_of(account.id) if is_new else None
        if other not in (None, case.member):
            # The app has answered with an account that was there: to some, making is changing.
            account = step_outcomes.of_another(account, other or "")
        self._record(case, account)

    def _member_of(self, account_id: str) -> str | None:
        return self._linked.get(account_id) or self._linked_before(account_id)

    def _sent(self, case: Case, step: Step) -> Written:
        account, target = case.account, self._ports.target
        values = case.wanted.values if case.wanted else account.sent
        match step.kind:
            case Kind.CREATE:
                body = scim_attributes.body({**values, EXTERNAL_ID: case.member}) | {"active": True}
                return target.create(USERS, body)
            case Kind.CHANGE:
                return target.change(account.id, account.sent, values)
            case Kind.DELETE:
                return target.delete(USERS, account.id)
        return target.activate(account.id, step.kind is Kind.ACTIVATE, account.sent)

    def _one_by_one(self, case: Case, refused: Written) -> Written:
        """Send what differs attribute by attribute, so that one that is refused holds up no other."""
        wanted = dict(case.wanted.values) if case.wanted else {}
        sent = dict(case.account.sent)
        names = [name for name in {**sent, **wanted} if sent.get(name) != wanted.get(name)]
        if len(names) == 1:
            return refused
        outcome = Written(Outcome.WRITTEN)
        for name in names:
            after = {key: value for key, value in sent.items() if key != name}
            after |= {name: wanted[name]} if name in wanted else {}
            result = self._ports.target.change(case.account.id, sent, after)
            if result.outcome is Outcome.WRITTEN:
                sent = after
                account = step_outcomes.sent_some(case.account, sent)
                self._record(case, self._readdressed(case, account, sent))
            else:
                outcome = result
        return outcome

    # ── Other accounts of a member ───────────────────────────────────────────────────────────────────

    def _readdresses(self, account: Account, values: Values) -> bool:
        """Whether a change to these values may make a second account; where others make them, it does not."""
        is_ours = not self._connection.only_ends_access
        return is_ours and other_accounts.is_readdressed(account.sent, values)

    def _readdressed(self, case: Case, account: Account, values: Values) -> Account:
        """Return an account after a change to these: of another address some apps make a second account."""
        before = case.account
        if account.id == before.id and not self._readdresses(before, values):
            return account
        own = self._own(case, before.user_name, str(values.get(USER_NAME, "")))
        return other_accounts.after_change(before, account, own, values)

    def _own(self, case: Case, *user_names: str) -> list[Resource]:
        own = closing_others.carrying(self._ports.target, case.member, user_names)
        return [each for each in own if self._member_of(each.id) in (None, case.member)]

    def _close_others(self, case: Case) -> None:
        deletes = case.wanted is None and self._connection.deletes_leavers
        if case.account.readdressed and case.wanted is None:
            own = self._own(case, case.account.user_name)
            self._record(case, other_accounts.with_others(case.account, own, deletes=deletes))
        for other, groups in case.account.others.items():
            sent = case.account.sent
            why = closing_others.close(self._ports.target, case.member, other, groups, sent, deletes=deletes)
            if why:
                self._record(case, step_outcomes.not_closed(case.account, case.wanted, why, self._at))
            else:
                self._record(case, other_accounts.without(case.account, other))
        if not case.account.others:
            self._record(case, step_outcomes.all_closed(case.account))

    def _record(self, case: Case, account: Account) -> None:
        self._record_all([(case, account)])

    def _record_all(self, accounts: Iterable[tuple[Case, Account]]) -> None:
        """Record the accounts of several members at once."""
        changed = [(case, account) for case, account in accounts if account != case.account]
        for case, account in changed:
            case.account = account
            if account.is_linked and account.id:
                self._linked[account.id] = case.member
        if changed:
            self._ports.record({case.member: account for case, account in changed})

    def _tell(self, case: Case) -> None:
        # Not by the account's id, which is a name or an address in some apps.
        remedy = "See the target's page of that account; what waits for a person is adopted or ignored."
        self._ports.tell(case.member, Problem(case.member, case.account.why, remedy))

    # ── Groups ───────────────────────────────────────────────────────────────────────────────────────

    def _record_group(self, name: str, group: str | None) -> None:
        """Store a group's id; of one that is gone, whoever was in it is in no more, and is put in again."""
        if group is None:
            self._record_all(
                (case, step_outcomes.regrouped(case.account, Step(Kind.LEAVE), name))
                for case in self._cases
                if name in case.account.groups
            )
        self._store_group(name, group)

    def _regroup(self, cases: Sequence[Case], kind: Kind) -> None:
        by_account = {case.account.id: case for case in cases if case.account.id}
        steps = [
            (case.account, step) for case in cases for step in self._difference(case) if step.kind is kind
        ]

        def settled(name: str, group: str | None, ids: Sequence[str]) -> None:
            self._record_all(
                (case, step_outcomes.regrouped(case.account, Step(kind), name, group))
                for case in map(by_account.__getitem__, ids)
            )

        def failed(name: str, ids: Sequence[str], problem: Problem) -> None:
            is_news = False
            for each in ids:
                case, before = by_account[each], by_account[each].account.why
                why = problem.message
                self._record(
                    case, step_outcomes.not_regrouped(case.account, case.wanted, name, why, self._at)
                )
                is_news = is_news or case.account.why != before
            if is_news:
                self._ports.tell(name, problem)

        if kind is Kind.JOIN:
            # Else who leaves right after this push has died would stay in a group that nobody knows of.
            self._record_all(
                (case, step_outcomes.about_to_join(case.account, step.groups))
                for case in cases
                for step in self._difference(case)
                if step.kind is kind and case.account.is_linked and case.account.active
            )
        groups = Groups(self._ports, self._connection.dialect, self._group_ids, settled, failed)
        for change in group_changes(steps):
            groups.carry_out(change)
