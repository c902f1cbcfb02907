"""The transactions that write decisions, and their conditions.

A decision is written in a single transaction. Decisions that touch different items share one; their changes
to the pools of seats are added up, because a transaction may touch an item only once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.roster_keys import Item
from muster.crm import engage_features
from muster.imports.manager_mails import recorded_under
from muster.roster import licence_places
from muster.roster.decisions import HISTORY_ERASED_AT_ONCE, Decision
from muster.roster.history import HistoryEntry
from muster.roster.links import Link, bucket, keys_of, vault_id
from muster.roster.member import Member
from muster.roster.reasons import WAITING_REASONS
from muster.roster.seats import Move, moves

# A message can come again for 24 hours from Salesforce and for 14 days from the dead-letter queue; the
# last version of a user who is not in the roster is remembered for longer than both.
LINK_DAYS = 45
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
    group: list[Decision] = []
    actions: list[Any] = []
    touched: set[tuple[str, str]] = set()
    pools: set[str] = set()
    for decision in decisions:
        own = _actions(table, organization, decision, now)
        items = {_item_of(action) for action in own}
        seats = {*_moves(decision), *(f"{feature}#{left}" for feature, left in _groups_left(decision))}
        together = len(actions) + len(own) + len(pools | seats)
        if group and (items & touched or together > _MOST_ACTIONS or len(group) == _MOST_DECISIONS):
            yield group, [*actions, *_shared_actions(table, organization, group)]
            group, actions, touched, pools = [], [], set(), set()
        group.append(decision)
        actions += own
        touched |= items
        pools |= seats
    if group:
        yield group, [*actions, *_shared_actions(table, organization, group)]


def deletion(table: str, key: Item) -> dict[str, Any]:
    """Return the action that deletes an item, whether it exists or not."""
    return {"Delete": {"TableName": table, "Key": key}}


def _history_deletions(table: str, organization: str, erased: HistoryEntry) -> Iterator[Any]:
    for version in range(max(1, erased.version - HISTORY_ERASED_AT_ONCE), erased.version):
        yield deletion(table, keys.history_key(organization, erased.member, version))


def _item_of(action: Mapping[str, Any]) -> tuple[str, str]:
    [what] = action.values()
    key = what.get("Item") or what["Key"]
    return key["pk"]["S"], key["sk"]["S"]


def _actions(table: str, organization: str, decision: Decision, now: float) -> list[Any]:
    """Return the actions of a decision: at most one per item, at most a dozen items."""
    actions: list[Any] = []
    if decision.after:
        member = replace(decision.after, revision=decision.after.revision + 1)
        before = decision.before.revision if decision.before else None
        actions.append(_put(table, keys.member_item(member), before))
    if decision.history:
        actions.append(_put(table, keys.history_item(organization, decision.history), None))
        if decision.erases_history:
            actions += _history_deletions(table, organization, decision.history)
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
        item = keys.newcomer_item(organization, decision.after.id, now)
        actions.append({"Put": {"TableName": table, "Item": item}})
    if decision.entry:
        item = keys.error_item(organization, decision.entry, int(now) + ERROR_DAYS * _DAY)
        actions.append({"Put": {"TableName": table, "Item": item}})
    return [
        *actions,
        *_match_actions(table, organization, decision),
        *_line_actions(table, organization, decision),
        *_licence_line_actions(table, organization, decision),
        *_report_actions(table, organization, decision),
    ]


def _report_actions(table: str, organization: str, decision: Decision) -> list[Any]:
    """Return the updates of the recorded teams of the former and the present manager (N1).

    Maintained even while notifications are off, so that no index has to be built to switch them on.
    """
    if decision.after is None:
        return []
    was, becomes = recorded_under(decision.before), recorded_under(decision.after)
    if was == becomes:
        return []
    actions: list[Any] = []
    if was:
        key = keys.report_key(organization, was, decision.after.id)
        actions.append({"Delete": {"TableName": table, "Key": key}})
    if becomes:
        key = keys.report_key(organization, becomes, decision.after.id)
        actions.append({"Put": {"TableName": table, "Item": key}})
    return actions


def _line_actions(table: str, organization: str, decision: Decision) -> list[Any]:
    """Return the updates of the lines for seats that the member leaves or joins."""
    actions: list[Any] = []
    for seat, move in _moves(decision).items():
        member = decision.after.id if decision.after else ""
        if move.leaves:
            key = keys.line_key(organization, seat, move.leaves, member)
            actions.append({"Delete": {"TableName": table, "Key": key}})
        if move.joins:
            key = keys.line_key(organization, seat, move.joins, member)
            actions.append({"Put": {"TableName": table, "Item": key}})
    return actions


def _licence_line_actions(table: str, organization: str, decision: Decision) -> list[Any]:
    """Return the updates of the lines for Engage licences that the member leaves, joins or moves in (G8)."""
    if decision.after is None:
        return []
    member = decision.after.id

    def items(of: Member | None) -> dict[str, Item]:
        found = (keys.licence_line_item(organization, place, member) for place in licence_places.places(of))
        return {item["sk"]["S"]: item for item in found}

    was, becomes = items(decision.before), items(decision.after)
    actions: list[Any] = []
    for sort in sorted(was.keys() | becomes.keys()):
        if sort not in becomes:
            key = {name: was[sort][name] for name in ("pk", "sk")}
            actions.append({"Delete": {"TableName": table, "Key": key}})
        elif becomes[sort] != was.get(sort):
            actions.append({"Put": {"TableName": table, "Item": becomes[sort]}})
    return actions


def _shared_actions(table: str, organization: str, decisions: Sequence[Decision]) -> list[Any]:
    """Return the actions on items that decisions share: pools of seats, counts of freed licences."""
    freed = Counter(left for decision in decisions for left in _groups_left(decision))
    return [
        *_pool_actions(table, organization, decisions),
        *(
            {
                "Update": {
                    "TableName": table,
                    "Key": keys.freed_key(organization, feature, group),
                    "UpdateExpression": "ADD freed :count SET #group = :group",
                    "ExpressionAttributeNames": {"#group": "group"},
                    "ExpressionAttributeValues": {":count": {"N": str(count)}, ":group": {"S": group}},
                }
            }
            for (feature, group), count in sorted(freed.items())
        ),
    ]


def _groups_left(decision: Decision) -> list[tuple[str, str]]:
    """Return the Engage groups that the member has left, each of which frees a licence (G8)."""
    if decision.before is None or decision.after is None:
        return []
    if vault_id(decision.before) != vault_id(decision.after):
        # It goes with the user, who may hold it still.
        return []
    pairs = ((each, getattr(decision.before, each)["group"]) for each in engage_features.FEATURES)
    return [
        (each, group) for each, group in pairs if group and getattr(decision.after, each)["group"] != group
    ]


def _pool_actions(table: str, organization: str, decisions: Sequence[Decision]) -> list[Any]:
    """Return one update per seat's pool for all the decisions, with its limit as condition (A9)."""
    used, waiting, limits = Counter[str](), Counter[str](), dict[str, int]()
    for decision in decisions:
        limits |= decision.limits
        for seat, move in _moves(decision).items():
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


def _moves(decision: Decision) -> dict[str, Move]:
    if decision.after is None:
        return {}
    return moves(decision.before.seats if decision.before else {}, decision.after.seats)


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
    keep = link.member is not None or link.reason in WAITING_REASONS
    expires_at = None if keep else int(now) + LINK_DAYS * _DAY
    return keys.link_item(organization, replace(link, revision=revision + 1), expires_at)


def _match_actions(table: str, organization: str, decision: Decision) -> list[Any]:
    """Return one action per match key that gains or loses someone, or that the decision depends on."""
    changes: dict[str, dict[str, str]] = defaultdict(dict)
    if decision.after:
        old, new = _buckets(keys_of(decision.before)), _buckets(keys_of(decision.after))
        for key in old ^ new:
            changes[key]["ADD members" if key in new else "DELETE members"] = decision.after.id
    if decision.link:
        old = _buckets(decision.link_before.match_keys) if decision.link_before else set()
        new = _buckets(decision.link.match_keys)
        for key in old ^ new:
            changes[key]["ADD waiting" if key in new else "DELETE waiting"] = decision.link.crm_id
    for key in decision.matches or ():
        changes.setdefault(key, {})
    erased = _buckets(decision.keys_erased)
    return [
        *(_match_deletion(table, organization, decision, key) for key in sorted(erased)),
        *(
            _match_action(table, organization, decision, key, changes[key])
            for key in sorted(changes.keys() - erased)
        ),
    ]


def _match_deletion(table: str, organization: str, decision: Decision, key: str) -> dict[str, Any]:
    action = deletion(table, keys.match_key(organization, key))
    action["Delete"] |= {
        "ConditionExpression": "(attribute_not_exists(members) OR members = :own)"
        " AND attribute_not_exists(waiting)",
        "ExpressionAttributeValues": {":own": {"SS": [decision.after.id if decision.after else ""]}},
    }
    return action


def _buckets(match_keys: Iterable[str]) -> set[str]:
    return {bucket(key) for key in match_keys}


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
