"""Stored versions of an organization's settings, and the differences between two (S1)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from muster.errors import Misconfigured
from muster.settings.sections import Settings
from muster.validation import Location, path


@dataclass(frozen=True)
class StoredSettings:
    """One saved version: the document as written, who saved it, when (ISO 8601) and why.

    `attempt` identifies the call that saved it, so that a retry can recognise its own write. Where it had to
    be approved, `approved_by` says who did, and `run` is the run that waited. `request_id` is the id of the
    invocation that saved it. `not_tried` lists what Salesforce could not be asked about: `{where, why}`.
    """

    organization: str
    version: int
    document: dict[str, Any]
    by: str
    at: str
    why: str
    attempt: str
    approved_by: str | None = None
    run: str | None = None
    request_id: str | None = None
    not_tried: tuple[dict[str, str], ...] = ()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the document, defaults included.

        Raises `Misconfigured` if this version of Muster no longer accepts what an older one stored.
        """
        try:
            return Settings.model_validate_json(json.dumps(self.document))
        except ValidationError:
            # Not chained: pydantic's error quotes the document, and this one goes to the log.
            raise Misconfigured(
                f"Version {self.version} of the settings of {self.organization} is no longer accepted;"
                " validate them with OrganizationSettingsFunction and put them again."
            ) from None


def is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two documents are the same; the order of keys does not count."""
    # Not `==`: to Python, true equals 1.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def changes(before: Any, after: Any, at: Location = ()) -> Iterator[dict[str, Any]]:
    """Yield `{where, before, after}` for each place where two documents differ; `None` means absent.

    A list of objects is compared item by item, any other value as a whole.
    """
    match before, after:
        case dict(), dict():
            for key in [*before, *(key for key in after if key not in before)]:
                yield from changes(before.get(key), after.get(key), (*at, key))
        case list(), list() if all(isinstance(item, dict) for item in (*before, *after)):
            for index in range(max(len(before), len(after))):
                old, new = (items[index] if index < len(items) else None for items in (before, after))
                yield from changes(old, new, (*at, index))
        case _ if json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True):
            yield {"where": path(at), "before": before, "after": after}
