"""Whose a user of Vault CRM is, by its username and e-mail address, and what is told of links (A14, G10).

A member has an address of its own where Salesforce has it so; one with a converted domain says nothing about
who somebody is. A link is checked whenever its user is decided about: who goes by nothing of its member any
more, and certainly is another member, goes to that one; in doubt the link stays, and is told once. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping

from muster.crm.engage_features import FEATURES, Feature
from muster.error_log import LogEntry
from muster.errors import Problem
from muster.roster import engage_groups, vault_tries
from muster.roster.engage_errors import user_entry
from muster.roster.links import match_keys, match_keys_of, own_keys_of, vault_id
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.mappings import pushed_features, vault_crm_connection
from muster.sources.vault_users import LinkLost, LostLink, VaultUser

RENAMED = "vault_user_renamed"
HANDED_ON = "vault_user_handed_on"
GONE = "vault_user_gone"
LEFT_IN_GROUP = "vault_user_left_in_group"


def keys_of_user(user: VaultUser) -> tuple[str, ...]:
    """Return the match keys of a user, whatever the settings link by."""
    return match_keys(user.username, user.email)


def linking_keys(user: VaultUser, settings: Settings) -> tuple[str, ...]:
    """Return the match keys by which the settings link a user."""
    by_email = vault_crm_connection(settings).match == "email"
    return match_keys(None, user.email) if by_email else match_keys(user.username, None)


def candidates(user: VaultUser, members: Iterable[Member], settings: Settings) -> tuple[Member, ...]:
    """Return the members whose own address or username, as the settings say, the user has."""
    keys = frozenset(linking_keys(user, settings))
    return tuple(member for member in members if not keys.isdisjoint(own_keys_of(member)))


def fits(user: VaultUser, member: Member) -> bool:
    """Whether the user goes by the username or an e-mail address of the member, even a converted one."""
    return not frozenset(keys_of_user(user)).isdisjoint(match_keys_of(member))


def owner(user: VaultUser, linked: Member, members: Iterable[Member], settings: Settings) -> Member | None:
    """Return the other member that the linked user certainly is; `None`: it stays where it is.

    It is certain if the user goes by nothing that its member has or has had, all that it goes by is one
    other's own, or nobody's, and what the settings link by is among it.
    """
    keys = frozenset(keys_of_user(user))
    if fits(user, linked) or not keys.isdisjoint(linked.former_keys):
        return None
    others = [each for each in members if each.id != linked.id and not keys.isdisjoint(own_keys_of(each))]
    if len(others) > 1:
        others = [each for each in others if each.active]
    return others[0] if len(others) == 1 and candidates(user, others, settings) else None


def may_be_linked(member: Member, user: VaultUser, settings: Settings) -> bool:
    """Whether a member that the user fits may be linked to it.

    It may if it is linked to no user, to one who is gone, or to one who goes by nothing of the member any
    more. It may also if its user is inactive and this one active: once the old one is in no group, or in
    one out of which no push can take it.
    """
    former = vault_id(member)
    if former in (None, user.succeeds):
        return True
    if user.moved:
        return former == user.id
    if not user.active:
        return False
    if member.vault.unfit:
        return True
    return not member.vault.is_active and not any(
        _comes_home(member, feature, settings) for feature in FEATURES
    )


def _comes_home(member: Member, feature: Feature, settings: Settings) -> bool:
    """Whether the member's user holds something that a push can still be expected to take back (G7)."""
    if not engage_groups.gives_back(member, feature):
        return False
    tries = vault_tries.of_removal(member, feature)
    return feature in pushed_features(settings) and not (tries and tries.failed)


# ── What is told ─────────────────────────────────────────────────────────────────────────────────────


def entries(
    change: VaultUser | LostLink, before: Member, after: Member, at: str, run: str
) -> Iterator[LogEntry]:
    """Yield entries for the error log about a link that a change has moved, taken or put in doubt.

    `at` is now (ISO 8601). Another vault is told once for all of them, by the import.
    """
    former = vault_id(before)
    if isinstance(change, LostLink):
        if change.why in _LOST:
            code, problem = _LOST[change.why]
            yield user_entry(at, change.id, code, _naming(problem, change), before.id, run)
    elif former and former != vault_id(after) and not change.moved:
        if groups := [group for each in FEATURES if (group := before.feature(each).group)]:
            yield user_entry(at, former, LEFT_IN_GROUP, _left(groups, change.id), before.id, run)
    elif after.vault.unfit and not before.vault.unfit:
        yield user_entry(at, change.id, RENAMED, _RENAMED, before.id, run)


def not_sent(user: VaultUser, member: Member, owner: Member) -> LogEntry:
    """Return the entry about a member to whose user a push sends nothing, because it is another member now.

    It is the same each time until the user is saved again.
    """
    problem = Problem(
        "user__sys",
        f"has the e-mail address or username of another member now ({owner.id}), so nothing was sent",
        "Nothing to do if the user was handed on: the next import links it to that member. Else correct its"
        " address in Vault CRM.",
    )
    return user_entry(user.modified or "", user.id, HANDED_ON, problem, member.id, member.id)


_RENAMED = Problem(
    "user__sys",
    "has neither the username nor an e-mail address of its member any more; nothing was changed, and the user"
    " is still taken for the member's",
    "If it is the same person, correct the address in Vault CRM or in Salesforce. If it is somebody else now,"
    " give it that person's e-mail address and username: the next import links it anew.",
)
_LOST: Mapping[LinkLost, tuple[str, Problem]] = {
    LinkLost.HANDED_ON: (
        HANDED_ON,
        Problem(
            "user__sys",
            "has the e-mail address or username of another member now, and is linked to that one",
            "Nothing to do if the user was handed on. Else correct the address in Vault CRM: the next import"
            " links the user back.",
        ),
    ),
    LinkLost.GONE: (
        GONE,
        Problem(
            "user__sys",
            "is no longer shown by Vault CRM",
            "Nothing is sent for the member, and no licence taken back. If the user is still there, let the"
            " integration user read it: the next full import links it again.",
        ),
    ),
}


def _naming(problem: Problem, change: LostLink) -> Problem:
    to = f" ({change.to})" if change.to else ""
    what = f"{problem.message}{to}; the link to its former member is removed"
    return Problem(problem.where, what, problem.remedy)


def _left(groups: Iterable[str], successor: str) -> Problem:
    return Problem(
        "user__sys",
        f"was in the group {' and '.join(repr(each) for each in groups)} when its member was linked to user"
        f" {successor} instead; the licence may be taken still, and no push takes it back",
        "In Vault CRM make the old user active, clear its requests, and make it inactive again.",
    )
