"""A user of Salesforce at one moment, from a message or a query, and how much text it may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.errors import Problem, Rejected

# In bytes. A history entry holds each text before and after, escaped, in one DynamoDB item of at most 400 KB.
MAX_TEXT = 32 * 1024
# Salesforce's own limits are 80 and 128; the longest address mail knows is 254.
MAX_ADDRESS = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What a Salesforce user looks like as of `source`, a version of `newest_changes`.

    `fields` holds the listed fields, `None` for empty ones. `run` is for the history:
    `webhook:<notification id>` or `run:<run id>`. `matches` names the assignments whose filter matches.
    `in_loop` says whether following managers upward leads back to the user; `None` where that is not
    known, because only an import sees everyone. `frozen` says whether the user is frozen in Salesforce,
    `None` where that was not read. `fields_digest` is the digest of the fields as read from Salesforce;
    empty where they come from a message. `succeeds` is the id that the person had
    in another Salesforce org, which was connected before. `received_at` (ISO 8601) is when the message came
    in that named the user, `None` where no message did.
    """

    crm_id: str
    fields: Mapping[str, str | None]
    source: str
    run: str
    matches: frozenset[str] = frozenset()
    in_loop: bool | None = None
    frozen: bool | None = None
    fields_digest: str = ""
    succeeds: str | None = None
    received_at: str | None = None


def storable(fields: Mapping[str, str | None], addresses: Iterable[str]) -> Mapping[str, str | None]:
    """Return a user's fields as a member can keep them; `addresses` are those of username and e-mail.

    Raises `Rejected` where one of these is longer than an address can be, or all hold too much text. Whoever
    is inactive leaves all the same: of them, what cannot be kept is left out, and so stays as it was.
    """
    too_long = [name for name in addresses if len(fields.get(name) or "") > MAX_ADDRESS]
    leaves = fields.get("IsActive") == "false"
    if too_long and not leaves:
        size = len(fields[too_long[0]] or "")
        raise Rejected(
            Problem(
                "address",
                f"in {too_long[0]} has {size:,} characters, and {MAX_ADDRESS} are the most",
                "Correct the user in Salesforce, or map another field to the address.",
            )
        )
    kept = {name: value for name, value in fields.items() if name not in too_long}
    if (size := text_size(kept)) <= MAX_TEXT:
        return kept
    if not leaves:
        raise Rejected(
            Problem(
                "fields",
                f"hold {size:,} bytes of text, and a member keeps {MAX_TEXT:,} at most",
                "Take long text fields out of the settings and the outbound message, or shorten the user's.",
            )
        )
    short = MAX_TEXT // len(kept)
    return {name: value for name, value in kept.items() if len((value or "").encode()) <= short}


def text_size(fields: Mapping[str, str | None]) -> int:
    """Return how many bytes the values of a user's fields have in all; at most `MAX_TEXT` are allowed."""
    return sum(len((value or "").encode()) for value in fields.values())
