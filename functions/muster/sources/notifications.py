"""A notification's fields as a user change: which are listed, and which are null (W5).

The settings list the fields that the outbound message carries, because Salesforce leaves null ones
out: a listed field that is absent is null; an unlisted one is unknown, and ignored even if the
message happens to carry it, so that the outcome never depends on which message came last.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from muster.crm import canonical_text, salesforce_ids
from muster.errors import Problem, Rejected
from muster.sources.newest_changes import source_version, time_of
from muster.sources.user_changes import UserChange, storable

# A time far ahead would outrank every later change, a deactivation included.
MAX_AHEAD = timedelta(hours=24)

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def read(
    sent: Mapping[str, str],
    listed: Iterable[str],
    notification: str,
    received_at: datetime,
    addresses: Iterable[str] = ("Username", "Email"),
) -> UserChange:
    """Return the change that a notification reports; raises `Rejected` when it cannot be understood.

    `addresses` are the fields that username and e-mail are read from (`mappings.address_fields`).
    """
    # To Salesforce, names in other capitals are the same fields (W14).
    sent = {name.lower(): value for name, value in sent.items()} | dict(sent)
    fields = {
        name: canonical_text.of_text(name, sent.get(name) or sent.get(name.lower(), "")) for name in listed
    }
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
    kept = storable(fields, addresses)
    source = source_version(fields, notification)
    if time_of(source) > received_at + MAX_AHEAD:
        raise Rejected(
            Problem("SystemModstamp", "lies in the future", "Check the sender; Salesforce never does this.")
        )
    return UserChange(crm_id=crm_id, fields=kept, source=source, run=f"webhook:{notification}")
