"""What comes of a step for an account: the account after it (O2, O3). Pure; times are in ISO 8601.

That a write is answered with success says what was sent; that somebody is let in or kept out is known only
from reading back.
"""

from collections.abc import Iterable
from dataclasses import replace

from muster.crm import scim_attributes
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_attributes import ENTITLEMENTS, Values
from muster.crm.scim_resources import Resource
from muster.provisioning import first_contact
from muster.provisioning.differences import Kind, Step, aim
from muster.provisioning.first_contact import CREATED, Match
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import CONFLICT, LINKED, MATCHED, NO_ACCOUNT, UNKNOWN, Access, Account
from muster.roster.vault_state import Tries

NO_EFFECT = "is answered with success, but reading it back shows no effect"
LEFT_OPEN = "the member has left, and an account with its userName is open that may not be Muster's"
_OF_ANOTHER = "another account of the member's: "
NOT_SHOWN = "is answered with success, and the target does not show whether the user is active"


def intended(account: Account, step: Step, wanted: WantedAccount | None) -> Account:
    """Return the account as it is recorded before a step is sent, whose outcome may never be known.

    Whoever is made without a trace would be nobody's, and whoever is let in without one would stay in, should
    the member leave: so that it is to be done is recorded first.
    """
    if step.kind is Kind.CREATE and wanted is not None:
        return replace(account, unsure=True, access="given", user_name=wanted.user_name, taken=False)
    if step.kind is Kind.ACTIVATE:
        return replace(account, unsure=True, access="given")
    return replace(account, unsure=True)


def looked(account: Account, match: Match, wanted: WantedAccount | None) -> Account:
    """Return the account after it was looked for by external id and name."""
    name = wanted.user_name if wanted else account.user_name
    nobody = _nobody(account)
    shown = match.resource
    if match.standing == UNKNOWN and wanted is None and account.is_linked:
        return _closed(account)
    if match.standing == MATCHED and wanted is None:
        match = replace(match, standing=CONFLICT, why=LEFT_OPEN)
    elif match.standing == CONFLICT and wanted is None:
        match = replace(match, why=f"the member has left, and {match.why}")
    if match.standing == UNKNOWN:
        nobodys = replace(account, standing=UNKNOWN, id="", user_name=name, access="", active=None)
        tries = account.tries if account.tried == aim(wanted) else None
        return replace(nobodys, unsure=False, tries=tries, tried=aim(wanted))
    if shown is None or match.standing != LINKED:
        # What is not the member's is not described with it, but for the id by which it can be adopted.
        found = shown.id if shown else ""
        return replace(
            nobody, standing=match.standing, id=found, user_name=name, tried=aim(wanted), why=match.why
        )
    same = account if account.id in ("", shown.id) else nobody
    return _succeeded(
        replace(
            same,
            standing=LINKED,
            id=shown.id,
            user_name=shown.user_name or name,
            origin=match.origin,
            access="",
            active=shown.active is not False,
            sent=_as_shown(same.sent, shown, wanted),
        )
    )


def read(account: Account, shown: Resource | None, wanted: WantedAccount | None) -> Account:
    """Return the account after it was read by its id, because a write's answer was not known."""
    if shown is None:
        return hidden(account, wanted)
    active = shown.active is not False
    # What Muster has closed, and was perhaps about to open again, is Muster's to open.
    access: Access = "ended" if account.access in ("ended", "given") and not active else ""
    looked_at = replace(account, access=access, active=active, sent=_as_shown(account.sent, shown, wanted))
    return _succeeded(looked_at) if wanted is None and not active else replace(looked_at, unsure=False)


def written(account: Account, step: Step, wanted: WantedAccount | None, result: Written, at: str) -> Account:
    """Return the account after a step that was answered."""
    account = replace(account, unsure=False)
    if result.outcome is Outcome.WRITTEN:
        return _done(account, step, wanted, result.resource)
    if result.outcome is Outcome.GONE and step.kind is not Kind.CREATE:
        return hidden(account, wanted)
    if result.outcome is Outcome.TAKEN and step.kind is Kind.CREATE:
        # Who has the name is looked for, and if nobody is seen, that is a conflict.
        return replace(account, taken=True, unsure=True, access="")
    if step.kind is Kind.CREATE:
        account = replace(account, access="")
    failed = _failed(account, wanted, result.problem.message if result.problem else "", at)
    if result.outcome is Outcome.FULL:
        return replace(failed, full_since=account.full_since or at)
    return failed


def of_another(account: Account, member: str) -> Account:
    """Return the account of a member where the app has given it one that is linked to another member."""
    return replace(
        NO_ACCOUNT,
        standing=CONFLICT,
        id=account.id,
        user_name=account.user_name,
        why=first_contact.linked_to(member),
        unknown=account.unknown,
    )


def sent_some(account: Account, values: Values) -> Account:
    """Return the account after some of its attributes were sent, one by one."""
    return replace(account, sent=values)


def read_back(account: Account, shown: Resource | None, wanted: WantedAccount | None, at: str) -> Account:
    """Return the account after reading back whether the user is as active as is wanted."""
    if shown is None:
        return hidden(account, wanted)
    account = replace(account, user_name=shown.user_name or account.user_name)
    expected = wanted is not None
    if shown.active is None:
        return replace(_succeeded(replace(account, active=expected)), why=NOT_SHOWN)
    if shown.active is expected:
        return _succeeded(replace(account, active=expected))
    # It is tried again, whatever the answer to it was.
    return _failed(replace(account, active=shown.active), wanted, NO_EFFECT, at)


def regrouped(account: Account, step: Step, name: str, group: str | None = None) -> Account:
    """Return the account after it was put into a group, of this id, or taken out of it."""
    groups = {each: id_ for each, id_ in account.groups.items() if each != name}
    if step.kind is Kind.JOIN and group is not None:
        groups[name] = group
    account = replace(account, groups=groups, joining=tuple(each for each in account.joining if each != name))
    return _succeeded(account) if account.why.startswith(_of_group(name)) else account


def no_longer_tried(account: Account) -> Account:
    """Return an account that nobody is to have any more, and that was not made: there is nothing to try."""
    return _succeeded(account)


def about_to_join(account: Account, groups: Iterable[str]) -> Account:
    """Return the account as it is recorded before it is put into groups: it may be in them from then on."""
    return replace(account, joining=tuple(dict.fromkeys((*account.joining, *groups))))


def not_regrouped(account: Account, wanted: WantedAccount | None, name: str, why: str, at: str) -> Account:
    """Return the account after it could not be put into a group, or taken out of it."""
    return _failed(account, wanted, f"{_of_group(name)}{why}", at)


def not_closed(account: Account, wanted: WantedAccount | None, why: str, at: str) -> Account:
    """Return the account after another of the member's beside it could not be closed."""
    return _failed(account, wanted, f"{_OF_ANOTHER}{why}", at)


def all_closed(account: Account) -> Account:
    """Return the account once nothing is left beside it."""
    return _succeeded(account) if account.why.startswith(_OF_ANOTHER) else account


def fails_for_group(account: Account, name: str) -> bool:
    """Whether the latest failure of an account was to put it into a group, or to take it out."""
    return account.tries is not None and account.why.startswith(_of_group(name))


def _of_group(name: str) -> str:
    return f"the group {name}: "


def _done(account: Account, step: Step, wanted: WantedAccount | None, shown: Resource | None) -> Account:
    match step.kind:
        case Kind.CREATE if shown is not None and wanted is not None:
            return _succeeded(
                replace(
                    account,
                    standing=LINKED,
                    id=shown.id,
                    user_name=shown.user_name or wanted.user_name,
                    origin=CREATED,
                    access="given",
                    active=shown.active is not False,
                    sent=wanted.values,
                    groups={},
                    joining=wanted.groups,
                )
            )
        case Kind.CHANGE if wanted is not None:
            name = shown.user_name if shown and shown.user_name else account.user_name
            # A change of address makes another account of it in some targets: see `other_accounts`.
            id_ = shown.id if shown else account.id
            return _succeeded(replace(account, id=id_, sent=wanted.values, user_name=name))
        case Kind.DELETE:
            return replace(account, access="deleted", active=None)
        case Kind.DEACTIVATE:
            return replace(account, access="ended", active=None)
        case Kind.ACTIVATE:
            return replace(account, access="given", active=None)
    return account


def hidden(account: Account, wanted: WantedAccount | None) -> Account:
    """Return the account where the target shows nobody of its id, unless it was just deleted: look for it.

    It may be hidden, or was deleted by hand; and a target can give an account another id, which then is open.
    """
    if wanted is not None:
        return replace(_nobody(account), user_name=account.user_name)
    if account.access == "deleted":
        return _closed(account)
    return replace(account, id="", active=None, unsure=True)


def _nobody(account: Account) -> Account:
    """Return no account, of which is known only that there may be others that are the member's."""
    readdressed = account.readdressed or bool(account.others)
    return replace(NO_ACCOUNT, readdressed=readdressed, unknown=account.unknown)


def _closed(account: Account) -> Account:
    return _succeeded(replace(account, id="", access="deleted", active=False, groups={}, joining=()))


def _as_shown(sent: Values, shown: Resource, wanted: WantedAccount | None) -> Values:
    """Return what counts as sent: what is wanted, if all of it is there; else what was sent before.

    Of an account that was there before, what it has of it already.
    """
    if wanted is None:
        return sent
    there = scim_attributes.shown(shown.body, wanted.values)
    common = {name: value for name, value in wanted.values.items() if there.get(name) == value}
    if held := _common_entitlements(there, wanted.values):
        common[ENTITLEMENTS] = held
    if common == dict(wanted.values):
        return wanted.values
    return sent or {**{name: value for name, value in there.items() if name != ENTITLEMENTS}, **common}


def _common_entitlements(there: Values, wanted: Values) -> tuple[str, ...]:
    shown = there.get(ENTITLEMENTS, ())
    return tuple(value for value in wanted.get(ENTITLEMENTS, ()) if value in shown)


def _failed(account: Account, wanted: WantedAccount | None, why: str, at: str) -> Account:
    goal = aim(wanted)
    before = account.tries if account.tried == goal else None
    if before is None:
        now = Tries(since=at, last=at, failed=at)
    else:
        # A try that is recorded once more, by a push that was interrupted, counts once.
        now = replace(before, last=at, count=before.count + (before.last != at))
    return replace(account, tries=now, tried=goal, why=why)


def _succeeded(account: Account) -> Account:
    return replace(account, unsure=False, taken=False, tries=None, tried="", why="", full_since=None)
