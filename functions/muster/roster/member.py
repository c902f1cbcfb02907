"""A member of the roster: its attributes, its JSON and its stored document. Immutable; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]

NO_ENGAGE: Mapping[str, str | None] = {"request": None, "status": None, "group": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person in the roster, active or not. Never deleted by a run, only deactivated.

    `version` counts effective changes, `revision` every write of the item. `sources` holds, per
    connection, the source version last applied (`sources.newest_changes`). `former_keys` are the match keys
    it gave up, for which another user may wait.

    `assignment_filter` is the digest of the filter that `assignment` had, by which it is known when it is
    renamed. `seats` maps a seat to its place (`roster.seats`), `data_capture` a setting to what is intended
    and effective (`roster.entitlements`). `matched` names every assignment whose filter matched, the
    winner among them. `reports_to` is the CRM id of the manager, who need not be a member; `in_loop` says
    that an import found that the managers above lead back to the member. `origins` says who set a value
    that is neither the CRM's nor the assignment's. `kept_reason` is why the member would be inactive if the
    settings did not keep it; `unmatched_since` is the moment from which its days of grace count,
    `inactive_since` the moment it was deactivated. `digest` is
    the digest of all that the member was last evaluated with. `frozen_since` is when the user was first seen
    frozen in Salesforce.

    `own_email` is the e-mail address as Salesforce has it, where the member's own is that with another domain
    (`domains.convert`). `vault` is what Vault CRM last showed of the user (`roster.engage_groups`): `active`,
    per feature the request there, `digest` of the row as imported, `waits`, the places in line for a licence,
    `tries`, what is tried there until it is done (`roster.vault_tries`), `former`, the groups to request
    again for who comes back (`roster.former_groups`), `returning`, the features of which that is unsent,
    `set_aside`, those whose request waits until they are pushed (`roster.requests_set_aside`),
    `written`, what custom mappings have written (`roster.written_fields`), and `unfit`, that the user goes by
    nothing of the member any more (`roster.vault_links`).
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
    seats: Mapping[str, Any] = field(default_factory=dict)
    workspaces: Mapping[str, str] = field(default_factory=dict)
    data_capture: Mapping[str, Any] = field(default_factory=dict)
    engage: Mapping[str, str | None] = field(default_factory=lambda: dict(NO_ENGAGE))
    engage_connect: Mapping[str, str | None] = field(default_factory=lambda: dict(NO_ENGAGE))
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
    vault: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    former_keys: tuple[str, ...] = ()
    version: int = 0
    updated_at: str | None = None
    revision: int = 0

    def to_json(self) -> Json:
        """Return the member as functions return it (the shape is the published contract)."""
        shown = self.shown(SHOWN)
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
            shown["seats"] = {
                seat: {name: value for name, value in place.items() if name != "rank"}
                for seat, place in self.seats.items()
            }
        return shown

    def to_document(self) -> Json:
        """Return what is stored: every attribute that differs from its default."""
        return {
            name: value
            for name, empty in _EMPTY.items()
            if name not in _STORED_APART and (value := getattr(self, name)) != empty
        }

    @classmethod
    def from_document(cls, document: Json, revision: int = 0) -> Member:
        """Return the member of a stored document; without a revision it cannot be written."""
        listed: Json = {name: tuple(document.get(name, ())) for name in ("former_keys", "matched")}
        return cls(**{**document, **listed}, revision=revision)


_NOT_SHOWN = frozenset(
    {
        "assignment_filter",
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
_STORED_APART = frozenset({"revision"})
_EMPTY = {name: getattr(Member(id="", organization=""), name) for name in Member.__dataclass_fields__}
