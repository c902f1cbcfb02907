"""Digests of the settings that decide about members: when one changes, everyone is evaluated again (I2)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from muster.settings import Settings, mappings
from muster.settings.mappings import vault_crm_connection


def deciding_settings(settings: Settings) -> dict[str, Any]:
    """Return the part of the settings that decides about members; a change of it re-evaluates everyone."""
    whole = dict.fromkeys(("connections", "events", "guard", "pending_edits", "time_zone"), True)
    # So that nobody is evaluated again for a key that the settings do not have.
    maps = {"vault_crm"} if settings.field_maps.align.inbound.custom else {"vault_crm", "align"}
    deciding = settings.model_dump(mode="json", exclude={**whole, "field_maps": maps})
    # Until 0.2.0 it was not stored which address was converted: everyone is evaluated once more.
    return {**deciding, "converts": 2} if settings.domains.convert else deciding


def vault_deciding_settings(settings: Settings) -> dict[str, Any]:
    """Return the part that decides about users of Vault CRM; a change of it re-evaluates everyone."""
    of_connection = vault_crm_connection(settings).model_dump(
        mode="json", include={"match", "statuses", "manage_features"}
    )
    maps = settings.field_maps.vault_crm
    # So that nobody is evaluated again for a key that the settings do not have.
    unused: dict[str, set[str]] = {} if maps.outbound.custom else {"outbound": {"custom"}}
    return {
        **of_connection,
        "field_maps": maps.model_dump(mode="json", exclude=unused),
        "assignments": [
            [each.name, each.update_mode, each.engage is not None, each.engage_connect is not None]
            for each in settings.assignments
        ],
    }


def document_digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document as written; the order of keys does not count."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def settings_digest(settings: Settings) -> str:
    """Return the digest of `deciding_settings`."""
    text = json.dumps(deciding_settings(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def vault_settings_digest(settings: Settings) -> str:
    """Return the digest of `vault_deciding_settings`."""
    return hashlib.sha256(json.dumps(vault_deciding_settings(settings), sort_keys=True).encode()).hexdigest()


def align_settings_digest(settings: Settings) -> str:
    """Return the digest of what says which Align is read, and how; everyone there is read after a change."""
    names = mappings.align_connection(settings).model_dump(
        mode="json", include={"host", "fields", "statuses", "crm_user_statuses"}
    )
    read = [names, mappings.align_fields_to_read(settings)]
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
