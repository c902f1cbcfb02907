"""Faults of a vault that misbehaves, besides those that every sandbox has.

Instead of the call or within it (`method` narrows them to one):

fault         what happens
failure       HTTP 200 with responseStatus FAILURE and `error`; EXCEPTION is an exception; no effect
maintenance   a page with status 503, and in the header the minutes that the maintenance takes; no effect
fail_rows     the first `rows` records of a write are refused, with `error` (SDK_ERROR); the rest are saved
refuse_call   a write with the record `record` is refused as a whole, with `error` (INVALID_DATA); no effect
engage_fails  the Engage requests that a write raises end as Request Failed

In the true answer to a query:

short_page      the second half of the rows is missing; `size` fits, `total` and paging are as if it were not
early_done      no next_page, although more is there
duplicate_rows  the page's first row again in the place of its last
omit_field      `field` is missing from every row
no_rows         nobody found: total 0, no next_page
foreign_next    the next page is on another host, http://evil.example

In the true answer to a write, all of whose records were processed:

fewer_rows  the last entry is missing
swap_rows   the first and the last entry have changed places
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from werkzeug.wrappers import Response

from sandbox.faults import AnswerFaults, Fault
from sandbox.vault_crm.errors import VaultError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FOREIGN = "http://evil.example"
MAINTENANCE_MINUTES = 240
# Under these the fault that hits a call is in its WSGI environment.
FAIL_ROWS, REFUSE_CALL = "sandbox.fail_rows", "sandbox.refuse_call"
ENGAGE_FAILS = "sandbox.engage_fails"


def _failure(fault: Fault, _: "WSGIEnvironment") -> Response:
    kind = fault.error or "UNEXPECTED_ERROR"
    body = orjson.dumps(VaultError(kind, "The sandbox was told to refuse this call").as_json())
    return Response(body, 200, content_type="application/json;charset=UTF-8")


def _maintenance(_: Fault, __: "WSGIEnvironment") -> Response:
    page = "<html><body><h1>Scheduled maintenance</h1></body></html>"
    minutes = {"X-VaultAPI-DowntimeExpectedDurationMinutes": str(MAINTENANCE_MINUTES)}
    return Response(page, 503, headers=minutes, content_type="text/html; charset=utf-8")


def _fail_rows(fault: Fault, environ: "WSGIEnvironment") -> None:
    environ[FAIL_ROWS] = fault


def _refuse_call(fault: Fault, environ: "WSGIEnvironment") -> None:
    environ[REFUSE_CALL] = fault


def _engage_fails(fault: Fault, environ: "WSGIEnvironment") -> None:
    environ[ENGAGE_FAILS] = fault


CALL_FAULTS = {
    "failure": _failure,
    "maintenance": _maintenance,
    "fail_rows": _fail_rows,
    "refuse_call": _refuse_call,
    "engage_fails": _engage_fails,
}


def _pages(answer: Any) -> list[Any]:
    is_page = isinstance(answer, Mapping) and "responseDetails" in answer
    return [answer] if is_page else []


def _short_page(page: Any, _: str) -> None:
    page["data"] = page["data"][: len(page["data"]) // 2]
    page["responseDetails"]["size"] = len(page["data"])


def _early_done(page: Any, _: str) -> None:
    page["responseDetails"].pop("next_page", None)


def _duplicate_rows(page: Any, _: str) -> None:
    page["data"][-1:] = page["data"][:1]


def _omit_field(page: Any, field: str) -> None:
    for row in page["data"]:
        row.pop(field, None)


def _no_rows(page: Any, field: str) -> None:
    _early_done(page, field)
    page["data"] = []
    page["responseDetails"] |= {"size": 0, "total": 0}


def _foreign_next(page: Any, _: str) -> None:
    details = page["responseDetails"]
    details["next_page"] = FOREIGN + details.get("next_page", "/api/v26.1/query/0?pagesize=1&pageoffset=1")


QUERY_FAULTS = AnswerFaults(
    parts=_pages,
    kinds={
        "short_page": _short_page,
        "early_done": _early_done,
        "duplicate_rows": _duplicate_rows,
        "omit_field": _omit_field,
        "no_rows": _no_rows,
        "foreign_next": _foreign_next,
    },
    about_a_field=("omit_field",),
)


def _writes(answer: Any) -> list[Any]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    is_write = isinstance(data, list) and bool(data) and "responseStatus" in data[0]
    return [answer] if is_write else []


def _fewer_rows(answer: Any, _: str) -> None:
    answer["data"].pop()


def _swap_rows(answer: Any, _: str) -> None:
    data = answer["data"]
    data[0], data[-1] = data[-1], data[0]


WRITE_FAULTS = AnswerFaults(parts=_writes, kinds={"fewer_rows": _fewer_rows, "swap_rows": _swap_rows})
