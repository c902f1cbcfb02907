"""Digests of the settings that decide about members: when one changes, everyone is evaluated again (I2)."""

import hashlib
import json
from typing import Any

from muster.settings import Settings
from muster.settings.mappings import connection


def evaluated_with(settings: Settings) -> dict[str, Any]:
    """Return the part of the settings that decides about members: with it everyone is looked at anew."""
    whole = dict.fromkeys(("connections", "guard", "pending_edits", "time_zone"), True)
    return settings.model_dump(mode="json", exclude={**whole, "field_maps": {"vault_crm"}})


def decided_with(settings: Settings) -> dict[str, Any]:
    """Return the part of the settings that decides about users: with it everyone is looked at anew."""
    of_connection = connection(settings).model_dump(
        mode="json", include={"match", "statuses", "manage_features"}
    )
    return {
        **of_connection,
        "field_maps": settings.field_maps.vault_crm.model_dump(mode="json"),
        "assignments": [
            [each.name, each.update_mode, each.engage is not None, each.engage_connect is not None]
            for each in settings.assignments
        ],
    }


def settings_digest(settings: Settings) -> str:
    """Return the digest of the settings that decide about members."""
    text = json.dumps(evaluated_with(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def vault_settings_digest(settings: Settings) -> str:
    """Return the digest of the settings that decide about users of Vault CRM."""
    return hashlib.sha256(json.dumps(decided_with(settings), sort_keys=True).encode()).hexdigest()
