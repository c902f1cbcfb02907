"""Which changes of settings wait for approval, whatever they do to members (I5, A14). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from muster.crm.salesforce_ids import is_valid, to_18
from muster.runs.guard import loosened
from muster.settings import Settings

# Per connection, the key that says which system it leads to.
IDENTITIES: Mapping[str, str] = {"salesforce": "organization_id", "vault_crm": "host", "align": "host"}
_SYSTEMS = {"salesforce": "Salesforce org", "vault_crm": "vault", "align": "Align vault"}


def held_for(before: Settings | None, after: Settings, connected: Mapping[str, str]) -> list[str]:
    """Return why a change is saved only by approval, in words; empty where it is not.

    `before` are the settings in force, if any. `connected` says by connection which system it led to last,
    even if that was some versions ago: taking a connection out and in again is no way around.
    """
    return [
        *(loosened(before.guard, after.guard) if before else ()),
        *_read_back_off(before, after),
        *_other_systems(after, connected),
    ]


def last_connected(newest_first: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return by connection which system it led to last, of documents as they were saved."""
    found: dict[str, str] = {}
    for document in newest_first:
        connections = document.get("connections")
        if not isinstance(connections, Mapping):
            continue
        for name, key in IDENTITIES.items():
            connection = connections.get(name)
            identity = connection.get(key) if isinstance(connection, Mapping) else None
            if isinstance(identity, str):
                found.setdefault(name, identity)
    return found


def _read_back_off(before: Settings | None, after: Settings) -> Iterator[str]:
    if before and before.auto_provision.read_back and not after.auto_provision.read_back:
        yield "auto_provision.read_back is switched off: what a message says is believed"


def _other_systems(after: Settings, connected: Mapping[str, str]) -> Iterator[str]:
    for name, key in IDENTITIES.items():
        connection = getattr(after.connections, name)
        was = connected.get(name)
        if connection is None or was is None:
            continue
        becomes = getattr(connection, key)
        if _canonical(becomes) != _canonical(was):
            yield (
                f"connections.{name}.{key} leads to another {_SYSTEMS[name]}: {was} becomes {becomes}, and"
                " everybody is compared with who is there"
            )


def _canonical(identity: str) -> str:
    return to_18(identity) if is_valid(identity) else identity.casefold()
