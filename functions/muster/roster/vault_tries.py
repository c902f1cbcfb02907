"""What is tried in Vault CRM again and again until it is done, and when (G7, P3).

That is taking a user out of a group, making the user active or inactive there, asking for a group where the
vault refuses to save that, and writing the fields that custom mappings name. A try that fails is followed by
one at the next push, one six hours after that, and then one a day. What has been tried is kept in the
member's `vault` under `tries`, by feature, `engage_features.USER_STATUS` or `FIELDS`, until it is done; so it
does not matter whether a push or an import saw the failure first. Pure; times are in ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from muster.crm.engage_features import Feature
from muster.roster.member import Member
from muster.times import timestamp

# How long to wait after the first try that failed, and after the second; after each later one, a day.
_PAUSES = (timedelta(0), timedelta(hours=6))
_LATER = timedelta(days=1)
# A try without an answer is taken for forgotten after this long.
_FORGOTTEN = timedelta(hours=6)
# What is not done after this long is told once more.
_OVERDUE = timedelta(days=7)

type Vault = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What has been tried since when; `last` is the time of the latest of `count` tries.

    `failed` is when it was first seen to have failed, `overdue` when it was first seen to take too long: each
    is told once. `unsaved`: Vault CRM did not save the latest try, so that it shows nothing of it. `blanked`:
    an empty text was tried instead of no value. `adds`: a group was asked for.
    """

    since: str
    last: str
    count: int = 1
    failed: str | None = None
    overdue: str | None = None
    unsaved: bool = False
    blanked: bool = False
    adds: bool = False

    def next(self, *, under_way: bool = False) -> str:
        """Return from when on it is to be tried again; empty: at once. `under_way`: no answer yet."""
        pause = _PAUSES[self.count - 1] if self.count <= len(_PAUSES) else _LATER
        if under_way:
            pause = max(pause, _FORGOTTEN)
        return timestamp(datetime.fromisoformat(self.last) + pause) if pause else ""


def of(member: Member, what: str) -> Tries | None:
    """Return what has been tried for a feature or the user's status, if it is not done yet."""
    return _in(member.vault, what)


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


def has(vault: Vault, what: str) -> bool:
    """Whether a member's `vault` says that something has been tried and is not done yet."""
    return what in vault.get("tries", {})


def tried(
    vault: Vault, what: str, at: str, *, saved: bool = True, blanked: bool = False, adds: bool = False
) -> dict[str, Any]:
    """Return a member's `vault` after a try; `saved`: Vault CRM saved it, and an outcome will follow.

    A try that is recorded once more, by a run that was interrupted, counts once.
    """
    before = _in(vault, what)
    if before and before.adds != adds:
        before = None
    now = before or Tries(since=at, last=at, adds=adds)
    if before and before.last != at:
        now = replace(before, last=at, count=before.count + 1)
    now = replace(now, unsaved=not saved, blanked=now.blanked or blanked)
    return _with(vault, what, _looked_at(now, at, failed=not saved))


def looked_at(vault: Vault, what: str, at: str, *, failed: bool) -> dict[str, Any]:
    """Return a member's `vault` after a look at what became of the tries; `failed`: the latest has failed."""
    tries = _in(vault, what)
    return _with(vault, what, _looked_at(tries, at, failed=failed)) if tries else dict(vault)


def done(vault: Vault, what: str) -> dict[str, Any]:
    """Return a member's `vault` once that is done, or wished for no more."""
    return _with(vault, what, None)


def _looked_at(tries: Tries, at: str, *, failed: bool) -> Tries:
    passed = datetime.fromisoformat(at) - datetime.fromisoformat(tries.since)
    forgotten = datetime.fromisoformat(at) - datetime.fromisoformat(tries.last) >= _FORGOTTEN
    return replace(
        tries,
        failed=tries.failed or (at if failed or forgotten else None),
        overdue=tries.overdue or (at if passed >= _OVERDUE else None),
    )


def _in(vault: Vault, what: str) -> Tries | None:
    stored = vault.get("tries", {}).get(what)
    return Tries(**stored) if stored else None


def _with(vault: Vault, what: str, tries: Tries | None) -> dict[str, Any]:
    others = {name: stored for name, stored in vault.get("tries", {}).items() if name != what}
    if tries:
        others[what] = {name: value for name, value in asdict(tries).items() if value}
    rest = {name: value for name, value in vault.items() if name != "tries"}
    return {**rest, "tries": others} if others else rest
