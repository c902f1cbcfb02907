"""Read a settings document, text or object, into validated `Settings` (S1).

    raw, settings = read("organization: acme\nseats: {gong: {limit: 200}}")

Every fault is a `Problem` that names the place (`assignments[0].seats[1]`, or line and column where
the text itself is broken), what is wrong there and what to write instead.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from muster import validation
from muster.errors import Problem, Rejected, TooLarge
from muster.settings import consistency
from muster.settings.sections import Settings
from muster.settings.strict_yaml import MOST_BYTES, parse, plain


def read(
    document: str | Mapping[str, Any], organization: str | None = None, *, loopback_hosts: bool = False
) -> tuple[dict[str, Any], Settings]:
    """Return the document as JSON values, and its settings with the defaults filled in.

    `organization` is used where the document names none. Hosts on this very machine are accepted only with
    `loopback_hosts`. Raises `Rejected` with one problem per fault,
    fifty at most; inconsistencies between sections are reported only once each section is valid.
    """
    raw = parse(document) if isinstance(document, str) else plain(document)
    if not isinstance(raw, dict):
        remedy = "Begin with `organization: …` and go on with `key: value` lines."
        raise Rejected(Problem("settings", "is not a set of keys", remedy))
    if organization is not None:
        raw = {"organization": organization, **raw}
    text = json.dumps(raw, ensure_ascii=False)
    # This is what is stored: escapes can make a short text long, and an object has no text of its own.
    if len(text.encode()) > MOST_BYTES:
        raise TooLarge(Problem("settings", f"is larger than {MOST_BYTES // 1024} KiB", "Shorten it."))
    settings = _validated(text, as_json=_is_json(document))
    problems = consistency.problems(settings, loopback_hosts=loopback_hosts)
    if organization is not None and settings.organization != organization:
        problems.insert(0, _another_organization(settings.organization, organization))
    if problems:
        raise Rejected(*validation.fewer(problems))
    return raw, settings


def _is_json(document: str | Mapping[str, Any]) -> bool:
    return not isinstance(document, str) or document.lstrip().startswith("{")


def _validated(text: str, *, as_json: bool) -> Settings:
    try:
        return Settings.model_validate_json(text)
    except ValidationError as error:
        # Not chained: pydantic's error quotes the document.
        found = validation.problems(error, _schema(), "settings", as_json=as_json)
        raise Rejected(*validation.fewer(found)) from None


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema()


def _another_organization(written: str, requested: str) -> Problem:
    return Problem(
        "organization", f"is {written}, but the request is about {requested}", "Correct one of them."
    )
