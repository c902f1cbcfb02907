"""Sends the plan of an app's push, chunk by chunk, and records each step before the next (O2, O3, P5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import batched

from muster.crm.scim_answers import Outcome
from muster.crm.scim_resources import USERS
from muster.errors import Problem
from muster.provisioning import account_errors, account_plan, renaming_groups
from muster.provisioning.account_items import AccountItem
from muster.provisioning.app_state import AppState, as_it_is_now
from muster.provisioning.bringing_in_line import Case, Provisioning
from muster.provisioning.comparing_accounts import memberships
from muster.provisioning.differences import aim, difference
from muster.provisioning.drift import Seen, with_spelling
from muster.provisioning.first_contact import Roster
from muster.provisioning.group_renames import group_renames
from muster.provisioning.ports import AppPorts, Ports
from muster.roster.accounts import CONFLICT, IGNORED, LINKED, MATCHED, NO_ACCOUNT, UNKNOWN, Account
from muster.roster.member import Member
from muster.roster.writing_members import Change, MemberWriter
from muster.runs.clock import RunClock
from muster.runs.hooks import Progress
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

# So many are sent together: as many as fit into one call of most groups.
AT_ONCE = 100


@dataclass(slots=True)
class AccountSender:
    """Sends for one invocation of a push; adds to its `progress`.

    `state` is what is known of the app, and kept up to date.
    """

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection
    progress: Progress
    state: AppState = field(default_factory=AppState)
    # In whose chunk the invocation before may have sent something, by member.
    _in_doubt: frozenset[str] = frozenset()
    # What this push has read or recorded last of each member's account.
    _recorded: dict[str, Account] = field(default_factory=dict)
    # Of the chunk: its members as they were read or written last, and who is noted as brought in line.
    _members: dict[str, Member] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def chunks(self, items: Sequence[AccountItem]) -> Iterator[Sequence[AccountItem]]:
        """Yield the items in order, in chunks; who leaves is sent before who comes."""
        yield from batched(items, AT_ONCE, strict=False)

    def doubt(self, items: Sequence[AccountItem]) -> None:
        """Be told of a chunk of which the invocation before may have sent something."""
        self._in_doubt = frozenset(item.member for item in items)

    def send(self, run: Run, items: Sequence[AccountItem]) -> None:
        """Bring the members of one chunk in line with the app, as far as the plan still holds for them."""
        cases, at = self._cases(run, items), timestamp(self.clock.now())
        self._record_what_was_found(run, cases)
        roster = self.ports.roster
        organization, key = run.organization, self.connection.key

        def member_of(account: str) -> str | None:
            return roster.account_members(organization, key, [account]).get(account)

        def is_member(external_id: str) -> bool:
            return external_id in roster.members(organization, [external_id])

        ports = Ports(
            target=self.ports.app,
            groups=self.state.groups,
            record=partial(self._record, run, cases, at),
            record_group=self._record_group,
            tell=partial(self._tell, run, cases),
        )
        provisioning = Provisioning(ports, self.connection, Roster(member_of, is_member), at)
        provisioning.carry_out(list(cases.values()))
        drifted = {item.member for item in items if item.drift}
        self._note_spelling(run, {name: case for name, case in cases.items() if name in drifted}, at)
        self._settle(run, cases, {item.member: item for item in items}, at)

    # ── Who is still as planned ──────────────────────────────────────────────────────────────────────

    def _cases(self, run: Run, items: Sequence[AccountItem]) -> dict[str, Case]:
        """Return the members for whom the plan still holds; the others are left to the next push."""
        members = self.ports.roster.members(run.organization, [item.member for item in items])
        self._members, self._settled = dict(members), set()
        now, cases = self.clock.now(), {}
        for item in items:
            in_doubt = item.member in self._in_doubt
            member = members.get(item.member)
            each = member and account_plan.judged(member, self.state, self.connection, self.settings, now)
            as_planned = each and aim(each.wanted) == item.goal and (in_doubt or each.recorded == item.before)
            if each and item.takes_freed:
                each = account_plan.tried_now(each)
            if not each or not as_planned:
                self.progress.outcomes["left_to_the_next_push"] += 1
                continue
            self._recorded[item.member] = each.recorded
            # What is known of the app's groups may have changed since the plan was made.
            in_doubt = in_doubt and not (item.drift and each.recorded == item.before)
            account = each.account if in_doubt else as_it_is_now(item.account, self.state, self.connection)
            has_looked = item.looked_for and not in_doubt and account.standing == UNKNOWN
            cases[item.member] = Case(item.member, account, each.wanted, has_looked=has_looked)
        return cases

    # ── What is recorded ─────────────────────────────────────────────────────────────────────────────

    def _record_what_was_found(self, run: Run, cases: dict[str, Case]) -> None:
        """Record the accounts that were found, and tell those that wait for a person.

        An account that is to be made is recorded when it is. Where none is made it is recorded, too, that
        nobody was found, and by which name: who leaves is looked for once more. So it is of who has left
        while an account was being made, for else it would be looked for with every push.
        """
        found = {
            name: case.account
            for name, case in cases.items()
            if case.account != self._recorded[name]
            and (case.account.standing != UNKNOWN or case.wanted is None or self.connection.only_ends_access)
        }
        waiting = [name for name, account in found.items() if account.standing in (CONFLICT, MATCHED)]
        told = [name for name in waiting if _is_news(found[name], self._recorded[name])]
        now = self.clock.now()
        entries = [
            account_errors.of_account(self.connection, name, found[name], timestamp(now), run.id)
            for name in told
        ]
        # Before it is recorded: what is recorded already is no news to the next push, should this one die.
        self.progress.errors += self.ports.roster.park(run.organization, entries, now.timestamp())
        self._write(run, {name: self._change(name, account) for name, account in found.items()})

    def _record(self, run: Run, cases: Mapping[str, Case], at: str, accounts: Mapping[str, Account]) -> None:
        """Record accounts, and with what came last of one that its member is brought in line."""
        changes: dict[str, Change] = {}
        for name, account in accounts.items():
            changes[name] = change = self._change(name, account)
            self._settled.discard(name)
            if not difference(account, cases[name].wanted, self.connection, at):
                self._settled.add(name)
                changes[name] = _both(change, self._settling(cases[name], at))
        self._write(run, changes)
        # A chunk may take longer than an invocation: what is recorded is enough to go on with.
        self.clock.check()

    def _change(self, name: str, account: Account) -> Change:
        """Return what puts an account in its member's place, whoever has recorded it meanwhile.

        The member is due for the next push until `_settle` says otherwise: once an account was looked at, and
        is known, nothing of it says that there is still something to be sent.

        Whoever leaves is closed at once, beside any push: then both have written to the app, and it has to be
        read what came of it. What a person has said of an account meanwhile stands where the push would only
        have asked.
        """
        key, expected = self.connection.key, self._recorded[name]
        account = replace(account, system=self.connection.leads_to)
        self._recorded[name] = account

        def change(member: Member) -> Member:
            there = member.accounts.get(key, NO_ACCOUNT)
            only_asks = account.standing in (CONFLICT, MATCHED)
            if there != expected and only_asks and there.standing in (IGNORED, LINKED):
                return member
            mine = account if there in (expected, account) else replace(account, unsure=True, active=None)
            changed_for = tuple(dict.fromkeys((*member.changed_for, key)))
            return replace(member, accounts={**member.accounts, key: mine}, changed_for=changed_for)

        return change

    def _record_group(self, name: str, group: str | None) -> None:
        self.state = self.state.with_group(name, group)
        self.ports.states.save(self.connection.key, self.state, self.clock.lease)

    def _note_spelling(self, run: Run, cases: Mapping[str, Case], at: str) -> None:
        """Note what the app shows otherwise though it was just sent: the next comparison need not tell it."""
        linked = [
            case for case in cases.values() if case.account.is_linked and case.account.id and case.wanted
        ]
        if not linked:
            return
        groups = self.state.groups
        within = memberships(self.ports.app, groups.values())
        for case in linked:
            shown = self.ports.app.get(USERS, case.account.id)
            if shown is not None:
                seen = Seen(shown, frozenset(within.get(shown.id, ())))
                case.account = with_spelling(case.account, seen, groups)
                self._record(run, cases, at, {case.member: case.account})

    def rename_groups(self, run: Run) -> None:
        """Give groups their assignments' new names, so that nobody has to leave one and join another.

        The members of one that keeps its name change groups after all.
        """
        for rename in group_renames(self.state, self.connection, self.settings):
            written = renaming_groups.carry_out(rename, self.ports.app, self.connection.dialect)
            if written.outcome is Outcome.WRITTEN:
                self._record_group(rename.after, rename.group)
                self.progress.outcomes["groups_renamed"] += 1
            elif written.outcome is Outcome.GONE:
                self._record_group(rename.before, None)
            else:
                at, app = timestamp(self.clock.now()), self.connection.key
                self.progress.entries.append(
                    account_errors.not_renamed(app, rename, written.problem, at, run.id)
                )
            self.clock.check()

    def _settle(self, run: Run, cases: dict[str, Case], items: dict[str, AccountItem], at: str) -> None:
        """Note that these members are brought in line as far as can be, and count what came of them."""
        left = {name: case for name, case in cases.items() if name not in self._settled}
        self._write(run, {name: self._settling(case, at) for name, case in left.items()})
        for name, case in cases.items():
            if case.wanted and case.wanted.lacking:
                self.progress.entries.append(
                    account_errors.lacking(self.connection.key, name, case.wanted.lacking, at, run.id)
                )
                self.progress.outcomes["lacking"] += 1
            elif case.account.full_since:
                self.progress.outcomes["no_licence"] += 1
            elif case.account.tries or difference(case.account, case.wanted, self.connection, at):
                self.progress.outcomes["not_done"] += 1
            elif did := items[name].does:
                self.progress.outcomes[did] += 1

    def _settling(self, case: Case, at: str) -> Change:
        """Return what says that a member is due no more, unless something is left that no try will come for.

        An answer that says nothing is followed by a look, and what the look shows to be left is sent by the
        next push.
        """
        key, goal = self.connection.key, aim(case.wanted)
        steps = difference(case.account, case.wanted, self.connection, at, has_looked=case.has_looked)
        is_left = bool(steps) and case.account.due is None

        def change(member: Member) -> Member:
            each = account_plan.judged(member, self.state, self.connection, self.settings, self.clock.now())
            if aim(each.wanted) != goal:
                # Changed meanwhile: the next push looks at it.
                return member
            others = tuple(name for name in member.changed_for if name != key)
            return replace(member, changed_for=(*others, key) if is_left else others)

        return change

    def _write(self, run: Run, changes: dict[str, Change]) -> None:
        if not changes:
            return
        name, now = f"run:{run.id}", self.clock.now()
        writer = MemberWriter(self.settings, self.ports.roster, now, self.clock.lease, name, name)
        for _, after in writer.write(changes, self._members):
            self._members[after.id] = replace(after, revision=after.revision + 1)

    # ── What is told ─────────────────────────────────────────────────────────────────────────────────

    def _tell(self, run: Run, cases: dict[str, Case], who: str, problem: Problem) -> None:
        at, app = timestamp(self.clock.now()), self.connection.key
        if who in cases:
            account = cases[who].account
            entry = account_errors.of_account(self.connection, who, account, at, run.id)
        else:
            entry = account_errors.of_group(app, who, problem, at, run.id)
        self.progress.entries.append(entry)


def _both(first: Change, second: Change) -> Change:
    return lambda member: second(first(member))


def _is_news(found: Account, recorded: Account) -> bool:
    """Whether what waits for a person was not told before: as it is, and for this reason."""
    return (found.state, found.why) != (recorded.state, recorded.why)
