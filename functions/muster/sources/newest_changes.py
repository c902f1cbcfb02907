"""Which of two states of a Salesforce user is newer, and the newest change per user of a message (W4).

A source version is a text that sorts by when the user was changed. Within one second a reading of Salesforce
is newer than a message; of two messages, first a deactivation, then the later notification id, then the
content decides; of two readings, the later query.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from muster.errors import Problem, Rejected
from muster.sources.user_changes import UserChange
from muster.times import timestamp


def most_recent(changes: Iterable[UserChange]) -> list[UserChange]:
    """Return the newest change of each user, in the order in which users first appear."""
    newest: dict[str, UserChange] = {}
    for change in changes:
        if change.crm_id not in newest or change.source > newest[change.crm_id].source:
            newest[change.crm_id] = change
    return list(newest.values())


def source_version(fields: Mapping[str, str | None], notification: str) -> str:
    """Return the source version of a state in a message; raises `Rejected` without a readable time."""
    deactivated = "1" if fields.get("IsActive") == "false" else "0"
    content = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return f"{_modified_at(fields)}|{deactivated}|{notification[:15]}|{digest}"


def read_version(fields: Mapping[str, str | None], read_at: datetime) -> str:
    """Return the source version of a user as read from Salesforce; `read_at` is when the query was sent.

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
