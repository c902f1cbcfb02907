"""The transactions that write decisions, and their conditions.

A decision is written in a single transaction. Decisions that touch different items share one; their changes
to the pools of seats are added up, because a transaction may touch an item only once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.roster_keys import Item
from muster.roster.decisions import Decision
from muster.roster.effects import Effects, effects
from muster.roster.links import Link

type _Decided = tuple[Decision, Effects]

ERROR_DAYS = 90
_DAY = 24 * 60 * 60
# DynamoDB takes 100 actions and 4 MB; a member with its history is at most 130 KB (user_changes.MAX_TEXT),
# and one action is left for the fence.
_MOST_ACTIONS = 99
_MOST_DECISIONS = 25


def transactions(
    table: str, organization: str, decisions: Sequence[Decision], now: float
) -> Iterator[tuple[list[Decision], list[Any]]]:
    """Yield the decisions in groups, in order, each group with its transaction."""
    group: list[_Decided] = []
    actions: list[Any] = []
    touched: set[tuple[str, str]] = set()
    shared: set[tuple[str, ...]] = set()
    for decision in decisions:
        follows = effects(decision)
        own = _actions(table, organization, decision, follows, now)
        items = {_item_of(action) for action in own}
        counts = {*((seat,) for seat in follows.seats), *follows.freed}
        together = len(actions) + len(own) + len(shared | counts)
        if group and (items & touched or together > _MOST_ACTIONS or len(group) == _MOST_DECISIONS):
            yield [each for each, _ in group], [*actions, *_shared_actions(table, organization, group)]
            group, actions, touched, shared = [], [], set(), set()
        group.append((decision, follows))
        actions += own
        touched |= items
        shared |= counts
    if group:
        yield [each for each, _ in group], [*actions, *_shared_actions(table, organization, group)]


def deletion(table: str, key: Item) -> dict[str, Any]:
    """Return the action that deletes an item, whether it exists or not."""
    return {"Delete": {"TableName": table, "Key": key}}


def _item_of(action: Mapping[str, Any]) -> tuple[str, str]:
    [what] = action.values()
    key = what.get("Item") or what["Key"]
    return key["pk"]["S"], key["sk"]["S"]


def _actions(table: str, organization: str, decision: Decision, follows: Effects, now: float) -> list[Any]:
    """Return the actions of a decision: at most one per item, at most a dozen items."""
    actions: list[Any] = []
    if decision.after:
        member = replace(decision.after, revision=decision.after.revision + 1)
        before = decision.before.revision if decision.before else None
        actions.append(_put(table, keys.member_item(member, follows.indexed), before))
    if decision.history:
        actions.append(_put(table, keys.history_item(organization, decision.history), None))
        actions += [
            deletion(table, keys.history_key(organization, decision.history.member, version))
            for version in follows.versions_erased
        ]
    if decision.link:
        former = decision.link_before.revision if decision.link_before else None
        actions.append(_put(table, _link_item(organization, decision.link, former or 0, now), former))
    if decision.replaced:
        actions.append(_replace_link(table, organization, decision.replaced, now))
    actions += [
        {
            "ConditionCheck": {
                "TableName": table,
                "Key": keys.member_key(organization, member.id),
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(member.revision)}},
            }
        }
        for member in decision.unchanged
    ]
    if decision.newcomer and decision.after:
        actions.append(_put_again(table, keys.newcomer_item(organization, decision.after.id, now)))
    if decision.entry:
        item = keys.error_item(organization, decision.entry, int(now) + ERROR_DAYS * _DAY)
        actions.append(_put_again(table, item))
    actions += _match_actions(table, organization, decision, follows)
    if decision.after:
        actions += _moved(table, organization, decision.after.id, follows)
    return actions


def _moved(table: str, organization: str, member: str, follows: Effects) -> Iterator[Any]:
    """Yield the puts and deletions of a member's items in lines and recorded teams."""
    for seat, move in follows.seats.items():
        if move.leaves:
            yield deletion(table, keys.line_key(organization, seat, move.leaves, member))
        if move.joins:
            yield _put_again(table, keys.line_key(organization, seat, move.joins, member))
    left, joined = follows.licences.left, follows.licences.joined
    licences = [deletion(table, keys.licence_line_key(organization, place, member)) for place in left]
    licences += [_put_again(table, keys.licence_line_item(organization, place, member)) for place in joined]
    yield from sorted(licences, key=_item_of)
    yield from _account_actions(table, organization, member, follows)
    # Maintained even while notifications are off, so that no index has to be built to switch them on (N1).
    for manager in follows.teams.left:
        yield deletion(table, keys.report_key(organization, manager, member))
    for manager in follows.teams.joined:
        yield _put_again(table, keys.report_key(organization, manager, member))


def _account_actions(table: str, organization: str, member: str, follows: Effects) -> Iterator[Any]:
    """Yield the actions that keep who has an account in an app: its own member alone (O3)."""
    own = {":member": {"S": member}}
    for connection, account in sorted(follows.accounts.left):
        action = deletion(table, keys.account_key(organization, connection, account))
        action["Delete"] |= {
            "ConditionExpression": "attribute_not_exists(pk) OR #member = :member",
            "ExpressionAttributeNames": {"#member": "member"},
            "ExpressionAttributeValues": own,
        }
        yield action
    for connection, account in sorted(follows.accounts.joined):
        key = keys.account_key(organization, connection, account)
        yield {
            "Put": {
                "TableName": table,
                "Item": {**key, "member": {"S": member}},
                "ConditionExpression": "attribute_not_exists(pk) OR #member = :member",
                "ExpressionAttributeNames": {"#member": "member"},
                "ExpressionAttributeValues": own,
            }
        }


def _shared_actions(table: str, organization: str, group: Sequence[_Decided]) -> list[Any]:
    """Return the actions on items that decisions share: pools of seats, counts of freed licences."""
    freed = Counter(left for _, follows in group for left in follows.freed)
    return [
        *_pool_actions(table, organization, group),
        *(
            {
                "Update": {
                    "TableName": table,
                    "Key": keys.freed_key(organization, feature, name),
                    "UpdateExpression": "ADD freed :count SET #group = :group",
                    "ExpressionAttributeNames": {"#group": "group"},
                    "ExpressionAttributeValues": {":count": {"N": str(count)}, ":group": {"S": name}},
                }
            }
            for (feature, name), count in sorted(freed.items())
        ),
    ]


def _pool_actions(table: str, organization: str, group: Sequence[_Decided]) -> list[Any]:
    """Return one update per seat's pool for all the decisions, with its limit as condition (A9)."""
    used, waiting, limits = Counter[str](), Counter[str](), dict[str, int]()
    for decision, follows in group:
        limits |= decision.limits
        for seat, move in follows.seats.items():
            used[seat] += move.used
            waiting[seat] += move.waiting
    actions: list[Any] = []
    for seat in used:
        update: dict[str, Any] = {
            "TableName": table,
            "Key": keys.seat_key(organization, seat),
            "UpdateExpression": "ADD used :used, waiting :waiting",
            "ExpressionAttributeValues": {
                ":used": {"N": str(used[seat])},
                ":waiting": {"N": str(waiting[seat])},
            },
        }
        if used[seat] > 0 and seat in limits:
            most = limits[seat] - used[seat]
            absent = "attribute_not_exists(used) OR " if most >= 0 else ""
            update["ConditionExpression"] = f"{absent}used <= :most"
            update["ExpressionAttributeValues"][":most"] = {"N": str(most)}
        actions.append({"Update": update})
    return actions


def _put_again(table: str, item: Item) -> dict[str, Any]:
    """Return a put without condition: of an item that may be written again."""
    return {"Put": {"TableName": table, "Item": item}}


def _put(table: str, item: Item, revision: int | None) -> dict[str, Any]:
    """Return a put conditional on the revision that was read; `None`: on there being no item."""
    if revision is None:
        return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    return {
        "Put": {
            "TableName": table,
            "Item": item,
            "ConditionExpression": "revision = :revision",
            "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
        }
    }


def _replace_link(table: str, organization: str, link: Link, now: float) -> dict[str, Any]:
    """Return the update of a link that was not read; the member's revision guarantees its content.

    Its revision still increases, so that concurrent writers of the link find their writes void.
    """
    item = _link_item(organization, link, 0, now)
    values = {":doc": item["doc"], ":expires_at": item["expires_at"], ":one": {"N": "1"}}
    return {
        "Update": {
            "TableName": table,
            "Key": keys.link_key(organization, link.crm_id),
            "UpdateExpression": "SET doc = :doc, expires_at = :expires_at ADD revision :one",
            "ExpressionAttributeValues": values,
        }
    }


def _link_item(organization: str, link: Link, revision: int, now: float) -> Item:
    expires_at = None if link.days is None else int(now) + link.days * _DAY
    return keys.link_item(organization, replace(link, revision=revision + 1), expires_at)


def _match_actions(table: str, organization: str, decision: Decision, follows: Effects) -> Iterator[Any]:
    """Yield one action per match key that gains or loses someone, or that the decision depends on."""
    changes: dict[str, dict[str, str]] = defaultdict(dict)
    for attribute, moved, who in (
        ("members", follows.keys, decision.after.id if decision.after else ""),
        ("waiting", follows.waiting, decision.link.crm_id if decision.link else ""),
    ):
        for key in moved.joined:
            changes[key][f"ADD {attribute}"] = who
        for key in moved.left:
            changes[key][f"DELETE {attribute}"] = who
    for key in decision.matches or ():
        changes.setdefault(key, {})
    for key in sorted(follows.keys_erased):
        yield _match_deletion(table, organization, decision, key)
    for key in sorted(changes.keys() - follows.keys_erased):
        yield _match_action(table, organization, decision, key, changes[key])


def _match_deletion(table: str, organization: str, decision: Decision, key: str) -> dict[str, Any]:
    action = deletion(table, keys.match_key(organization, key))
    action["Delete"] |= {
        "ConditionExpression": "(attribute_not_exists(members) OR members = :own)"
        " AND attribute_not_exists(waiting)",
        "ExpressionAttributeValues": {":own": {"SS": [decision.after.id if decision.after else ""]}},
    }
    return action


def _match_action(
    table: str, organization: str, decision: Decision, key: str, change: Mapping[str, str]
) -> dict[str, Any]:
    values: dict[str, Any] = {f":v{n}": {"SS": [value]} for n, value in enumerate(change.values())}
    action: dict[str, Any] = {"TableName": table, "Key": keys.match_key(organization, key)}
    if decision.matches and key in decision.matches:
        expected = decision.matches[key]
        action["ConditionExpression"] = "members = :expected" if expected else "attribute_not_exists(members)"
        if expected:
            values[":expected"] = {"SS": sorted(expected)}
    if values:
        action["ExpressionAttributeValues"] = values
    if not change:
        return {"ConditionCheck": action}
    action["UpdateExpression"] = " ".join(f"{verb} :v{n}" for n, verb in enumerate(change))
    return {"Update": action}
