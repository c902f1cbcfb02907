"""Faults of a SCIM app, besides those that every sandbox has: for so many calls, not until further notice.

Instead of the call or within it (`method` narrows them to one):

fault      what happens
throttle   429 with a Retry-After of `delay_s` (2), unless the quirk `retry_after` says otherwise; no effect
redirect   `status` (308) to the same path at http://evil.example; no effect
no_effect  the true answer of a write that worked, and nothing was written

In the true answer to a list:

short_page      the second half of the rows is missing; the counts are as if it were not
no_rows         nobody found: totalResults 0
duplicate_rows  the page's first row again in the place of its last
omit_field      `field` is missing from every row
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from werkzeug.wrappers import Response

from sandbox.faults import AnswerFaults, CallFault, Fault
from sandbox.scim.call_quirks import throttled
from sandbox.scim.protocol import SCIM_JSON
from sandbox.scim.scim_app import ScimApp

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FOREIGN = "http://evil.example"
# Under this a call whose write is to be undone is marked in its WSGI environment.
NO_EFFECT = "sandbox.no_effect"


def call_faults(app: ScimApp) -> Mapping[str, CallFault]:
    """Return the faults that act on a call."""

    def throttle(fault: Fault, _: "WSGIEnvironment") -> Response:
        answer = throttled(app, fault.delay_s)
        return Response(orjson.dumps(answer.body), 429, headers=answer.headers, content_type=SCIM_JSON)

    return {"throttle": throttle, "redirect": _redirect, "no_effect": _no_effect}


def _redirect(fault: Fault, environ: "WSGIEnvironment") -> Response:
    return Response(status=fault.status or 308, headers={"Location": FOREIGN + environ["PATH_INFO"]})


def _no_effect(_: Fault, environ: "WSGIEnvironment") -> None:
    environ[NO_EFFECT] = True


def _lists(answer: Any) -> list[Any]:
    return [answer] if isinstance(answer, dict) and answer.get("Resources") else []


def _short_page(page: Any, _: str) -> None:
    page["Resources"] = page["Resources"][: len(page["Resources"]) // 2]


def _no_rows(page: Any, _: str) -> None:
    page |= {"Resources": [], "totalResults": 0, "itemsPerPage": 0}


def _duplicate_rows(page: Any, _: str) -> None:
    page["Resources"][-1:] = page["Resources"][:1]


def _omit_field(page: Any, field: str) -> None:
    for row in page["Resources"]:
        row.pop(field, None)


LIST_FAULTS = AnswerFaults(
    parts=_lists,
    kinds={
        "short_page": _short_page,
        "no_rows": _no_rows,
        "duplicate_rows": _duplicate_rows,
        "omit_field": _omit_field,
    },
    about_a_field=("omit_field",),
)
