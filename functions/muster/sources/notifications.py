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

# A time ahead outranks what happens until then, a deactivation included. Clocks that are set by the
# network differ by less than this.
MAX_AHEAD = timedelta(minutes=5)

_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def names_only(sent: Mapping[str, str]) -> bool:
    """Whether a notification says which user changed and nothing else: a hint to look at it (W15)."""
    return not any(value.strip() for name, value in sent.items() if name.lower() != "id")


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
    source = source_version(fields, notification, received_at)
    if time_of(source) > received_at + MAX_AHEAD:
        raise Rejected(_from_the_future(fields, time_of(source) - received_at))
    return UserChange(crm_id=crm_id, fields=kept, source=source, run=f"webhook:{notification}")


def _from_the_future(fields: Mapping[str, str | None], ahead: timedelta) -> Problem:
    return Problem(
        "SystemModstamp" if fields.get("SystemModstamp") else "LastModifiedDate",
        f"lies {ahead} ahead of the moment when the message came in, and at most {MAX_AHEAD} are taken",
        "Salesforce does not send such a time. If nobody of yours does, the webhook's address is known to"
        " others: rotate the token twice (rotate_token). Import the member by id to see the user as it is.",
    )
