"""Faults of a source that misbehaves: a query's true answer, with something wrong in it.

fault           what the answer says
short_page      the second half of the rows is missing; totalSize and paging as if it were not
early_done      done, without a nextRecordsUrl, although more is there
duplicate_rows  the page's first row again in the place of its last
omit_field      `field` is missing from every row; `Manager.Email` is looked for in the parent
no_rows         nobody found: totalSize 0, done, no records
foreign_next    the next page is on another host, http://evil.example

They apply to every query answer in an answer: to the answer itself, or to those in a composite one.
"""

from typing import Any

from sandbox.faults import AnswerFaults

FOREIGN = "http://evil.example"


def _pages(answer: Any) -> list[Any]:
    """Return the query answers in an answer, itself or those of its sub-requests."""
    if not isinstance(answer, dict):
        return []
    parts = [part.get("body") for part in answer.get("compositeResponse", [])]
    parts += [part.get("result") for part in answer.get("results", [])]
    return [
        part
        for part in [answer, *parts]
        if isinstance(part, dict) and "totalSize" in part and isinstance(part.get("records"), list)
    ]


def _short_page(page: Any, _: str) -> None:
    page["records"] = page["records"][: len(page["records"]) // 2]


def _early_done(page: Any, _: str) -> None:
    page["done"] = True
    page.pop("nextRecordsUrl", None)


def _duplicate_rows(page: Any, _: str) -> None:
    page["records"][-1:] = page["records"][:1]


def _omit_field(page: Any, field: str) -> None:
    *way, name = field.split(".")
    for row in page["records"]:
        holder = row
        for relationship in way:
            holder = holder.get(relationship) or {}
        holder.pop(name, None)


def _no_rows(page: Any, field: str) -> None:
    _early_done(page, field)
    page["totalSize"] = 0
    page["records"] = []


def _foreign_next(page: Any, _: str) -> None:
    page["done"] = False
    page["nextRecordsUrl"] = FOREIGN + page.get("nextRecordsUrl", "/services/data/v66.0/query/01g-2000")


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
