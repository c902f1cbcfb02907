"""A user of Salesforce at one moment, from a message or a query, and how much text it may hold."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    known, because only an import sees everyone. `fields_digest` is the digest of the fields as read from
    Salesforce; empty where they come from a message.
    """

    crm_id: str
    fields: Mapping[str, str | None]
    source: str
    run: str
    matches: frozenset[str] = frozenset()
    in_loop: bool | None = None
    fields_digest: str = ""


def text_size(fields: Mapping[str, str | None]) -> int:
    """Return how many bytes the values of a user's fields have in all; at most `MAX_TEXT` are allowed."""
    return sum(len((value or "").encode()) for value in fields.values())
