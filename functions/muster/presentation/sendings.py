"""What a push sends to Vault CRM, in words: short lines, a table (P1, Q3)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most
from muster.presentation.tables import Table, table

# An item of a push's plan, as an answer shows it.
type Item = Mapping[str, Any]

# What is counted by person in a push to Vault CRM.
_SENT = ("removed", "activated", "added", "inactivated", "in_line")
# What is done to a member's account in an app.
_ACCOUNTS = {
    "made": "gets an account",
    "opened": "account opened again",
    "closed": "account closed",
    "deleted": "account deleted",
    "changed": "account changed",
    "regrouped": "changes groups",
    "other_closed": "another account of the same person closed",
    "linked": "linked to the account that was there",
    "to_adopt": "has an account that was there before; adopt or ignore it",
    "conflict": "has an account that is not clearly theirs",
    "looked_for": "looked for",
    "read_back": "read back",
}
_WAITING = frozenset({"to_adopt", "conflict"})
_LOST = frozenset({"removal", "inactivation", "closed", "deleted"})


def lines(answer: Answer) -> Sequence[str]:
    """Return what is sent, a line a person and step, and what blocks it."""
    blocked = [
        f"! {check['check']}: {check['found']}. {check['remedy']}" for check in answer.get("blocked_by", ())
    ]
    items: Sequence[Item] = answer.get("changes", ())
    counts = answer.get("counts") or {}
    sent = sum(counts.get(name, 0) for name in (*_SENT, *_ACCOUNTS))
    of_people = of_items(items)
    # What is not among the first items is counted by person, which is a line each.
    return at_most([*blocked, *of_people], total=len(blocked) + max(len(of_people), sent if items else 0))


def are_sent(items: Sequence[Item]) -> bool:
    """Whether items are those of a push, to Vault CRM or to an app."""
    return bool(items) and ("writes" in items[0] or "steps" in items[0])


def of_items(items: Sequence[Item]) -> list[str]:
    """Return a line for each item."""
    return [f"{_sign(item)} {_name(item)}: {', '.join(_parts(item))}" for item in items]


def sendings_table(items: Sequence[Item]) -> Table:
    """Return what a push would send, a line a person and feature, or a line a person of an app."""
    if items and "steps" in items[0]:
        return _accounts_table(items)
    rows: list[Sequence[object]] = []
    for item in items:
        for feature, writes in item.get("writes", {}).items():
            freed = f"a licence of {writes.get('request')} becomes free" if item["if_freed"] else None
            group = item["now"][feature]["group"]
            feature_name = words.FEATURES[feature]
            rows.append([item["name"], item["does"], feature_name, group, writes.get("request"), freed])
        if item.get("active") is not None:
            rows.append([item["name"], item["does"], "Vault CRM user", None, None, None])
    return table("Name", "Step", "Feature", "Group now", "Would ask for", "If", rows=rows)


def _accounts_table(items: Sequence[Item]) -> Table:
    rows = [
        [_name(item), _ACCOUNTS.get(item["does"], words.spaced(item["does"])), item["account"], item["why"]]
        for item in items
    ]
    return table("Name", "What", "Account", "Why", rows=rows)


def _sign(item: Item) -> str:
    if item["does"] in _WAITING:
        return "!"
    return "-" if item["does"] in _LOST else "+"


def _parts(item: Item) -> Iterator[str]:
    if item["does"] in _ACCOUNTS:
        yield _ACCOUNTS[item["does"]]
        if item["does"] == "conflict":
            yield item["why"]
        elif item["account"]:
            yield item["account"]
        yield from item.get("drift", ())
        return
    for feature, writes in item["writes"].items():
        called, group = words.FEATURES[feature], item["now"][feature]["group"]
        if item["does"] == "removal":
            yield f"taken out of {group} ({called})" if group else f"request cleared ({called})"
        elif item["if_freed"]:
            yield f"{writes.get('request')} ({called}) once a licence of it is free"
        elif writes.get("request"):
            yield f"asks for {writes['request']} ({called})" + (f", is in {group}" if group else "")
        else:
            yield f"request sent once more ({called})"
    if item["active"] is not None:
        yield "user activated in Vault CRM" if item["active"] else "user inactivated in Vault CRM"


def _name(item: Item) -> str:
    return str(item["name"] or item.get("user") or item["member"])
