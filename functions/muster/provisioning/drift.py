"""Where an app is not as it was left: accounts changed, closed, opened or regrouped by others (O2). Pure.

What an app does not show says nothing; and what it showed otherwise right after it was sent is its own way of
writing it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from muster.crm import scim_attributes
from muster.crm.scim_attributes import ENTITLEMENTS, USER_NAME, Value
from muster.crm.scim_resources import Resource
from muster.provisioning import other_accounts, step_outcomes
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import Account


@dataclass(frozen=True, slots=True)
class Seen:
    """What an app shows of a member: the user of the account's id, and in which groups it is, by their ids.

    `user` is `None` where there is none of that id. `others` are further accounts that carry the member's id
    as their external id, and are to be closed.
    """

    user: Resource | None
    groups: frozenset[str] = frozenset()
    others: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """An account as the app shows it, and in words in what it is not as it was left."""

    account: Account
    words: tuple[str, ...]


def drift(
    account: Account, wanted: WantedAccount | None, seen: Seen, groups: Mapping[str, str], *, deletes: bool
) -> Drift | None:
    """Return in what an account is not as it was left; `None`: in nothing.

    `groups` are the ids, by name, of the groups that Muster fills; `deletes` says that who leaves is deleted.
    """
    words: list[str] = []
    after = account
    if account.id and seen.user is None:
        if wanted is not None or account.active is not False:
            words.append("gone")
            after = step_outcomes.hidden(account, wanted)
    elif account.id and seen.user is not None:
        after = _as_shown(account, wanted, seen, groups, words)
    if seen.others and after.is_linked:
        words.append(f"another account: {', '.join(each.id for each in seen.others)}")
        after = other_accounts.with_others(after, seen.others, deletes=deletes)
    return Drift(after, tuple(words)) if words else None


def with_spelling(account: Account, seen: Seen, groups: Mapping[str, str]) -> Account:
    """Return an account that has just been sent, with all that the app shows otherwise all the same."""
    shown_as = {name: (sent, shown) for name, sent, shown in _differences(account, seen, groups)}
    return replace(account, shown_as={**account.shown_as, **shown_as})


def _as_shown(
    account: Account,
    wanted: WantedAccount | None,
    seen: Seen,
    groups: Mapping[str, str],
    words: list[str],
) -> Account:
    user = seen.user
    after = account
    if user and user.active is not None and account.active is not None and user.active != account.active:
        words.append("opened" if user.active else "closed")
        after = replace(after, active=user.active, access="")
    changed = {name: shown for name, _, shown in _differences(account, seen, groups)}
    attributes = sorted(name for name in changed if not name.startswith(_GROUP))
    if attributes and wanted is not None:
        words.append(f"changed: {', '.join(attributes)}")
        after = replace(
            after, sent={name: each for name, each in account.sent.items() if name not in changed}
        )
    out = [name for name in account.groups if changed.get(_GROUP + name) == ""]
    into = [name for name in groups if changed.get(_GROUP + name)]
    if out:
        words.append(f"out of: {', '.join(sorted(out))}")
    if into:
        words.append(f"put into: {', '.join(sorted(into))}")
    kept = {name: group for name, group in account.groups.items() if name not in out}
    return replace(after, groups={**kept, **{name: groups[name] for name in into}})


_GROUP = "group "


def _differences(account: Account, seen: Seen, groups: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, what was sent, and what is shown, of attributes and groups; groups by their ids."""
    shown = scim_attributes.shown(seen.user.body, account.sent) if seen.user else {}
    pairs = [
        (name, _text(sent), _text(_ours(shown[name], sent)))
        for name, sent in account.sent.items()
        if name in shown and not _same(name, sent, _ours(shown[name], sent))
    ]
    for name in {**groups, **account.groups}:
        recorded = account.groups.get(name, "")
        there = recorded or groups[name]
        now = there if there in seen.groups else ""
        if now != recorded:
            pairs.append((_GROUP + name, recorded, now))
    yield from ((name, was, now) for name, was, now in pairs if account.shown_as.get(name) != (was, now))


def _ours(shown: Value, sent: Value) -> Value:
    """Return of several values those that were sent: what else there is, is another's."""
    return tuple(each for each in sent if each in shown) if isinstance(sent, tuple) else shown


def _same(name: str, one: Value, other: Value) -> bool:
    if name == ENTITLEMENTS:
        return one == other
    first, second = _text(one), _text(other)
    if name.startswith("phoneNumbers."):
        return _digits(first) == _digits(second)
    if name == USER_NAME or name.startswith("emails."):
        return first.casefold() == second.casefold()
    return first.split() == second.split()


def _digits(number: str) -> str:
    return "".join(each for each in number if each.isdigit())


def _text(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else value
