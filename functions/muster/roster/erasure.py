"""A member who has left, erased: what remains tells that there was one, and nothing about the person (T5).

The member becomes a tombstone: id, version and the reason `erased`. The link of its Salesforce user stays
with the version last applied, so that a message that comes again later is stale; who becomes active again
in Salesforce begins as a new member. Pure: no I/O, no clock.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from muster.errors import Problem
from muster.presentation import words
from muster.roster import engage_groups
from muster.roster.accounts import Account, is_in_reach
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.links import Link, keys_of
from muster.roster.member import Member
from muster.roster.reasons import ERASED
from muster.settings import Settings
from muster.times import timestamp

# Told of an app in which accounts of people are open whom the daily import would erase.
WAITS_FOR_ACCOUNT = "erasure_waits_for_account"
CODES = frozenset({WAITS_FOR_ACCOUNT})


def refusal(member: Member, settings: Settings) -> Problem | None:
    """Return why the member cannot be erased, and what to do; `None`: it can.

    Of an account that is open nobody would know any more whose it is.
    """
    if member.active:
        remedy = "Deactivate the user in Salesforce first; who has left can be erased."
        return Problem("member", "is active", remedy)
    if engage_groups.due(member) or member.engage.group or member.engage_connect.group:
        remedy = "Let a push take the licence back first, so that it is free again; then send this again."
        return Problem("member", "is still in an Engage group, or a push has work for it", remedy)
    for app in left_open(member, settings):
        message = f"has an open account in {_named(app, member.accounts[app])}, which no push closes any more"
        said = f'{{"accounts": {{"{app}": "ignore"}}}}'
        remedy = f"Close it there, then say so with MemberSettingsFunction ({said}), and send this again."
        return Problem("member", message, remedy)
    for app in _to_be_closed(member, settings):
        message = f"has an account for which a push has work: {_named(app, member.accounts.get(app))}"
        remedy = "Wait for a push to that app, which closes the account; then send this again."
        return Problem("member", message, remedy)
    return None


def left_open(member: Member, settings: Settings) -> list[str]:
    """Return the apps in which the member has an open account that no push reaches any more."""
    return [
        app for app, each in member.accounts.items() if each.is_open and not _in_reach(app, each, settings)
    ]


def _to_be_closed(member: Member, settings: Settings) -> Iterator[str]:
    for app, each in member.accounts.items():
        if _in_reach(app, each, settings) and (each.is_open or each.due is not None):
            yield app
    for app, target in settings.connections.targets():
        # Whose account there was never looked for has one all the same.
        if target.only_ends_access and app in member.changed_for:
            yield app


def _in_reach(app: str, account: Account, settings: Settings) -> bool:
    target = dict(settings.connections.targets()).get(app)
    return is_in_reach(account, target.leads_to if target else None)


def kept_by_apps(member: Member) -> list[str]:
    """Return what apps still hold of the person, in whole sentences: erasing deletes nothing there."""
    said = []
    for app, account in member.accounts.items():
        if account.state == "deleted":
            said.append(f"The account in {words.connection(app)} was deleted.")
        elif account.id:
            said.append(f"The account in {_named(app, account)} stays there: delete it there.")
    return said


def _named(app: str, account: Account | None) -> str:
    """Return an app, and the account in it by its name there."""
    name = (account.user_name or account.id) if account else ""
    return f"{words.connection(app)}" + (f" ({name})" if name else "")


def is_erased(member: Member) -> bool:
    """Whether nothing is left of the member but its tombstone."""
    return member.inactive_reason == ERASED


def keys_ever(member: Member) -> tuple[str, ...]:
    """Return the match keys that the member has or had."""
    return tuple({*keys_of(member), *member.former_keys})


def erase(
    known: Known, holders: Mapping[str, frozenset[str]], now: datetime, origin: str, run: str, why: str
) -> Decision:
    """Return the decision to erase an inactive member; one that is erased already is unchanged.

    `known` holds the member and, where a Salesforce user is linked to it, that link; `holders` who has the
    keys that it ever had, or waits for them. `origin` says who erases, `why` the reason they give: both stay
    in the history, of which everything older is deleted.
    """
    member = known.member
    if member is None or is_erased(member):
        return Decision(outcome=Outcome.UNCHANGED, before=member)
    at = timestamp(now)
    after = Member(
        id=member.id,
        organization=member.organization,
        inactive_reason=ERASED,
        version=member.version + 1,
        updated_at=at,
        revision=member.revision,
    )
    history = HistoryEntry(
        member=member.id,
        version=after.version,
        at=at,
        origin=origin,
        run=run,
        changes=(FieldChange("inactive_reason", member.inactive_reason, ERASED),),
        why=why,
    )
    return Decision(
        outcome=Outcome.ERASED,
        before=member,
        after=after,
        history=history,
        link_before=known.link,
        link=_remaining(known.link, member.sources.get("salesforce")),
        erases_history=True,
        keys_erased=tuple(
            key for key in sorted(keys_ever(member)) if holders.get(key, frozenset()) <= {member.id}
        ),
    )


def _remaining(link: Link | None, source: str | None) -> Link | None:
    return Link(crm_id=link.crm_id, reason=ERASED, source=source) if link else None
