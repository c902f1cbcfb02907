"""Users of Vault CRM who hold an Engage group and are linked to no member: a licence of nobody (G10).

Imports record them, whoever asked for a group included; `insight.listing_licences` shows them with what to
do. Pure.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from muster.crm import vault_fields
from muster.crm.engage_features import CONNECTION, NAMES, Feature
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.roster.decisions import Decision, Outcome, UnlinkedReason
from muster.roster.stored_values import Json
from muster.sources.vault_users import VaultUser

CODE = "licence_of_nobody"
_NOBODYS = frozenset({Outcome.UNLINKED, Outcome.AMBIGUOUS})

_WHY: Mapping[UnlinkedReason, str] = {
    UnlinkedReason.NO_MEMBER: (
        "no member has its {match}: the person left before Muster came, is not in Salesforce, or has another"
        " {match} there"
    ),
    UnlinkedReason.AMBIGUOUS: "several members have its {match}, and not just one of them is active",
    UnlinkedReason.MEMBER_LINKED_TO_ANOTHER: (
        "the member who has its {match} is linked to another user of Vault CRM"
    ),
    UnlinkedReason.MEMBER_LEFT: (
        "the member who has its {match} has left, and is linked to another user of Vault CRM"
    ),
}
_DO: Mapping[UnlinkedReason, str] = {
    UnlinkedReason.NO_MEMBER: (
        "If nobody works with it, {clear}. If a member does, give it the member's {match}, and import."
    ),
    UnlinkedReason.AMBIGUOUS: (
        "Correct the {match} of the user in Vault CRM, or of the members in Salesforce, and import. If nobody"
        " works with it, {clear}."
    ),
    UnlinkedReason.MEMBER_LINKED_TO_ANOTHER: (
        "If the member works with the other user, {clear}. If with this one, take the other out of its groups"
        " in Vault CRM, make it inactive, and import."
    ),
    UnlinkedReason.MEMBER_LEFT: "Take it back: {clear}.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkedHolder:
    """A user of Vault CRM (`id`) with a group, linked to no member.

    `groups` maps a feature to its `group` and `request`, where it has either. `reason` is why it is linked
    to nobody, `members` are those (ids) that it fits. `since` is when an import first saw it (ISO 8601).
    """

    id: str
    username: str | None
    email: str | None
    active: bool
    groups: Mapping[Feature, Mapping[str, str | None]]
    reason: UnlinkedReason
    since: str
    members: tuple[str, ...] = ()

    def to_document(self) -> Json:
        """Return the JSON object that is stored, without the id."""
        return {name: value for name, value in asdict(self).items() if name != "id"}

    @classmethod
    def from_document(cls, vault_id: str, document: Json) -> "UnlinkedHolder":
        """Return the user of a stored JSON object; keys of a newer version are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(
            **{
                **known,
                "id": vault_id,
                "reason": UnlinkedReason(known["reason"]),
                "members": tuple(known.get("members", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from what is recorded: users to record, and ids of those who are no such users any more.

    `new` are the ids of those who were not recorded before.
    """

    record: tuple[UnlinkedHolder, ...] = ()
    forget: tuple[str, ...] = ()
    new: frozenset[str] = field(default_factory=frozenset)

    def told(self, match: str, run: str) -> Iterator[LogEntry]:
        """Yield an entry for each new one, the same each time it is made (I8); `match` as in the settings."""
        for holder in self.record:
            if holder.id in self.new:
                yield entry(holder, match, run)


def holder_of(user: VaultUser, decision: Decision, at: str) -> UnlinkedHolder | None:
    """Return the user as a holder linked to nobody, if it is one by this decision; `at` is now (ISO 8601)."""
    if decision.outcome not in _NOBODYS:
        return None
    groups = {
        feature: {"group": seen.group, "request": seen.request}
        for feature, seen in user.seen.items()
        if seen.group or seen.request
    }
    if not groups:
        return None
    return UnlinkedHolder(
        id=user.id,
        username=user.username,
        email=user.email,
        active=user.active,
        groups=groups,
        reason=decision.unlinked_reason or UnlinkedReason.NO_MEMBER,
        since=at,
        members=tuple(sorted(member.id for member in decision.unchanged)),
    )


def changes(
    known: Mapping[str, UnlinkedHolder], found: Iterable[UnlinkedHolder], looked_at: Collection[str] | None
) -> Changes:
    """Return how to record what an import found, where these are `known`, by id.

    `looked_at` are the users that were read, `None` everyone: of these, whoever is not found is forgotten.
    """
    there = {
        holder.id: replace(holder, since=known[holder.id].since) if holder.id in known else holder
        for holder in found
    }
    return Changes(
        record=tuple(holder for holder in there.values() if holder != known.get(holder.id)),
        forget=tuple(
            sorted(each for each in known if each not in there and (looked_at is None or each in looked_at))
        ),
        new=frozenset(there.keys() - known.keys()),
    )


def entry(holder: UnlinkedHolder, match: str, run: str) -> LogEntry:
    """Return the entry for the error log about one; it names no person."""
    problem = Problem(
        "user__sys",
        f"{held_in_words(holder)}, and is linked to no member: {why(holder, match)}",
        f"{what_to_do(holder, match)} RosterQueryFunction (licences) lists all such users.",
    )
    return entry_of(
        problem, at=holder.since, system=CONNECTION, code=CODE, notification=run, record=holder.id
    )


def held_in_words(holder: UnlinkedHolder) -> str:
    """Return what the user has, as in: is in the group "UK" of Engage."""
    return " and ".join(
        f'is in the group "{held["group"]}" of {NAMES[feature]}'
        if held["group"]
        else f'asks for the group "{held["request"]}" of {NAMES[feature]}'
        for feature, held in holder.groups.items()
    )


def why(holder: UnlinkedHolder, match: str) -> str:
    """Return in words why the user is linked to nobody; `match` is what users are linked by (settings)."""
    return _WHY[holder.reason].format(match=_named(match))


def what_to_do(holder: UnlinkedHolder, match: str) -> str:
    """Return in words what to do about the user, with the places in Vault CRM."""
    return _DO[holder.reason].format(match=_named(match), clear=_clear(holder))


def _clear(holder: UnlinkedHolder) -> str:
    """Return how the user is taken out of its groups: Vault CRM reacts to a request's change, or a retry."""
    requests = [vault_fields.request_field(name) for name, held in holder.groups.items() if held["request"]]
    retries = [vault_fields.status_field(name) for name, held in holder.groups.items() if not held["request"]]
    steps = [f"clear {name}" for name in requests]
    steps += [f"set {name} to Retry Request" for name in retries]
    if not holder.active:
        # Engage Connect takes no request for an inactive user.
        steps = ["make the user active", *steps, "make the user inactive again"]
    return f"in Vault CRM {', then '.join(steps)}"


def _named(match: str) -> str:
    return "e-mail address" if match == "email" else match
