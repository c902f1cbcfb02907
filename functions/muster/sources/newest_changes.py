"""Which of two states of a Salesforce user is newer, and the newest change per user of a message (W4).

A source version is a text that begins with when the user was changed, and sorts by it. Within one second
a reading of Salesforce is newer than a message; of two messages, first a deactivation, then the later
notification id, then the content decides; of two readings, the later query.

Above that, Salesforce asked beats Salesforce heard (W11): a message also says when it was taken in, and what
was read after that is newer whatever the stamps. What Salesforce sent, it shows from then on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from muster.errors import Problem, Rejected
from muster.sources.user_changes import UserChange
from muster.times import timestamp

# By how much the clocks of two hosts of ours may differ.
CLOCKS_DIFFER = timedelta(seconds=1)
_READ, _TOLD_PARTS, _READ_MARK = "2", 5, "~"


def most_recent(changes: Iterable[UserChange]) -> list[UserChange]:
    """Return the newest change of each user, in the order in which users first appear."""
    newest: dict[str, UserChange] = {}
    for change in changes:
        if change.crm_id not in newest or is_newer(change.source, newest[change.crm_id].source):
            newest[change.crm_id] = change
    return list(newest.values())


def is_newer(version: str, than: str) -> bool:
    """Whether the state of one source version is newer than that of another."""
    if _refutes(version, than):
        return True
    return not _refutes(than, version) and state_of(version) > state_of(than)


def is_read(version: str) -> bool:
    """Whether a source version stands for a reading of Salesforce, not for a message."""
    return version.split("|")[1:2] == [_READ]


def is_refuted(told: str, by: str) -> bool:
    """Whether a message said what a reading after it does not bear out (W11); both are source versions.

    The message was stamped later than anything Salesforce knew of the user once it had been taken in.
    Salesforce does not send what it does not show, so the message was forged, or its time was.
    """
    return _refutes(by, told) and told.partition("|")[0] > by.partition("|")[0]


def message_of(told: str) -> tuple[str, str]:
    """Return the notification id (15 characters) and when it was taken in, from a message's version."""
    parts = told.split("|")
    return parts[2], parts[-1]


def state_of(version: str) -> str:
    """Return a source version without when it was taken in: the same for each delivery of a message."""
    parts = version.split("|")
    return "|".join(parts[: _TOLD_PARTS - 1]) if not is_read(version) else version


def _refutes(version: str, other: str) -> bool:
    """Whether `version` was read after `other` was taken in as a message."""
    read, told = version.split("|"), other.split("|")
    if not is_read(version) or is_read(other) or len(told) != _TOLD_PARTS:
        return False
    try:
        read_at = datetime.fromisoformat(read[2].removeprefix(_READ_MARK))
        return read_at > datetime.fromisoformat(told[-1]) + CLOCKS_DIFFER
    except ValueError:
        return False  # written by hand, or by nobody we know


def source_version(fields: Mapping[str, str | None], notification: str, received_at: datetime) -> str:
    """Return the source version of a state in a message that was taken in at `received_at`.

    Raises `Rejected` without a readable time.
    """
    deactivated = "1" if fields.get("IsActive") == "false" else "0"
    content = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return f"{_modified_at(fields)}|{deactivated}|{notification[:15]}|{digest}|{timestamp(received_at)}"


def read_version(fields: Mapping[str, str | None], read_at: datetime) -> str:
    """Return the source version of a user as read from Salesforce; `read_at` is when the query was sent.

    Raises `Rejected` without a readable time.
    """
    return f"{_modified_at(fields)}|{_READ}|{_READ_MARK}{timestamp(read_at)}|"


def read_again_version(fields: Mapping[str, str | None], read_at: datetime, seen: str) -> str:
    """Return the source version of a user who was read after `seen` was stored, whatever the clocks say.

    Raises as `read_version` does.
    """
    parts = seen.split("|")
    if parts[1:2] == [_READ]:
        with suppress(ValueError):
            before = datetime.fromisoformat(parts[2].removeprefix(_READ_MARK))
            read_at = max(read_at, before + timedelta(milliseconds=1))
    return read_version(fields, read_at)


def time_of(version: str) -> datetime:
    """Return the moment of the change that a source version stands for."""
    return datetime.fromisoformat(changed_at(version))


def changed_at(version: str | None) -> str:
    """Return when the user was changed, as a source version says it; empty for none."""
    return (version or "").partition("|")[0]


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
