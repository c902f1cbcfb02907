"""What an import has read of Vault CRM, as a plan needs it (I3). Values only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from muster.errors import Problem
from muster.sources.vault_users import VaultUser


@dataclass(slots=True, kw_only=True)
class VaultUsersRead:
    """The users to decide about, in order; of several with one address, those who are active come first.

    `refused` are those who are not understood, by Vault CRM id. `total` is how many were read, `newest` the
    latest time of change among them, `whole` whether everyone was, `groups` those that anybody read is in, by
    feature. `gone` are the ids of users of members whom the vault does not show, `host` is the vault, `moved`
    whether it is another than members are linked to. `problem` is why nothing could be read.
    """

    host: str
    whole: bool
    moved: bool
    users: Sequence[VaultUser] = ()
    refused: Sequence[tuple[str, Problem]] = ()
    total: int | None = None
    newest: str | None = None
    gone: frozenset[str] = frozenset()
    groups: Mapping[str, Iterable[str]] = field(default_factory=dict)
    problem: Problem | None = None
