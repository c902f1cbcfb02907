"""What changed of members within a period: their history entries folded into what is new of each. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from muster.crm import engage_features
from muster.roster import accounts, seats
from muster.roster.member import Json
from muster.roster.reasons import ERASED

JOINED, LEFT, RETURNED, ERASED_, CHANGED = "joined", "left", "returned", "erased", "changed"
# As people are told of: the kinds of news, the weightiest first.
NEWS = (JOINED, LEFT, RETURNED, ERASED_, CHANGED)
# What follows from something else, or tells nobody anything.
_SILENT = frozenset(
    {
        "active",
        "assignment",
        "enabled",
        "id",
        "inactive_reason",
        "inbound_enabled",
        "name",
        "organization",
        "update_mode",
    }
)
_LISTS = ("failed", "waits_for", "lost", "gained")
_WEIGHTY = frozenset({*_LISTS, "asked", "assignment"})

type Change = tuple[Any, Any]


@dataclass(slots=True)
class MemberNews:
    """What is new of one member.

    `changes` has each attribute as it was before the first and after the last of the entries, where the two
    differ; `causes` what brought them, the latest first; `at` is when the latest was made. `was_active` tells
    that one of them made the member active.
    """

    member: str
    at: str
    changes: dict[str, Change] = field(default_factory=dict)
    causes: dict[tuple[str, str, str | None], None] = field(default_factory=dict)
    was_active: bool = False

    def add(self, entry: Json) -> None:
        """Add an entry that is older than all that were added before."""
        self.causes[entry["run"], entry["origin"], entry.get("why")] = None
        for change in entry["changes"]:
            name, before = change["field"], change["before"]
            _, last = self.changes.get(name, (None, change["after"]))
            self.changes[name] = (before, last)
            self.was_active |= name == "active" and change["after"] is True


def add_to(found: dict[str, MemberNews], entry: Json) -> None:
    """Add a history entry to what is new of each member (id); entries come newest first."""
    found.setdefault(entry["member"], MemberNews(entry["member"], entry["at"])).add(entry)


def kind(news: MemberNews) -> str:
    """Return which of `NEWS` it is: somebody who joined and left again within the period has left."""
    before, after = news.changes.get("active", (None, None))
    if news.changes.get("inactive_reason", (None, None))[1] == ERASED:
        return ERASED_
    if after and not before:
        return JOINED if before is None else RETURNED
    if after is False and (before or news.was_active):
        return LEFT
    return CHANGED


def shown(news: MemberNews) -> Json:
    """Return it as JSON.

    `{member, news, at, reason, assignment, failed, waits_for, lost, gained, asked, other, causes}`:
    `assignment` is `{from, to}` where it changed; what was lost or gained is named by its kind, such as
    `{"seat": "gong"}`; `asked` has groups that were asked for, and nothing has come of it; `other` lists the
    attributes that changed besides. What is empty is left out.
    """
    lists: dict[str, list[Json]] = {name: [] for name in _LISTS}
    other = []
    changed = {name: pair for name, pair in news.changes.items() if pair[0] != pair[1]}
    for name, (before, after) in changed.items():
        found = _of(name, before, after, changed)
        for which, what in found:
            lists[which].append(what)
        if not found and name not in _SILENT and not _is_detail(name):
            other.append(name)
    news_kind = kind(news)
    said: Json = {"member": news.member, "news": news_kind, "at": news.at}
    if news_kind in (LEFT, ERASED_) and (reason := changed.get("inactive_reason", (None, None))[1]):
        said["reason"] = reason
    if "assignment" in changed:
        said["assignment"] = dict(zip(("from", "to"), changed["assignment"], strict=True))
    # Whoever has left has nothing, and waits for nothing.
    told = _LISTS if news_kind in (JOINED, RETURNED, CHANGED) else ("lost",)
    said |= {name: lists[name] for name in told if lists[name]}
    if news_kind == CHANGED and (asked := _asked(changed, lists)):
        said["asked"] = asked
    if news_kind == CHANGED and other:
        said["other"] = other
    said["causes"] = [
        {"run": run, "origin": origin, **({"why": why} if why else {})} for run, origin, why in news.causes
    ]
    return said


def _asked(changed: Mapping[str, Change], lists: Mapping[str, Iterable[Json]]) -> list[Json]:
    """Return the groups that were asked for, but for those of which something has come."""
    told = {name for each in lists.values() for what in each for name in what}
    untold = (each for each in engage_features.FEATURES if each not in told)
    return [{each: changed[f"{each}.request"][1]} for each in untold if f"{each}.request" in changed]


def attributes(people: Iterable[Json]) -> dict[str, int]:
    """Return how often each attribute changed of people with no weightier news, the most frequent first."""
    plain = (each["other"] for each in people if not _WEIGHTY & each.keys() and "other" in each)
    return dict(Counter(name for names in plain for name in names).most_common())


def with_requests(said: Json, requests: Mapping[str, str | None]) -> Json:
    """Return it with the group that is waited for or refused, where that was asked for before the period.

    `requests` has by feature the group that the member requests now.
    """

    def filled(what: Json) -> Json:
        return {name: requests.get(name) if value is None else value for name, value in what.items()}

    return {
        name: list(map(filled, value)) if name in ("failed", "waits_for") else value
        for name, value in said.items()
    }


def weight(said: Mapping[str, Any]) -> tuple[int, int, str]:
    """Return what people are sorted by: the kind of news, then what went wrong, was lost, was gained."""
    weighty = (*_LISTS, "assignment", "asked")
    first = next((place for place, name in enumerate(weighty) if name in said), len(weighty))
    return NEWS.index(said["news"]), first, said["member"]


def _of(name: str, before: Any, after: Any, changed: Mapping[str, Change]) -> list[tuple[str, Json]]:
    """Return what is gained, lost, waited for or failed by a change of one attribute, and in which list."""
    group, _, rest = name.partition(".")
    what, _, part = rest.rpartition(".")
    if group == "seats" and part == "state":
        return _of_seat(what, before, after)
    if group == "accounts" and part == "state":
        return _of_account(what, before, after)
    if group == "data_capture" and part == "effective":
        return _gained_and_lost({"data_capture": what}, before == "enabled", after == "enabled")
    if group == "workspaces":
        was, becomes = ({"workspace": rest, "profile": each} for each in (before, after))
        return [*_lost(was, before), *_gained(becomes, after)]
    if group in engage_features.FEATURES and rest == "group":
        return [*_lost({group: before}, before), *_gained({group: after}, after)]
    if group in engage_features.FEATURES and rest == "status" and after in engage_features.FAILED:
        _, request = changed.get(f"{group}.request", (None, None))
        if after == engage_features.NO_LICENSES_REMAINING:
            return [("waits_for", {group: request})]
        return [("failed", {group: request, "status": after})]
    return []


def _of_seat(seat: str, before: str | None, after: str | None) -> list[tuple[str, Json]]:
    what = {"seat": seat}
    waits = [("waits_for", what)] if after == seats.WAITING else []
    return [*_gained_and_lost(what, before == seats.HELD, after == seats.HELD), *waits]


def _of_account(app: str, before: str | None, after: str | None) -> list[tuple[str, Json]]:
    """Return what the state of an account in an app comes to: `{"account": app, "state": …}`."""
    found = _gained_and_lost({"account": app}, before == accounts.OPEN, after == accounts.OPEN)
    if after == accounts.NO_LICENCE:
        return [*found, ("waits_for", {"account": app})]
    return [*found, ("failed", {"account": app, "status": after})] if after in accounts.IN_NEED else found


def _gained_and_lost(what: Json, had: bool, has: bool) -> list[tuple[str, Json]]:
    return [] if had == has else [("gained" if has else "lost", what)]


def _lost(what: Json, before: object) -> list[tuple[str, Json]]:
    return [("lost", what)] if before else []


def _gained(what: Json, after: object) -> list[tuple[str, Json]]:
    return [("gained", what)] if after else []


def _is_detail(name: str) -> bool:
    """Whether an attribute says how something else came about, which is told by itself."""
    group, _, rest = name.partition(".")
    told = group in ("accounts", "seats", *engage_features.FEATURES)
    return told or (group == "data_capture" and not rest.endswith(".intended"))
