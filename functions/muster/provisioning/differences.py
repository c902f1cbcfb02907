"""The steps from what was sent to a SCIM target to what is wanted there, in their order (O2, O3).

Whoever leaves is taken out of groups before the account is closed, since an inactive member fails the writes
of some groups; whoever comes back is let in before anything else is sent. What ends or begins an access is
read back. A push carries out the first step, records what came of it, and asks again: so it does not matter
where one was interrupted.
"""

from dataclasses import dataclass
from enum import StrEnum

from muster.crm.scim_resources import same_name
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import CONFLICT, IGNORED, MATCHED, Account
from muster.settings.target_connection import TargetConnection


class Kind(StrEnum):
    """What a step does, in the order in which a push does it: what frees licences comes first."""

    LOOK = "look"  # find the account, or read it where its id is known
    LEAVE = "leave"  # take it out of groups
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    ACTIVATE = "activate"
    CREATE = "create"
    READ_BACK = "read_back"  # whether the account lets anybody in
    CHANGE = "change"
    JOIN = "join"  # put it into groups
    CLOSE_OTHERS = "close_others"  # close other accounts that are the member's as well


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `groups` are those to leave or to join."""

    kind: Kind
    groups: tuple[str, ...] = ()


# Where one of these has failed, nothing else is done to the account in the same push.
DECISIVE = frozenset({Kind.LOOK, Kind.ACTIVATE, Kind.CREATE, Kind.READ_BACK, Kind.DEACTIVATE, Kind.DELETE})


def difference(
    account: Account,
    wanted: WantedAccount | None,
    connection: TargetConnection,
    at: str,
    *,
    has_looked: bool = False,
) -> tuple[Step, ...]:
    """Return what there is to do at a moment (ISO 8601), as far as it can be foreseen; empty: nothing.

    `has_looked`: this very push has looked for the account, and found none.
    """
    if account.standing == IGNORED or _waits(account, wanted, at):
        return ()
    if account.standing in (MATCHED, CONFLICT) and not _is_another_question(account, wanted, connection):
        return ()
    if account.unsure:
        return (Step(Kind.LOOK), *_known(account, wanted, connection, has_looked=True))
    return _known(account, wanted, connection, has_looked=has_looked)


def aim(wanted: WantedAccount | None) -> str:
    """Return the digest of what tries are for: another one is tried at once."""
    return wanted.digest if wanted else "left"


def _known(
    account: Account, wanted: WantedAccount | None, connection: TargetConnection, *, has_looked: bool
) -> tuple[Step, ...]:
    if wanted is None:
        if account.is_linked:
            return tuple(_to_leave(account, connection))
        # Where others make accounts, there may be one by now.
        looks = connection.only_ends_access and account.user_name and not _was_looked_for(account, wanted)
        return (Step(Kind.LOOK),) if looks else ()
    if wanted.lacking:
        # An account that is there stays as it is: that something is missing is no reason to close it.
        return ()
    if account.is_linked and account.access != "deleted":
        return tuple(_to_keep(account, wanted, connection))
    if connection.only_ends_access and _was_looked_for(account, wanted):
        return ()
    # A target may make one that is there again, or change it: so nobody is made without a look.
    steps = [] if has_looked else [Step(Kind.LOOK)]
    if connection.makes_accounts:
        steps.append(Step(Kind.CREATE))
        steps += [Step(Kind.JOIN, wanted.groups)] if wanted.groups else []
    return tuple(steps)


def _to_leave(account: Account, connection: TargetConnection) -> list[Step]:
    steps = [Step(Kind.LEAVE, within)] if (within := _possibly_within(account)) else []
    deletes = connection.deletes_leavers
    others = [Step(Kind.CLOSE_OTHERS)] if account.others or account.readdressed else []
    if account.active is False and (account.access == "deleted" or not deletes):
        return [*steps, *others]
    is_sent = account.access == ("deleted" if deletes else "ended") and account.active is None
    if not is_sent:
        steps.append(Step(Kind.DELETE if deletes else Kind.DEACTIVATE))
    return [*steps, Step(Kind.READ_BACK), *others]


def _to_keep(account: Account, wanted: WantedAccount, connection: TargetConnection) -> list[Step]:
    steps: list[Step] = []
    if gone := tuple(name for name in _possibly_within(account) if name not in wanted.groups):
        steps.append(Step(Kind.LEAVE, gone))
    if account.active is None and account.access == "given":
        steps.append(Step(Kind.READ_BACK))
    elif account.active is not True and not _is_closed_by_another(account, connection):
        steps += [Step(Kind.ACTIVATE), Step(Kind.READ_BACK)]
    if dict(account.sent) != dict(wanted.values):
        steps.append(Step(Kind.CHANGE))
    if new := tuple(name for name in wanted.groups if name not in account.groups):
        steps.append(Step(Kind.JOIN, new))
    if account.others:
        steps.append(Step(Kind.CLOSE_OTHERS))
    return steps


def _is_closed_by_another(account: Account, connection: TargetConnection) -> bool:
    """Whether somebody else has closed it, whose business it is to open it again."""
    return connection.only_ends_access and account.active is False and not account.access


def _is_another_question(
    account: Account, wanted: WantedAccount | None, connection: TargetConnection
) -> bool:
    """Whether the member is to have another userName than when its account was looked for.

    Or the member leaves, and all accounts are to be closed that are the member's by a rule.
    """
    if wanted is None:
        return connection.only_ends_access and not _was_looked_for(account, wanted)
    return not same_name(wanted.user_name, account.user_name)


def _was_looked_for(account: Account, wanted: WantedAccount | None) -> bool:
    """Whether this was asked before, and no account is the member's."""
    return not account.is_linked and account.tried == aim(wanted)


def _possibly_within(account: Account) -> tuple[str, ...]:
    """Return the groups that the account is in, or may be in: it was about to be put into them."""
    return tuple(dict.fromkeys((*account.groups, *account.joining)))


def _waits(account: Account, wanted: WantedAccount | None, at: str) -> bool:
    """Whether what failed is not to be tried again yet; what is another thing than what failed is."""
    return account.tries is not None and account.tried == aim(wanted) and at < account.tries.next()
