"""What an organization's pushes remember of one app: which it is, its groups, and what they were pushed with.

Immutable; times are in ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from muster.roster.accounts import NO_ACCOUNT, Account
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

# How often all of an app is compared with what was sent.
COMPARED_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """What is remembered of one app.

    `system` is which app it is: host and path, or the id of a user pool. `groups` are the ids of its groups
    by name, as they were found or made. `decided_with` is the digest of the settings that everybody was
    judged with; without it, the next push judges everybody. `compared_at` is when all of the app was last
    compared with what was sent, and `orphans` the digest of the users who were told to be nobody's then.
    """

    system: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    decided_with: str | None = None
    compared_at: str | None = None
    orphans: str | None = None

    def is_to_be_compared(self, now: datetime) -> bool:
        """Whether it is time to compare the app; for one that was never pushed to whole, it is not."""
        return self.compared_at is not None and timestamp(now - COMPARED_EVERY) >= self.compared_at

    def with_group(self, name: str, group: str | None) -> AppState:
        """Return the state with a group's id, or without the group: whoever was in it has to be judged."""
        others = {each: id_ for each, id_ in self.groups.items() if each != name and id_ != group}
        if group is None:
            return replace(self, groups=others, decided_with=None)
        return replace(self, groups={**others, name: group})

    def to_json(self) -> dict[str, Any]:
        """Return what is stored; `orphans` only where an app was compared."""
        stored = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return stored if self.orphans else {name: each for name, each in stored.items() if name != "orphans"}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> AppState:
        """Return the state of a stored document; keys of a newer version are left out."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__ if name in document})


def digest_of(orphans: Iterable[tuple[str, str]], number: int) -> str:
    """Return the digest of users who are nobody's: how many, and the first by id and userName."""
    return blake2b(orjson.dumps([number, sorted(orphans)]), digest_size=8).hexdigest()


def here(state: AppState, connection: TargetConnection) -> AppState:
    """Return what is remembered of the app to which a connection leads: of another one, nothing counts."""
    return state if state.system == connection.leads_to else AppState(system=connection.leads_to)


def digest(settings: Settings, connection: TargetConnection) -> str:
    """Return the digest of all in the settings that decides who is to have what in the app."""
    document = [
        connection.model_dump(mode="json", exclude={"secret"}),
        [[each.name, list(each.formerly)] for each in settings.assignments],
        settings.time_zone,
    ]
    return blake2b(orjson.dumps(document, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def as_it_is_now(account: Account, state: AppState, connection: TargetConnection) -> Account:
    """Return what is known of an account, given what is known of the app by now.

    In another app there is no such account. A group may have another name by now, and into one that was
    deleted there, and made again, the account has to be put again.
    """
    if account.system not in ("", connection.leads_to):
        return replace(NO_ACCOUNT, unknown=account.unknown)
    names = {group: name for name, group in state.groups.items()}
    groups = {names[group]: group for group in account.groups.values() if group in names}
    return account if groups == dict(account.groups) else replace(account, groups=groups)
