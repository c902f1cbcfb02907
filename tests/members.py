"""Members for tests, from attributes in the shapes in which they are stored."""

from dataclasses import replace
from typing import Any

from muster.roster.member import Member
from muster.roster.vault_state import VaultState


def changed(member: Member, **attributes: Any) -> Member:
    """Return the member with these attributes, as a member holds them or as they are stored."""
    stored = {name: value for name, value in attributes.items() if _is_stored(name, value)}
    read = Member.from_document({"id": "", "organization": "", **stored})
    return replace(member, **attributes | {name: getattr(read, name) for name in stored})


def vault_state(**stored: Any) -> VaultState:
    """Return a member's `vault` that is stored like that."""
    return VaultState.from_json(stored)


def _is_stored(name: str, value: object) -> bool:
    if not isinstance(value, dict):
        return False
    parts = name in ("accounts", "seats", "data_capture") and all(
        isinstance(each, dict) for each in value.values()
    )
    return parts or name in ("engage", "engage_connect", "vault")
