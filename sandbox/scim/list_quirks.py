"""What is wrong with lists: how they page, what they count, what they filter by."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from sandbox.scim.protocol import LIST, Answer, Call, Refused, attribute_of, error
from sandbox.scim.quirks import names_it

if TYPE_CHECKING:
    from sandbox.scim.scim_app import ScimApp

_ATTRIBUTES = re.compile(r"([\w.:$-]+)(?:\[|\s+(?:eq|ne|co|sw|ew|gt|ge|lt|le|pr)\b)", re.IGNORECASE)
_SPACED = re.compile(r'^\w+(\.\w+)? eq "[^"]*"$')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_TERMS = re.compile(r"\s(?:and|or)\s", re.IGNORECASE)


def _blanked(text: str) -> str:
    """Return a filter with its values emptied, so that words in them do not count."""
    return _QUOTED.sub('""', text)


def refused(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse to list."""
    if app.quirks.lists == "refused" and call.is_list:
        raise Refused(403, "Listing is not supported")
    return None


def filters(call: Call, app: "ScimApp") -> Answer | None:
    """Refuse a filter, overlook it, or read it in the app's own way."""
    text, quirks = call.query.get("filter"), app.quirks
    if not call.is_list or text is None:
        return None
    if quirks.refuses_escaped_quotes and '\\"' in text:
        raise Refused(400, "The filter cannot be read", "invalidFilter")
    if quirks.filter_terms is not None and len(_TERMS.findall(_blanked(text))) + 1 > quirks.filter_terms:
        raise Refused(400, f"A filter has at most {quirks.filter_terms} terms", "tooMany")
    _check_attributes(call, app, text)
    if quirks.urn_filters == "find_nothing" and "urn:" in _blanked(text).casefold():
        return Answer(200, {"schemas": [LIST], "totalResults": 0, "itemsPerPage": 0, "Resources": []})
    match quirks.filters:
        case "refused":
            raise Refused(501, "Filtering is not supported")
        case "ignored":
            del call.query["filter"]
        case "exact_spacing" if not _SPACED.match(text):
            raise Refused(400, "The filter cannot be read", "invalidFilter")
        case "no_precedence":
            call.query["filter"] = _from_left(text)
    return None


def _check_attributes(call: Call, app: "ScimApp", text: str) -> None:
    for path in _ATTRIBUTES.findall(_blanked(text)):
        attribute, kind = attribute_of(path), str(call.kind)
        allowed = app.quirks.filterable
        is_known = allowed is None or names_it(allowed, kind, attribute)
        if not is_known or names_it(app.quirks.unsupported, kind, attribute):
            raise Refused(400, f"Filtering by {attribute} is not supported", "invalidFilter")


def _from_left(text: str) -> str:
    """Return a filter with its terms taken as they come: `a or b and c` as `(a or b) and c`."""
    if "(" in _blanked(text):
        return text
    plain = _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), text)
    starts = [each.start() for each in _TERMS.finditer(plain)]
    grouped = text[: starts[0]] if starts else text
    for start, following in pairwise([*starts, len(text)]):
        grouped = f"({grouped}){text[start:following]}"
    return grouped


def paging(call: Call, app: "ScimApp") -> Answer | None:
    """Ask the server for another page than the caller did."""
    if not call.is_list:
        return None
    query, quirks = call.query, app.quirks
    if quirks.default_page_size is not None:
        query.setdefault("count", str(quirks.default_page_size))
    if quirks.page_size is not None:
        asked = query.get("count")
        is_lower = (
            quirks.count == "works"
            and asked is not None
            and asked.isdigit()
            and int(asked) < quirks.page_size
        )
        query["count"] = str(asked if is_lower else quirks.page_size)
    match quirks.start_index:
        case "ignored":
            query.pop("startIndex", None)
        case "wraps" if query.get("startIndex", "1").isdigit():
            # Measured at SCIMMY: who asks for what is beyond the end gets the first rows again.
            start, total = int(query.get("startIndex", "1")), app.server.count(call)
            query["startIndex"] = str(start if start <= total else 1)
    return None


RULES: tuple[Callable[[Call, "ScimApp"], Answer | None], ...] = (refused, filters, paging)


def totals(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Count wrongly."""
    if not call.is_list or answer.status != 200 or not isinstance(answer.body, dict):
        return
    rows = len(answer.rows)
    match app.quirks.total:
        case "page":
            answer.body["totalResults"] = rows
        case "wrong":
            answer.body["totalResults"] += 7
    if app.quirks.items_per_page == "wrong":
        answer.body["itemsPerPage"] = rows + 20 if rows != 20 else 10


def pending(call: Call, answer: Answer, app: "ScimApp") -> None:
    """Fail where a filter finds somebody who is only invited."""
    if call.is_list and "filter" in call.query and any(app.directory.is_pending(row) for row in answer.rows):
        answer.status, answer.body = 400, error(400, "The user is pending", "invalidFilter")
