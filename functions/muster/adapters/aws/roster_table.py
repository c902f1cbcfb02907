"""The roster for the worker, imports and pushes: look up what is known of many users, write decisions.

All reads are strongly consistent, from the base table, except for the two indexes. A write is one
transaction with the conditions of its decisions. If it fails, either nothing was written, or our own first
try was (botocore retries when an answer is lost). Both are handled the same way: gather and decide again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from muster.adapters.aws import roster_keys as keys
from muster.adapters.aws.aws_errors import translated
from muster.adapters.aws.dynamodb_reads import get_many, texts
from muster.adapters.aws.roster_keys import Item
from muster.adapters.aws.roster_writes import ERROR_DAYS, deletion, transactions
from muster.adapters.aws.run_table import fence
from muster.error_log import LogEntry
from muster.errors import Stale, Unavailable
from muster.lease import Lease
from muster.roster.decisions import Decision, Known, Wanted
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.roster.links import Link, bucket, keys_of
from muster.roster.member import Member
from muster.roster.reasons import WAITING_REASONS
from muster.roster.seats import Pool
from muster.sources.member_states import MemberState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_DAY = 24 * 60 * 60
_READS = 5
# What a transaction takes.
_MOST_ACTIONS = 100
_FAILED_CONDITIONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class RosterTable:
    """Members, history, links, match keys and the error log in one DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def gather(self, organization: str, wanted: Mapping[str, Wanted]) -> dict[str, Known]:
        """Return what is known of each Salesforce user; `wanted` is CRM id → what to look up.

        Three batch reads, however many users: links (the managers' too), then members and match keys,
        then namesakes. They are not one snapshot: users that were linked in between are read again.
        Raises `Unavailable`.
        """
        known: dict[str, Known] = {}
        for _ in range(_READS):
            known |= self._gather(organization, {each: wanted[each] for each in wanted.keys() - known.keys()})
            known = {crm_id: what for crm_id, what in known.items() if not _is_torn(crm_id, what)}
            if len(known) == len(wanted):
                return known
        raise Unavailable("links and members do not agree; others are changing them", retry_after=5)

    def _gather(self, organization: str, wanted: Mapping[str, Wanted]) -> dict[str, Known]:
        managers = {each.manager for each in wanted.values() if each.manager}
        former = {each.succeeds for each in wanted.values() if each.succeeds}
        asked = {*wanted, *managers, *former}
        found = self._get({crm_id: keys.link_key(organization, crm_id) for crm_id in asked})
        links = {crm_id: keys.to_link(item) for crm_id, item in found.items()}
        linked = {member for crm_id in asked if crm_id in links and (member := links[crm_id].member)}
        asked_for = {
            bucket(key)
            for crm_id, each in wanted.items()
            for key in (each.claims if crm_id in links and links[crm_id].member else each.match_keys)
        }
        second = self._get(
            {("member", member): keys.member_key(organization, member) for member in linked}
            | {("match", key): keys.match_key(organization, key) for key in asked_for}
        )
        members = {name: keys.to_member(item) for (kind, name), item in second.items() if kind == "member"}
        holders = {name: _set(item, "members") for (kind, name), item in second.items() if kind == "match"}
        others = frozenset().union(*holders.values()) - members.keys()
        third = self._get({member: keys.member_key(organization, member) for member in others})
        members |= {name: keys.to_member(item) for name, item in third.items()}
        return {crm_id: _known(crm_id, what, links, members, holders) for crm_id, what in wanted.items()}

    def members(self, organization: str, members: Iterable[str]) -> dict[str, Member]:
        """Return the existing members with these ids."""
        found = self._get({member: keys.member_key(organization, member) for member in members})
        return {member: keys.to_member(item) for member, item in found.items()}

    def pools(self, organization: str, seats: Iterable[str]) -> dict[str, Pool]:
        """Return the pool of each of these seats: how many hold it, and how many wait for it."""
        found = self._get({seat: keys.seat_key(organization, seat) for seat in seats})
        return {seat: Pool(int(item["used"]["N"]), int(item["waiting"]["N"])) for seat, item in found.items()}

    def line(self, organization: str, seat: str, limit: int) -> list[str]:
        """Return the ids of the first members in line for a seat, in order."""
        return [item["sk"]["S"].rpartition("#")[2] for item in self._line(organization, seat, limit)]

    def _line(self, organization: str, seat: str, limit: int) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": keys.line_partition(organization, seat)}},
            "ConsistentRead": True,
        }
        while limit > 0:
            with translated("the roster table"):
                answer = self._client.query(**request, Limit=limit)
            yield from answer["Items"]
            limit -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def forget_history(self, organization: str, member: str, version: int) -> None:
        """Delete a member's history up to a version, that one included; deleting it again changes nothing."""
        for some in batched(range(1, version + 1), _MOST_ACTIONS, strict=False):
            self._transact(
                [deletion(self._table, keys.history_key(organization, member, each)) for each in some],
                fenced=False,
            )

    def states(self, organization: str) -> Iterator[MemberState]:
        """Yield the state of each member that is linked to a CRM, from the index: ids and digests only.

        The index lags slightly behind the table, so its content is only a hint where to look.
        """
        yield from map(keys.to_state, self._index(organization, "state"))

    def due(self, organization: str, today: date) -> Iterator[tuple[str, Due]]:
        """Yield the ids of the members that are due by that day, and for what: only a hint as well."""
        yield from map(keys.to_due, self._index(organization, "due", until=f"{today.isoformat()}|~"))

    def _index(self, organization: str, name: str, until: str | None = None) -> Iterator[str]:
        """Yield the sort keys of an index, up to `until`; indexes are named after their attribute."""
        for shard in range(keys.SHARDS):
            values = {":pk": {"S": keys.member_partition(organization, shard)}}
            request: dict[str, Any] = {
                "TableName": self._table,
                "IndexName": f"by_{name}",
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": values,
            }
            if until is not None:
                request["KeyConditionExpression"] += " AND #text <= :until"
                values[":until"] = {"S": until}
            yield from texts(self._client, request, name)

    def licence_lines(self, organization: str) -> tuple[list[tuple[str, Place]], Counter[tuple[str, str]]]:
        """Return the lines for Engage licences, and the counts of freed ones that nobody was tried for yet.

        The lines hold member ids and places, group by group, in order; the counts are by feature and group
        (G8).
        """
        lines: list[tuple[str, Place]] = []
        freed: Counter[tuple[str, str]] = Counter()
        for item in self._licences(organization):
            sort = item["sk"]["S"]
            if sort.startswith(keys.FREED):
                freed[sort.split("#")[1], item["group"]["S"]] = max(0, int(item["freed"]["N"]))
            else:
                lines.append(keys.to_place(item))
        return lines, +freed

    def offered(self, organization: str, counts: Mapping[tuple[str, str], int]) -> None:
        """Subtract from the counts of freed licences, after they were offered to the lines."""
        for (feature, group), count in counts.items():
            with translated("the roster table"):
                self._client.update_item(
                    TableName=self._table,
                    Key=keys.freed_key(organization, feature, group),
                    UpdateExpression="ADD freed :less SET #group = :group",
                    ExpressionAttributeNames={"#group": "group"},
                    ExpressionAttributeValues={":less": {"N": str(-count)}, ":group": {"S": group}},
                )

    def _licences(self, organization: str) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": keys.licence_lines_partition(organization)}},
            "ConsistentRead": True,
        }
        while True:
            with translated("the roster table"):
                answer = self._client.query(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def waiting(self, organization: str, match_keys: Iterable[str]) -> list[Link]:
        """Return the links of the users who wait for one of these match keys to become free."""
        items = self._get({key: keys.match_key(organization, key) for key in match_keys})
        crm_ids = frozenset[str]().union(*(_set(item, "waiting") for item in items.values()))
        links = self._get({crm_id: keys.link_key(organization, crm_id) for crm_id in sorted(crm_ids)})
        return [link for item in links.values() if (link := keys.to_link(item)).reason in WAITING_REASONS]

    def holders(self, organization: str, match_keys: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return who has each of these match keys (member ids), or waits for it (CRM ids)."""
        items = self._get({key: keys.match_key(organization, key) for key in match_keys})
        return {key: _set(item, "members") | _set(item, "waiting") for key, item in items.items()}

    def account_members(self, organization: str, connection: str, accounts: Iterable[str]) -> dict[str, str]:
        """Return the members (ids) that accounts of an app are linked to, by the accounts' ids there."""
        items = self._get({each: keys.account_key(organization, connection, each) for each in accounts})
        return {account: item["member"]["S"] for account, item in items.items()}

    def write(
        self, organization: str, decisions: Sequence[Decision], now: float, lease: Lease | None = None
    ) -> list[Decision]:
        """Write decisions, each as a whole or not at all; return those that are void, to be decided again.

        Several share a transaction; if a condition of one of them fails, all of them are void. `now` is in
        epoch seconds. A run's writes are fenced with its lease: raises `Stale` once another run has taken
        over. Raises `Unavailable` or `Misconfigured`; transactions written before that stay written.
        """
        void: list[Decision] = []
        for some, actions in transactions(self._table, organization, decisions, now):
            if lease:
                actions.append(fence(self._table, lease))
            if not self._transact(actions, fenced=lease is not None):
                void += some
        return void

    def _transact(self, actions: list[Any], *, fenced: bool) -> bool:
        with translated("the roster table"):
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
                if fenced and reasons and reasons[-1] == "ConditionalCheckFailed":
                    raise Stale("another run has taken over") from error
                if _FAILED_CONDITIONS & set(reasons):
                    return False
                raise
        return True

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> int:
        """Add entries to the error log and return how many were new; adding one again changes nothing."""
        new = 0
        for entry in entries:
            item = keys.error_item(organization, entry, int(now) + ERROR_DAYS * _DAY)
            with translated("the roster table"):
                before = self._client.put_item(TableName=self._table, Item=item, ReturnValues="ALL_OLD")
            new += "Attributes" not in before
        return new

    def _get[K](self, wanted: Mapping[K, Item]) -> dict[K, Item]:
        return get_many(self._client, self._table, wanted)


def _is_torn(crm_id: str, known: Known) -> bool:
    """Whether link and member do not fit together, because another write came between the reads."""
    if known.link and known.link.member:
        return known.member is None or _crm_id(known.member) != crm_id
    return any(_crm_id(member) == crm_id for member in known.namesakes)


def _crm_id(member: Member) -> str | None:
    return member.crm.get("salesforce", {}).get("id")


def _known(
    crm_id: str,
    wanted: Wanted,
    links: Mapping[str, Link],
    members: Mapping[str, Member],
    holders: Mapping[str, frozenset[str]],
) -> Known:
    link = links.get(crm_id)
    managers_link = links.get(wanted.manager) if wanted.manager else None
    above = members.get(managers_link.member or "") if managers_link else None
    manager = above.id if above and above.active else None
    member = members.get(link.member) if link and link.member else None
    sought = wanted.claims if link and link.member else wanted.match_keys
    matches = {key: holders.get(key, frozenset[str]()) for key in map(bucket, sought)}
    names = dict.fromkeys(name for each in matches.values() for name in sorted(each))
    namesakes = tuple(
        each
        for name in names
        if (each := members.get(name)) and each != member and not frozenset(sought).isdisjoint(keys_of(each))
    )
    if link and link.member:
        return Known(link=link, member=member, manager=manager, matches=matches or None, namesakes=namesakes)
    theirs = links.get(wanted.succeeds) if wanted.succeeds else None
    former = members.get(theirs.member) if theirs and theirs.member else None
    return Known(link=link, matches=matches, namesakes=namesakes, manager=manager, former=former)


def _set(item: Item, name: str) -> frozenset[str]:
    return frozenset(item.get(name, {}).get("SS", ()))
