"""What came of edits and of requests for groups made by hand, in lines and as a table (A11, G6)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from muster.presentation import plans, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most
from muster.presentation.tables import Table, table

type Result = Mapping[str, Any]

_ADOPTS = "adopts the account"
_SAID = {"active": _ADOPTS, "ignored": "account left alone"}
_LOOKED_FOR = "account looked for again"


def groups(answer: Answer) -> Sequence[str]:
    """Return a line for each request for a group: whose, which group, and what happens next.

    About a file the answer itself has its lines.
    """
    return answer.get("lines") or at_most([_group(each) for each in answer["results"]])


def members(answer: Answer) -> Sequence[str]:
    """Return a line for each edited member, as `groups` does: what has changed, and what to know about it."""
    counts = answer.get("counts", {})
    total = counts.get("changed", 0) + counts.get("unchanged", 0)
    return answer.get("lines") or at_most([_edit(each) for each in answer["results"]], total=total or None)


def group_requests(results: Iterable[Result]) -> Table:
    """Return what was asked of Muster and what it said."""
    rows = [
        [
            result["name"],
            words.FEATURES[result["feature"]],
            result["request"],
            words.status(result["status"]),
            result["note"],
        ]
        for result in results
    ]
    return table("Name", "Feature", "Group request", "Status", "What Muster says", rows=rows)


def _group(result: Result) -> str:
    called, group = words.FEATURES[result["feature"]], result["request"]
    asked = f"+ {_name(result)}: {group} ({called})" if group else f"- {_name(result)}: no group ({called})"
    return f"{asked}. {result['note']}"


def _edit(result: Result) -> str:
    changed = result["changed"]
    said_besides = f". {result['note']}" if result.get("note") else ""
    if isinstance(changed, bool):
        return f"- {_name(result)}: {'erased' if changed else 'was erased already'}{said_besides}"
    accounts = _accounts(changed)
    its = plans.effect([each for each in changed if not each["field"].startswith("accounts.")])
    gained = [f"gains {each}" for each in its.gains if each not in its.loses]
    lost = [f"loses {each}" for each in its.loses if each not in its.gains]
    waits = [f"waits for {each}" for each in its.waits]
    active = next((each["after"] for each in changed if each["field"] == "active"), None)
    left = [] if active is None else ["comes back" if active else "leaves"]
    parts = [*left, *gained, *lost, *waits, *its.others.values(), *accounts]
    joins = gained or active or any(each.startswith(_ADOPTS) for each in accounts)
    sign = "-" if active is False or (lost and not gained) else "+" if joins else "~"
    said = words.joined(parts) or "is so already"
    return f"{sign} {_name(result)}: {said}{said_besides}"


def _accounts(changed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what was said of accounts in apps, by what has become of them."""
    found = []
    for each in changed:
        attribute, _, app = each["field"].removesuffix(".state").partition(".")
        if attribute == "accounts" and each["field"].endswith(".state"):
            found.append(f"{_SAID.get(each['after'], _LOOKED_FOR)} in {words.connection(app)}")
    return found


def _name(result: Result) -> str:
    return str(result.get("name") or result["member"])
