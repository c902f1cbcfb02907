"""What the app thinks of a new state of a user or group, whichever call brought it about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sandbox.scim.protocol import ENTERPRISE, Json, Refused, is_active, primary_email
from sandbox.scim.quirks import Quirks, names_it

NO_LICENCE = "No license available for this user"


class Others(Protocol):
    """The rest of the directory."""

    def all(self, kind: str) -> list[Json]:
        """Return every User or Group."""

    def peek(self, kind: str, resource_id: str) -> Json | None:
        """Return one of them."""

    def named(self, kind: str, name: str) -> list[Json]:
        """Return those of a name."""

    def forget_inactive(self, name: str) -> None:
        """Remove the inactive users of a name for good."""


@dataclass
class Change:
    """A state and what it was before: None for a new one. `after` is empty for one that is removed."""

    quirks: Quirks
    kind: str
    before: Json | None
    after: Json
    others: Others

    @property
    def is_user(self) -> bool:
        """Whether it is a user that stays."""
        return self.kind == "User" and bool(self.after)

    @property
    def becomes_active(self) -> bool:
        """Whether it takes a seat that it had not."""
        was = self.before is not None and is_active(self.before)
        return self.is_user and is_active(self.after) and not was

    def rest(self, kind: str) -> list[Json]:
        """Return the others of a kind."""
        own = (self.before or {}).get("id")
        return [each for each in self.others.all(kind) if each["id"] != own]


def settle(change: Change) -> Json:
    """Return the state as the app keeps it. Raises Refused."""
    for rule in _RULES:
        rule(change)
    return change.after


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────


def _names_are_unique(change: Change) -> None:
    attribute = "userName" if change.kind == "User" else "displayName"
    unique = (
        change.quirks.post_existing != "duplicates"
        if change.kind == "User"
        else change.quirks.unique_group_names
    )
    name = change.after.get(attribute)
    own = (change.before or {}).get("id")
    if not unique or name is None:
        return
    if change.kind == "User" and change.quirks.inactive == "gone" and change.before is None:
        change.others.forget_inactive(name)
    if any(each["id"] != own for each in change.others.named(change.kind, name)):
        raise _conflict(f"{attribute} is already in use")


def _emails_are_unique(change: Change) -> None:
    if not change.quirks.unique_emails or not change.is_user:
        return
    wanted = (primary_email(change.after) or "").casefold()
    if wanted and any((primary_email(each) or "").casefold() == wanted for each in change.rest("User")):
        raise _conflict("The e-mail address belongs to another account")


def _conflict(detail: str) -> Refused:
    return Refused(409, detail, "uniqueness")


def _user_name(change: Change) -> None:
    if not change.is_user:
        return
    if change.quirks.lowercases_user_names:
        change.after["userName"] = change.after["userName"].lower()
    if change.quirks.user_name_is_email and change.after["userName"] != primary_email(change.after):
        raise Refused(400, "userName must equal the primary e-mail address", "invalidValue")


# ── Attributes ───────────────────────────────────────────────────────────────────────────────────────


def _at(resource: Json, path: str) -> object:
    found: object = resource
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _required(change: Change) -> None:
    if change.before is None and change.kind == "User":
        for path in change.quirks.requires:
            if _at(change.after, path) in (None, "", []):
                raise Refused(400, f"{path} is required", "invalidValue")


def _unsupported(change: Change) -> None:
    for attribute in list(change.after):
        if names_it(change.quirks.unsupported, change.kind, attribute):
            del change.after[attribute]


def _immutable(change: Change) -> None:
    for attribute, value in (change.before or {}).items():
        is_fixed = names_it(change.quirks.immutable, change.kind, attribute)
        if change.after and is_fixed and change.after.get(attribute) != value:
            raise Refused(400, f"{attribute} cannot be changed", "mutability")


def _single_values(change: Change) -> None:
    if change.quirks.single_values and change.is_user:
        for attribute, value in change.after.items():
            if attribute != "schemas" and isinstance(value, list) and len(value) > 1:
                raise Refused(400, f"{attribute} takes one value only", "invalidValue")


def _manager(change: Change) -> None:
    manager = change.after.get(ENTERPRISE, {}).get("manager", {}).get("value")
    if manager is None or change.others.peek("User", manager) is not None:
        return
    if change.quirks.manager == "must_exist":
        raise Refused(400, "The manager does not exist", "invalidValue")
    if change.quirks.manager == "crashes":
        raise Refused(500, "Internal server error")


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────


def _protected(change: Change) -> None:
    before = change.before or {}
    names = {name.casefold() for name in change.quirks.protected}
    leaves = not change.after or not is_active(change.after)
    if change.kind == "User" and leaves and str(before.get("userName")).casefold() in names:
        raise Refused(403, "The owner of the account cannot be deactivated")


def _locked(change: Change) -> None:
    before = change.before
    if change.quirks.inactive != "locked" or before is None or is_active(before) or not change.is_user:
        return
    names = {*before, *change.after} - {"active", "meta", "schemas"}
    if any(before.get(name) != change.after.get(name) for name in names):
        raise Refused(400, "A deactivated user takes no other change than active", "mutability")


# ── Seats ────────────────────────────────────────────────────────────────────────────────────────────


def _seats(change: Change) -> None:
    quirks, is_new = change.quirks, change.before is None
    takes_one = change.is_user and is_new if quirks.inactive_use_seats else change.becomes_active
    if quirks.seats is not None and takes_one:
        used = [each for each in change.rest("User") if quirks.inactive_use_seats or is_active(each)]
        _refuse_over(quirks.seats, len(used) + 1)


def _entitlement_seats(change: Change) -> None:
    limits = change.quirks.entitlement_seats
    if not limits or not change.is_user or not is_active(change.after):
        return
    before = set() if change.before is None or not is_active(change.before) else _entitlements(change.before)
    for name in _entitlements(change.after) - before:
        holders = [each for each in change.rest("User") if is_active(each) and name in _entitlements(each)]
        _refuse_over(limits.get(name), len(holders) + 1)


def _entitlements(user: Json) -> set[str]:
    return {str(each.get("value")) for each in user.get("entitlements") or []}


def _refuse_over(limit: int | None, used: int) -> None:
    if limit is not None and used > limit:
        raise Refused(403, NO_LICENCE)


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────


def _new_members(change: Change) -> None:
    if (change.quirks.unknown_members, change.quirks.inactive_members) == ("added", "added"):
        return
    members = change.after.get("members") or []
    had = {each.get("value") for each in (change.before or {}).get("members") or []}
    kept = []
    for member in members:
        user = change.others.peek("User", str(member.get("value")))
        unknown = change.quirks.unknown_members if user is None else "added"
        inactive = change.quirks.inactive_members if user and not is_active(user) else "added"
        is_new = member.get("value") not in had
        if is_new and "refused" in {unknown, inactive}:
            raise Refused(400, f"{member.get('value')} is no active user", "invalidValue")
        if is_new and unknown == "wipe_the_group":
            change.after["members"] = []
            return
        if not (is_new and "dropped" in {unknown, inactive}):
            kept.append(member)
    if members:
        change.after["members"] = kept


def _member_limits(change: Change) -> None:
    members = change.after.get("members") or []
    grows = len(members) > len((change.before or {}).get("members") or [])
    quirks = change.quirks
    if grows and quirks.group_max_members is not None and len(members) > quirks.group_max_members:
        raise Refused(413, f"A group has at most {quirks.group_max_members} members", "tooMany")
    if grows:
        _refuse_over(quirks.group_seats.get(str(change.after.get("displayName"))), len(members))
    if change.before is not None and quirks.members_kept is not None and members:
        change.after["members"] = members[: quirks.members_kept]


_RULES: tuple[Callable[[Change], None], ...] = (
    _unsupported,
    _required,
    _immutable,
    _single_values,
    _manager,
    _user_name,
    _protected,
    _locked,
    _names_are_unique,
    _emails_are_unique,
    _seats,
    _entitlement_seats,
    _new_members,
    _member_limits,
)
