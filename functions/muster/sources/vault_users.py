"""Users of Vault CRM, from rows of `user__sys` (I3, G2, G4).

An import compares digests of rows, because most users are unchanged. The digest leaves out when a record
was changed, because Vault updates that with every save. The fields that give access to somebody's
meetings are in no row, because no query asks for them (G2).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from muster.crm import engage_features, vault_fields
from muster.crm.engage_features import Feature, Seen
from muster.errors import Problem, Rejected
from muster.settings import Settings, mappings
from muster.settings.mappings import vault_crm_connection
from muster.sources import salesforce_users
from muster.sources.salesforce_users import Row
from muster.sources.user_changes import MAX_ADDRESS, MAX_TEXT, text_size

CHANGED = "modified_date__v"
_ID = re.compile(r"[A-Za-z0-9]{1,40}")
# Pending: created with a day from which on the user will be active.
_ACTIVE = {"active__v": True, "inactive__v": False, "pending__v": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultUser:
    """What a user of Vault CRM looks like.

    `seen` holds per feature what the Engage fields show, `None` also where a field is not read.
    `requests` holds the member's requests by the inbound map, per feature that it maps, and `custom` the
    member's custom fields. `written` holds the fields that custom mappings write, as they are. `digest` is
    that of the row; `modified` is when the record was last saved, as Vault writes it; `run` is for the
    history. `succeeds` is the Vault id of the user whom this one replaces: it is no longer shown by the
    vault, or no longer the member's. `moved`: this is another vault than members are linked to so far, where
    their ids are other people's.
    """

    id: str
    username: str | None
    email: str | None
    active: bool
    seen: Mapping[Feature, Seen]
    requests: Mapping[Feature, str | None] = field(default_factory=dict)
    custom: Mapping[str, str | None] = field(default_factory=dict)
    written: Mapping[str, str | None] = field(default_factory=dict)
    digest: str = ""
    modified: str | None = None
    run: str = ""
    succeeds: str | None = None
    moved: bool = False

    @property
    def crm_id(self) -> str:
        """The user's id in Vault CRM, under the name that all changes share."""
        return self.id

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "VaultUser":
        """Return the user from its JSON object, as orjson writes a dataclass."""
        seen = {feature: Seen(**shown) for feature, shown in document["seen"].items()}
        return cls(**{**document, "seen": seen})


class LinkLost(StrEnum):
    """Why a member is no longer linked to its user of Vault CRM."""

    # The user is another member now.
    HANDED_ON = "handed_on"
    # The vault does not show the user.
    GONE = "gone"
    # The connection leads to another vault, and nobody there is the member.
    OTHER_VAULT = "other_vault"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLink:
    """A member (id) is no longer linked to the user of Vault CRM with this id.

    `to` is the member (id) that the user is now, where it was handed on; `run` is for the history.
    """

    id: str
    member: str
    why: LinkLost
    to: str | None = None
    run: str = ""

    @property
    def crm_id(self) -> str:
        """The member's id: the user's is that of its own change in the same plan."""
        return self.member

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "LostLink":
        """Return the value of its JSON object, as orjson writes a dataclass."""
        return cls(**{**document, "why": LinkLost(document["why"])})


def is_system_owned(row: Row) -> bool:
    """Whether a user belongs to Vault itself, like System: only people's usernames have an @."""
    return "@" not in (row["username__sys"] or "")


def digester(names: Iterable[str]) -> Callable[[Row], str]:
    """Return the function that makes the digest of a row; it raises `KeyError` where a field is missing."""
    of_row = salesforce_users.digester(name for name in names if name != CHANGED)
    return lambda row: of_row({name: _in_order(value) for name, value in row.items()})


def texts_of(row: Row, names: Sequence[str]) -> dict[str, str | None]:
    """Return these fields of a row as canonical texts; the values of a picklist are one, with semicolons."""
    return dict(salesforce_users.fields_of({name: _unwrapped(row[name]) for name in names}, names))


def user_of(row: Row, settings: Settings, run: str) -> VaultUser:
    """Return a row as a user.

    Picklists may come as an array or as a text. Raises `Rejected` where the row is not that of a user.
    """
    names = mappings.vault_fields_to_read(settings)
    missing = [name for name in names if name not in row]
    if missing or not isinstance(row["id"], str) or not _ID.fullmatch(row["id"]):
        what = f"lacks {', '.join(missing)}" if missing else "has no id of Vault CRM"
        raise Rejected(Problem("user__sys", what, "Let the integration user read the field in Vault CRM."))
    fields = texts_of(row, names)
    status = fields["status__v"] or ""
    if status not in _ACTIVE:
        raise Rejected(
            Problem(
                "status__v",
                "is none of active__v, inactive__v and pending__v",
                "Check the user in Vault CRM.",
            )
        )
    if any(len(fields[name] or "") > MAX_ADDRESS for name in ("username__sys", "email__sys")):
        raise Rejected(
            Problem("username__sys", "is longer than an address can be", "Correct the user in Vault CRM.")
        )
    if text_size(fields) > MAX_TEXT:
        remedy = "Take long text fields out of the settings, or shorten the user's."
        raise Rejected(Problem("user__sys", "holds too much text", remedy))
    mapped = {target: fields[name] for target, name in mappings.inbound(settings).items()}
    return VaultUser(
        id=row["id"],
        username=fields["username__sys"],
        email=fields["email__sys"],
        active=_ACTIVE[status],
        seen={feature: _seen(fields, feature, settings) for feature in engage_features.FEATURES},
        requests={
            feature: mapped[target]
            for feature in engage_features.FEATURES
            if (target := f"{feature}.request") in mapped
        },
        custom={
            target.removeprefix(mappings.CUSTOM): value
            for target, value in mapped.items()
            if target.startswith(mappings.CUSTOM)
        },
        written={name: fields[name] for name in mappings.custom_fields_to_write(settings)},
        digest=digester(names)(row),
        modified=fields[CHANGED],
        run=run,
    )


def _seen(fields: Mapping[str, str | None], feature: Feature, settings: Settings) -> Seen:
    status = fields.get(vault_fields.status_field(feature))
    return Seen(
        request=fields.get(vault_fields.request_field(feature)),
        status=vault_crm_connection(settings).status_code(feature, status) if status else None,
        group=fields.get(vault_fields.group_field(feature)),
    )


def _unwrapped(value: Any) -> Any:
    """Return a picklist's values as one text; Vault shows an array (`["active__v"]`), or a text."""
    if not isinstance(value, list):
        return value
    return ";".join(str(each) for each in _in_order(value) if each is not None) or None


def _in_order(value: Any) -> Any:
    """Return the values of a picklist in one order: they are a set, and Vault shows them in any (A15)."""
    return sorted(value, key=str) if isinstance(value, list) else value
