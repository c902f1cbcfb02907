"""From a notification's fields to a user change: what is listed, what is null, and the fold per user.

The settings list the fields that the outbound message carries, because Salesforce leaves null ones
out (W5): a listed field that is absent is null; an unlisted one is unknown, and ignored even if the
message happens to carry it, so that the outcome never depends on which message came last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected
from muster.times import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What a Salesforce user looks like as of `source`.

    `fields` holds the listed fields, `None` for empty ones; `run` names what brought them, for the
    history: `webhook:<notification id>` or `run:<run id>`. `matches` names the assignments whose
    filter matches. `in_loop` tells whether following managers upward leads back to the user, `None`
    where only an import, which sees everyone, could tell. `fields_digest` sums up the fields as they
    were read from Salesforce; empty where they come from a message.
    """

    crm_id: str
    fields: Mapping[str, str | None]
    source: str
    run: str
    matches: frozenset[str] = frozenset()
    in_loop: bool | None = None
    fields_digest: str = ""


# In bytes. A history entry holds each text before and after, escaped, in one DynamoDB item of at most 400 KB.
MAX_TEXT = 32 * 1024
# Salesforce's own limits are 80 and 128; the longest address mail knows is 254.
MAX_ADDRESS = 254
# A time far ahead would outrank every later change, a deactivation included.
MAX_AHEAD = timedelta(hours=24)

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def read(
    sent: Mapping[str, str], listed: Iterable[str], notification: str, received_at: datetime
) -> UserChange:
    """Return the change that a notification tells; raises `Rejected` when it cannot be understood."""
    fields = {name: sent.get(name, "").strip() or None for name in listed}
    if not salesforce_ids.is_valid(fields.get("Id") or ""):
        raise Rejected(Problem("Id", "is not a Salesforce id", "Send the record's own Id."))
    fields["Id"] = crm_id = salesforce_ids.to_18(fields["Id"] or "")
    if fields.get("IsActive") not in _TRUTH:
        raise Rejected(
            Problem(
                "IsActive",
                "is missing or neither true nor false",
                "Add IsActive to the fields of the outbound message; without it Muster cannot tell who left.",
            )
        )
    fields["IsActive"] = _TRUTH[fields["IsActive"] or ""]
    if any(len(fields.get(name) or "") > MAX_ADDRESS for name in ("Username", "Email")):
        raise Rejected(
            Problem("Username", "is longer than an address can be", "Correct the user in Salesforce.")
        )
    if text_size(fields) > MAX_TEXT:
        raise Rejected(
            Problem("fields", "hold too much text", "Take long text fields out of the outbound message.")
        )
    source = source_version(fields, notification)
    if time_of(source) > received_at + MAX_AHEAD:
        raise Rejected(
            Problem("SystemModstamp", "lies in the future", "Check the sender; Salesforce never does this.")
        )
    return UserChange(crm_id=crm_id, fields=fields, source=source, run=f"webhook:{notification}")


def text_size(fields: Mapping[str, str | None]) -> int:
    """Return how many bytes the values of a user's fields have in all; `MAX_TEXT` bounds it."""
    return sum(len((value or "").encode()) for value in fields.values())


def most_recent(changes: Iterable[UserChange]) -> list[UserChange]:
    """Return one change per user, the newest (W4), in order of first appearance."""
    newest: dict[str, UserChange] = {}
    for change in changes:
        if change.crm_id not in newest or change.source > newest[change.crm_id].source:
            newest[change.crm_id] = change
    return list(newest.values())


def source_version(fields: Mapping[str, str | None], notification: str) -> str:
    """Return the source version of a state; raises `Rejected` without a readable time."""
    deactivated = "1" if fields.get("IsActive") == "false" else "0"
    content = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return f"{_modified_at(fields)}|{deactivated}|{notification[:15]}|{digest}"


def read_version(fields: Mapping[str, str | None], read_at: datetime) -> str:
    """Return the source version of a user as read from Salesforce; `read_at` is when it was asked for.

    Raises `Rejected` without a readable time.
    """
    return f"{_modified_at(fields)}|2|~{timestamp(read_at)}|"


def time_of(version: str) -> datetime:
    """Return the moment of the change that a source version stands for."""
    return datetime.fromisoformat(version.partition("|")[0])


def _modified_at(fields: Mapping[str, str | None]) -> str:
    for name in ("SystemModstamp", "LastModifiedDate"):
        if text := fields.get(name):
            try:
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is None:
                    raise ValueError
                return timestamp(moment)
            except (ValueError, OverflowError) as error:
                raise Rejected(
                    Problem(name, "is not a date and time", "Send the field as Salesforce formats it.")
                ) from error
    raise Rejected(
        Problem(
            "SystemModstamp",
            "neither SystemModstamp nor LastModifiedDate is in the message",
            "Add SystemModstamp to the fields of the outbound message in Salesforce.",
        )
    )
