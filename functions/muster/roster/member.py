"""A member of the roster: its attributes, its JSON and its stored document. Immutable; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

from muster.crm.engage_features import CONNECT, ENGAGE, Feature
from muster.roster.accounts import Account
from muster.roster.data_capture import Capture
from muster.roster.engage_state import NO_ENGAGE, Engage
from muster.roster.seats import Places, SeatPlace
from muster.roster.stored_values import Json as Json
from muster.roster.vault_state import NOTHING_KNOWN, VaultState


class Attributes(TypedDict, total=False):
    """Attributes of a member that rules decide about together: `replace(member, **attributes)` takes them."""

    active: bool
    inactive_reason: str | None
    enabled: bool
    inbound_enabled: bool
    username: str | None
    email: str | None
    own_email: str | None
    manager: str | None
    phone_numbers: Mapping[str, str | None]
    crm: Mapping[str, Mapping[str, str | None]]
    custom: Mapping[str, str | None]
    assignment: str | None
    assignment_filter: str | None
    update_mode: str | None
    seats: Places
    workspaces: Mapping[str, str]
    data_capture: Mapping[str, Capture]
    engage: Engage
    engage_connect: Engage
    crm_user_status: str | None
    end_date: str | None
    matched: tuple[str, ...]
    reports_to: str | None
    in_loop: bool
    origins: Mapping[str, str]
    kept_reason: str | None
    frozen_since: str | None
    unmatched_since: str | None
    digest: str
    vault: VaultState
    accounts: Mapping[str, Account]
    changed_for: tuple[str, ...]
    former_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person in the roster, active or not. Never deleted by a run, only deactivated.

    `version` counts effective changes, `revision` every write of the item. `sources` holds, per
    connection, the source version last applied (`sources.newest_changes`). `former_keys` are the match keys
    it gave up, for which another user may wait.

    `assignment_filter` is the digest of the filter that `assignment` had, by which it is known when it is
    renamed. `seats` maps a seat to its place (`roster.seats`), `data_capture` a setting to what is intended
    and effective (`roster.data_capture`). `matched` names every assignment whose filter matched, the
    winner among them. `reports_to` is the CRM id of the manager, who need not be a member; `in_loop` says
    that an import found that the managers above lead back to the member. `origins` says who set a value
    that is neither the CRM's nor the assignment's. `kept_reason` is why the member would be inactive if the
    settings did not keep it; `unmatched_since` is the moment from which its days of grace count,
    `inactive_since` the moment it was deactivated, or the message came in that led to it. `digest` is
    the digest of all that the member was last evaluated with. `frozen_since` is when the user was first seen
    frozen in Salesforce.

    `own_email` is the e-mail address as Salesforce has it, where the member's own is that with another domain
    (`domains.convert`). `vault` is what Vault CRM last showed of the user, and
    what is to be done for it (`roster.vault_state`). `accounts` are those in apps, by connection
    (`scim.gong`), and `changed_for` names the connections that no push has brought in line since the last
    change.
    """

    id: str
    organization: str
    active: bool = False
    inactive_reason: str | None = None
    enabled: bool = False
    inbound_enabled: bool = False
    username: str | None = None
    email: str | None = None
    own_email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    title: str | None = None
    phone_numbers: Mapping[str, str | None] = field(default_factory=dict)
    extension: str | None = None
    locale: str | None = None
    language: str | None = None
    time_zone: str | None = None
    picture_url: str | None = None
    manager: str | None = None
    crm: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    custom: Mapping[str, str | None] = field(default_factory=dict)
    assignment: str | None = None
    assignment_filter: str | None = None
    update_mode: str | None = None
    seats: Places = field(default_factory=dict)
    workspaces: Mapping[str, str] = field(default_factory=dict)
    data_capture: Mapping[str, Capture] = field(default_factory=dict)
    engage: Engage = NO_ENGAGE
    engage_connect: Engage = NO_ENGAGE
    crm_user_status: str | None = None
    end_date: str | None = None
    matched: tuple[str, ...] = ()
    reports_to: str | None = None
    in_loop: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)
    kept_reason: str | None = None
    frozen_since: str | None = None
    unmatched_since: str | None = None
    inactive_since: str | None = None
    digest: str = ""
    vault: VaultState = NOTHING_KNOWN
    accounts: Mapping[str, Account] = field(default_factory=dict)
    changed_for: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    former_keys: tuple[str, ...] = ()
    version: int = 0
    updated_at: str | None = None
    revision: int = 0

    def feature(self, feature: Feature) -> Engage:
        """Return what the member has of an Engage feature."""
        return self.engage if feature == ENGAGE else self.engage_connect

    def with_feature(self, feature: Feature, engage: Engage) -> Member:
        """Return the member with this of an Engage feature."""
        return replace(self, engage=engage) if feature == ENGAGE else replace(self, engage_connect=engage)

    def to_json(self) -> Json:
        """Return the member as functions return it (the shape is the published contract)."""
        shown = self.shown(SHOWN)
        if not shown["accounts"]:
            # Of an organization without apps nothing is said about them.
            del shown["accounts"]
        shown["source_version"] = max(
            (source.partition("|")[0] for source in self.sources.values()), default=None
        )
        return shown

    def shown(self, names: Iterable[str]) -> Json:
        """Return these attributes as the member's JSON shows them."""
        shown = {name: getattr(self, name) for name in names}
        if "phone_numbers" in shown:
            shown["phone_numbers"] = [
                {"type": kind, "number": number} for kind, number in self.phone_numbers.items() if number
            ]
        if "seats" in shown:
            # The rank in line is for the table to sort by, not for people to read.
            shown["seats"] = written = _each_to_json(self.seats)
            for place in written.values():
                place.pop("rank", None)
        if "data_capture" in shown:
            shown["data_capture"] = _each_to_json(self.data_capture)
        if "accounts" in shown:
            shown["accounts"] = {name: said for name, each in self.accounts.items() if (said := each.shown())}
        for feature in (ENGAGE, CONNECT):
            if feature in shown:
                shown[feature] = shown[feature].to_json()
        return shown

    def to_document(self) -> Json:
        """Return what is stored: every attribute that differs from its default."""
        document = {
            name: value
            for name, _, empty in _SLOTS
            if (value := getattr(self, name)) is not empty and value != empty
        }
        for name, (_, written) in _TYPED.items():
            if name in document:
                document[name] = written(document[name])
        return document

    @classmethod
    def from_document(cls, document: Json, revision: int = 0) -> Member:
        """Return the member of a stored document; without a revision it cannot be written.

        Raises `TypeError` for an attribute that only a newer version knows.
        """
        if unknown := document.keys() - _DEFAULTS.keys():
            raise TypeError(f"a member of a newer version: {', '.join(sorted(unknown))}")
        # Past `__init__`, which takes twice as long to sort out so many names: imports read many members.
        member = object.__new__(cls)
        for name, put, empty in _SLOTS:
            if name not in document:
                put(member, empty)
            elif name in _TYPED:
                put(member, _TYPED[name][0](document[name]))
            else:
                put(member, document[name])
        _put_revision(member, revision)
        return member


def _each_to_json(values: Places | Mapping[str, Capture] | Mapping[str, Account]) -> dict[str, Json]:
    return {name: value.to_json() for name, value in values.items()}


# How attributes that are not JSON by themselves are read from JSON, and written.
_TYPED: Mapping[str, tuple[Callable[[Any], object], Callable[[Any], object]]] = {
    "seats": (lambda seats: {name: SeatPlace.from_json(each) for name, each in seats.items()}, _each_to_json),
    "data_capture": (
        lambda settings: {name: Capture.from_json(each) for name, each in settings.items()},
        _each_to_json,
    ),
    "engage": (Engage.from_json, Engage.to_json),
    "engage_connect": (Engage.from_json, Engage.to_json),
    "vault": (VaultState.from_json, VaultState.to_json),
    "accounts": (
        lambda accounts: {name: Account.from_json(each) for name, each in accounts.items()},
        _each_to_json,
    ),
    "changed_for": (tuple, list),
    "former_keys": (tuple, list),
    "matched": (tuple, list),
}


_NOT_SHOWN = frozenset(
    {
        "assignment_filter",
        "changed_for",
        "digest",
        "former_keys",
        "frozen_since",
        "in_loop",
        "inactive_since",
        "kept_reason",
        "matched",
        "origins",
        "own_email",
        "reports_to",
        "revision",
        "sources",
        "unmatched_since",
        "vault",
    }
)
# The attributes in the member's JSON, in its order.
SHOWN = tuple(name for name in Member.__dataclass_fields__ if name not in _NOT_SHOWN)
# What an attribute is that the stored document leaves out, in its order; the revision is beside it.
_DEFAULTS: Json = {
    name: getattr(Member(id="", organization=""), name)
    for name in Member.__dataclass_fields__
    if name != "revision"
}
_SLOTS = tuple((name, Member.__dict__[name].__set__, empty) for name, empty in _DEFAULTS.items())
_put_revision = Member.__dict__["revision"].__set__
