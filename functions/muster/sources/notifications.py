"""A notification's fields as a user change: which are listed, and which are null (W5).

The settings list the fields that the outbound message carries, because Salesforce leaves null ones
out: a listed field that is absent is null; an unlisted one is unknown, and ignored even if the
message happens to carry it, so that the outcome never depends on which message came last.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected
from muster.sources.newest_changes import source_version, time_of
from muster.sources.user_changes import MAX_ADDRESS, MAX_TEXT, UserChange, text_size

# A time ahead outranks what happens until then, a deactivation included. Clocks that are set by the
# network differ by less than this.
MAX_AHEAD = timedelta(minutes=5)

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def names_only(sent: Mapping[str, str]) -> bool:
    """Whether a notification says which user changed and nothing else: a hint to look at it (W15)."""
    return not any(value.strip() for name, value in sent.items() if name != "Id")


def read(
    sent: Mapping[str, str], listed: Iterable[str], notification: str, received_at: datetime
) -> UserChange:
    """Return the change that a notification reports; raises `Rejected` when it cannot be understood."""
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
    source = source_version(fields, notification, received_at)
    if time_of(source) > received_at + MAX_AHEAD:
        raise Rejected(_from_the_future(fields, time_of(source) - received_at))
    return UserChange(crm_id=crm_id, fields=fields, source=source, run=f"webhook:{notification}")


def _from_the_future(fields: Mapping[str, str | None], ahead: timedelta) -> Problem:
    return Problem(
        "SystemModstamp" if fields.get("SystemModstamp") else "LastModifiedDate",
        f"lies {ahead} ahead of the moment when the message came in, and at most {MAX_AHEAD} are taken",
        "Salesforce does not send such a time. If nobody of yours does, the webhook's address is known to"
        " others: rotate the token twice (rotate_token). Import the member by id to see the user as it is.",
    )
