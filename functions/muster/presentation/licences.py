"""Engage licences in lines and tables: who has one, of whom nobody knows, who waits (G10)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

# So many users who are nobody have a line of their own.
_NOBODYS = 8


def lines(answer: Answer) -> Sequence[str]:
    """Return whose licence nobody knows and what to do, each group's use, and who waits; else members."""
    if "groups" not in answer:
        return [_member(each) for each in answer["members"]]
    nobody = at_most([_nobody(each) for each in answer["nobody"]], _NOBODYS, answer["nobody_in_all"])
    return at_most([*nobody, *map(_use, answer["groups"]), *_line(answer)])


def use_table(answer: Answer) -> Table:
    """Return how many have a licence of each group; of later pages, the members."""
    if "groups" in answer:
        return use(answer["groups"])
    rows = [[each["name"], each["active"], ", ".join(each["groups"].values())] for each in answer["members"]]
    return table("Name", "Active", "Groups", rows=rows)


def use(groups: Iterable[Mapping[str, Any]]) -> Table:
    """Return how many have a licence of each group: members, and nobody."""
    rows = [
        [words.FEATURES[each["feature"]], *(each[name] for name in ("group", "members", "nobody", "waiting"))]
        for each in groups
    ]
    return table("Feature", "Group", "By members", "By nobody", "In line", rows=rows)


def nobodys(users: Iterable[Mapping[str, Any]]) -> Table:
    """Return the users of Vault CRM who have a group and are linked to nobody, and what to do."""
    rows = [[user["username"], _groups(user), user["why"], user["do"]] for user in users]
    return table("User of Vault CRM", "Group", "Why nobody's", "What to do", rows=rows)


def _use(group: Mapping[str, Any]) -> str:
    called = f"{group['group']} ({words.FEATURES[group['feature']]})"
    waits = f", {counted(group['waiting'], 'person waits', 'people wait')}" if group["waiting"] else ""
    nobody = f", {group['nobody']:,} of them by nobody" if group["nobody"] else ""
    return f"{called}: {counted(group['used'], 'licence')} in use{nobody}{waits}"


def _nobody(user: Mapping[str, Any]) -> str:
    return f"! {user['username'] or user['user']}, {_groups(user)}: {user['why']} {user['do']}"


def _groups(user: Mapping[str, Any]) -> str:
    return ", ".join(held["group"] or held["request"] for held in user["groups"].values())


def _line(answer: Answer) -> Iterator[str]:
    by_group: dict[str, list[str]] = {}
    for each in answer["waiting"]:
        group = f"{each['group']} ({words.FEATURES[each['feature']]})"
        by_group.setdefault(group, []).append(each["name"] or each["member"])
    for group, names in by_group.items():
        yield f"In line for {group}, first to last: {words.listed(names, 5)}"


def _member(member: Mapping[str, Any]) -> str:
    sign = "" if member["active"] else "! "
    left = "" if member["active"] else ", who has left"
    return f"{sign}{member['name'] or member['member']}{left}: {', '.join(member['groups'].values())}"
