"""What is tried in Vault CRM again and again until it is done, and when (G7, P3).

That is taking a user out of a group, making the user active or inactive there, asking for a group where the
vault refuses to save that, and writing the fields that custom mappings name. A try that fails is followed by
one at the next push, one six hours after that, and then one a day. What has been tried is kept in the
member's `vault` under `tries`, by feature, `engage_features.USER_STATUS` or `FIELDS`, until it is done; so it
does not matter whether a push or an import saw the failure first. Pure; times are in ISO 8601.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from muster.crm.engage_features import Feature
from muster.roster.member import Member
from muster.roster.vault_state import FORGOTTEN, Tries, VaultState

# What is not done after this long is told once more.
_OVERDUE = timedelta(days=7)


def of(member: Member, what: str) -> Tries | None:
    """Return what has been tried for a feature or the user's status, if it is not done yet."""
    return member.vault.tries.get(what)


def of_removal(member: Member, feature: Feature) -> Tries | None:
    """Return what has been tried to take the member out of a group, if it is not done yet."""
    tries = of(member, feature)
    return None if tries and tries.adds else tries


def of_addition(member: Member, feature: Feature) -> Tries | None:
    """Return what has been tried to ask for the member's group, where Vault CRM has not saved it yet."""
    tries = of(member, feature)
    return tries if tries and tries.adds else None


def has_news(before: Member, after: Member, what: str) -> bool:
    """Whether `after`, unlike `before`, shows that it has failed, or that it takes long."""
    was, now = of(before, what), of(after, what)
    if now is None:
        return False
    return bool((now.failed and not (was and was.failed)) or (now.overdue and not (was and was.overdue)))


def has(vault: VaultState, what: str) -> bool:
    """Whether a member's `vault` says that something has been tried and is not done yet."""
    return what in vault.tries


def tried(
    vault: VaultState, what: str, at: str, *, saved: bool = True, blanked: bool = False, adds: bool = False
) -> VaultState:
    """Return a member's `vault` after a try; `saved`: Vault CRM saved it, and an outcome will follow.

    A try that is recorded once more, by a run that was interrupted, counts once.
    """
    before = vault.tries.get(what)
    if before and before.adds != adds:
        before = None
    now = before or Tries(since=at, last=at, adds=adds)
    if before and before.last != at:
        now = replace(before, last=at, count=before.count + 1)
    now = replace(now, unsaved=not saved, blanked=now.blanked or blanked)
    return _with(vault, what, _looked_at(now, at, failed=not saved))


def looked_at(vault: VaultState, what: str, at: str, *, failed: bool) -> VaultState:
    """Return a member's `vault` after a look at what became of the tries; `failed`: the latest has failed."""
    tries = vault.tries.get(what)
    return _with(vault, what, _looked_at(tries, at, failed=failed)) if tries else vault


def done(vault: VaultState, what: str) -> VaultState:
    """Return a member's `vault` once that is done, or wished for no more."""
    return _with(vault, what, None)


def _looked_at(tries: Tries, at: str, *, failed: bool) -> Tries:
    passed = datetime.fromisoformat(at) - datetime.fromisoformat(tries.since)
    forgotten = datetime.fromisoformat(at) - datetime.fromisoformat(tries.last) >= FORGOTTEN
    return replace(
        tries,
        failed=tries.failed or (at if failed or forgotten else None),
        overdue=tries.overdue or (at if passed >= _OVERDUE else None),
    )


def _with(vault: VaultState, what: str, tries: Tries | None) -> VaultState:
    others = {name: each for name, each in vault.tries.items() if name != what}
    return replace(vault, tries={**others, what: tries} if tries else others)
