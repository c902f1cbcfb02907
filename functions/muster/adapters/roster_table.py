"""The roster as the worker sees it: gather what is known of many users, write one decision whole.

All reads are strongly consistent and of the base table. A write is one transaction under the
conditions of its decision; when one fails nothing was written, or our own first try was (botocore
tries again when an answer is lost). Both are mended the same way: gather and decide again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from muster.adapters import roster_keys as keys
from muster.adapters.aws_errors import translated
from muster.adapters.dynamodb_reads import get_many
from muster.adapters.roster_keys import Item
from muster.decisions import Decision, Known, keys_of
from muster.errors import Unavailable
from muster.model import Link, LogEntry, Member
from muster.reasons import NAMESAKE_ACTIVE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A message can come back for 24 hours from Salesforce and 14 days from the dead-letter queue; for
# longer than both, remember how new the state was of a user who is not in the roster.
LINK_DAYS = 45
ERROR_DAYS = 90
_DAY = 24 * 60 * 60
_READS = 5
_FAILED_CONDITIONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class RosterTable:
    """Members, history, links, match keys and the error log in one DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def gather(self, organization: str, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Known]:
        """Return what is known of each Salesforce user; `wanted` is CRM id → match keys of the change.

        Three batch reads, however many users: links, then members and match keys, then namesakes. They
        are not one moment: who was linked anew in between is read again. Raises `Unavailable`.
        """
        known: dict[str, Known] = {}
        for _ in range(_READS):
            known |= self._gather(organization, {each: wanted[each] for each in wanted.keys() - known.keys()})
            known = {crm_id: what for crm_id, what in known.items() if not _is_torn(crm_id, what)}
            if len(known) == len(wanted):
                return known
        raise Unavailable("links and members do not agree; others are changing them", retry_after=5)

    def _gather(self, organization: str, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Known]:
        found = self._get({crm_id: keys.link_key(organization, crm_id) for crm_id in wanted})
        links = {crm_id: keys.to_link(item) for crm_id, item in found.items()}
        linked = {link.member for link in links.values() if link.member}
        unlinked = [crm_id for crm_id in wanted if not (crm_id in links and links[crm_id].member)]
        second = self._get(
            {("member", member): keys.member_key(organization, member) for member in linked}
            | {
                ("match", key): keys.match_key(organization, key)
                for crm_id in unlinked
                for key in wanted[crm_id]
            }
        )
        members = {name: keys.to_member(item) for (kind, name), item in second.items() if kind == "member"}
        holders = {name: _set(item, "members") for (kind, name), item in second.items() if kind == "match"}
        others = frozenset().union(*holders.values()) - members.keys()
        third = self._get({member: keys.member_key(organization, member) for member in others})
        members |= {name: keys.to_member(item) for name, item in third.items()}
        return {crm_id: _known(links.get(crm_id), wanted[crm_id], members, holders) for crm_id in wanted}

    def waiting(self, organization: str, match_keys: Iterable[str]) -> list[Link]:
        """Return the links of users who wait for one of these match keys to become free."""
        items = self._get({key: keys.match_key(organization, key) for key in match_keys})
        crm_ids = frozenset[str]().union(*(_set(item, "waiting") for item in items.values()))
        links = self._get({crm_id: keys.link_key(organization, crm_id) for crm_id in sorted(crm_ids)})
        return [link for item in links.values() if (link := keys.to_link(item)).reason == NAMESAKE_ACTIVE]

    def write(self, organization: str, decision: Decision, now: float) -> bool:
        """Write all of `decision` or nothing; `False`: something it rests on has changed, decide again.

        `now` is in epoch seconds. Raises `Unavailable` or `Misconfigured`.
        """
        actions = _actions(self._table, organization, decision, now)
        with translated("the roster table"):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = error.response.get("CancellationReasons", [])
                if _FAILED_CONDITIONS & {reason.get("Code") for reason in reasons}:
                    return False
                raise
        return True

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> None:
        """Add entries to the error log; the same entry again changes nothing."""
        for entry in entries:
            item = keys.error_item(organization, entry, int(now) + ERROR_DAYS * _DAY)
            with translated("the roster table"):
                self._client.put_item(TableName=self._table, Item=item)

    def _get[K](self, wanted: Mapping[K, Item]) -> dict[K, Item]:
        return get_many(self._client, self._table, wanted)


def _is_torn(crm_id: str, known: Known) -> bool:
    """Tell whether link and member were read on two sides of someone else's write."""
    if known.link and known.link.member:
        return known.member is None or _crm_id(known.member) != crm_id
    return any(_crm_id(member) == crm_id for member in known.namesakes)


def _crm_id(member: Member) -> str | None:
    return member.crm.get("salesforce", {}).get("id")


def _known(
    link: Link | None,
    match_keys: tuple[str, ...],
    members: Mapping[str, Member],
    holders: Mapping[str, frozenset[str]],
) -> Known:
    if link and link.member:
        return Known(link=link, member=members.get(link.member))
    matches = {key: holders.get(key, frozenset[str]()) for key in match_keys}
    names = dict.fromkeys(name for key in match_keys for name in sorted(matches[key]))
    return Known(
        link=link, matches=matches, namesakes=tuple(members[name] for name in names if name in members)
    )


def _actions(table: str, organization: str, decision: Decision, now: float) -> list[Any]:
    """Return the transaction of a decision: at most one action an item, at most a dozen items."""
    actions: list[Any] = []
    if decision.after:
        member = replace(decision.after, revision=decision.after.revision + 1)
        before = decision.before.revision if decision.before else None
        actions.append(_put(table, keys.member_item(member), before))
    if decision.history:
        actions.append(_put(table, keys.history_item(organization, decision.history), None))
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
    return actions + _match_actions(table, organization, decision)


def _put(table: str, item: Item, revision: int | None) -> dict[str, Any]:
    """Return a put that takes effect only on the revision that was read; `None`: only if there is none."""
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
    """Return the update of a link that was not read: the member's revision vouches for what it held.

    The revision goes on counting, so that whoever has read the link finds their own write void.
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
    keep = link.member is not None or link.reason == NAMESAKE_ACTIVE
    expires_at = None if keep else int(now) + LINK_DAYS * _DAY
    return keys.link_item(organization, replace(link, revision=revision + 1), expires_at)


def _match_actions(table: str, organization: str, decision: Decision) -> list[Any]:
    """Return one update per match key that gains or loses someone, or on which the decision rests."""
    changes: dict[str, dict[str, str]] = defaultdict(dict)
    if decision.after:
        old, new = keys_of(decision.before), keys_of(decision.after)
        for key in set(old) ^ set(new):
            changes[key]["ADD members" if key in new else "DELETE members"] = decision.after.id
    if decision.link:
        old, new = decision.link_before.match_keys if decision.link_before else (), decision.link.match_keys
        for key in set(old) ^ set(new):
            changes[key]["ADD waiting" if key in new else "DELETE waiting"] = decision.link.crm_id
    for key in decision.matches or ():
        changes.setdefault(key, {})
    return [_match_action(table, organization, decision, key, changes[key]) for key in sorted(changes)]


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


def _set(item: Item, name: str) -> frozenset[str]:
    return frozenset(item.get(name, {}).get("SS", ()))
