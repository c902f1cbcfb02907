"""Which of two states of a Salesforce user is the newer one (W4).

A source version is text that sorts: `<SystemModstamp>|<1 if deactivated>|<notification>|<digest>`.
SystemModstamp decides; Salesforce keeps it to the second, so two changes within one second tie. Then
the deactivated state wins, since wrongly keeping someone out is mended by the next read, wrongly
letting someone in may not be noticed. Else the later notification id, and last the content itself,
so that every order of arrival ends in the same state.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from muster.errors import Problem, Rejected


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
    return f"{_modified_at(fields)}|2|~{_in_utc(read_at)}|"


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
                return _in_utc(moment)
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


def _in_utc(moment: datetime) -> str:
    # One width for all, so that text sorts as time does.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
