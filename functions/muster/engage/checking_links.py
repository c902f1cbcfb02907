"""Links checked before a push sends by them: nothing is sent to a user who is somebody else by now (G10).

An import links such a user to whom it is now; until then the push leaves the member alone, and tells it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.error_log import LogEntry
from muster.roster import vault_lifecycle, vault_links
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.settings import Settings
from muster.sources.vault_users import VaultUser


@dataclass(frozen=True, slots=True)
class Strangers:
    """Members (ids) whose user certainly is another member, and entries for the error log about them."""

    members: frozenset[str] = frozenset()
    entries: tuple[LogEntry, ...] = ()


def strangers(
    members: Iterable[Member], users: Mapping[str, VaultUser], settings: Settings, roster: Roster
) -> Strangers:
    """Return whose user is somebody else by now; `users` are theirs, by Vault CRM id.

    Only of users who go by nothing of their member the roster is asked whose they are.
    """
    doubtful = {
        user.id: (member, user)
        for member in members
        if (user := users.get(vault_id(member) or "")) and not vault_links.fits(user, member)
    }
    if not doubtful:
        return Strangers()
    wanted = {name: vault_lifecycle.wanted_for(user, settings) for name, (_, user) in doubtful.items()}
    known = roster.gather(settings.organization, wanted)
    found = [
        (member, user, owner)
        for name, (member, user) in doubtful.items()
        if (owner := vault_links.owner(user, member, known[name].namesakes, settings))
    ]
    return Strangers(
        frozenset(member.id for member, _, _ in found),
        tuple(vault_links.not_sent(user, member, owner) for member, user, owner in found),
    )
