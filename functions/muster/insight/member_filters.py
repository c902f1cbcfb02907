"""What members can be listed by: the filter of an event as a value that a member meets or not. Pure.

Text compares in any case; `contains` looks for text with accents aside as well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import combining, normalize

from muster.crm import engage_features
from muster.errors import Problem, Rejected
from muster.roster import accounts, seats
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.roster.reasons import EXPLAINED
from muster.settings import Settings
from muster.validation import did_you_mean

# Attributes of a member that are listed by as they are.
_ATTRIBUTES = frozenset(
    {
        "enabled",
        "inbound_enabled",
        "inactive_reason",
        "username",
        "email",
        "first_name",
        "last_name",
        "name",
        "title",
        "assignment",
        "manager",
    }
)
_SEARCHED = ("name", "username", "email", "own_email", "title")

type Value = str | bool | None


def _with_seat(state: str) -> Callable[[Member], Iterator[Value]]:
    return lambda member: (seat for seat, place in member.seats.items() if place.state == state)


def _of_features(value: Callable[[Engage], Value]) -> Callable[[Member], Iterator[Value]]:
    return lambda member: (value(member.feature(feature)) for feature in engage_features.FEATURES)


# What several values of a member are listed by: one of them is enough.
_VALUES: Mapping[str, Callable[[Member], Iterable[Value]]] = {
    "seat": _with_seat(seats.HELD),
    "waiting": _with_seat(seats.WAITING),
    "group": _of_features(lambda engage: engage.group),
    "licence_status": _of_features(lambda engage: engage.status),
    "left_out": lambda member: (member.inactive_reason,),
    "account": lambda member: (each.state for each in member.accounts.values()),
}
# Accounts in one app are listed by `account.scim.gong`, or by `account: {"scim.gong": …}`.
_ACCOUNT = "account"
NAMES = frozenset({"account.<app>", "active", "contains", "custom.<field>", *_ATTRIBUTES, *_VALUES})


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Conditions that a member has to meet, all of them; `active` is `None` where that does not matter."""

    active: bool | None
    wanted: Mapping[str, Value]

    def matches(self, member: Member) -> bool:
        """Whether the member meets all conditions; that it is active or not is for the reader to ask for."""
        return all(_meets(member, name, value) for name, value in self.wanted.items())


def parsed(filters: Mapping[str, object]) -> MemberFilter:
    """Return the filter of an event, with the active members where it does not say; raises `Rejected`.

    `left_out` looks among those who are not active, so it need not say so as well; accounts may be those of
    members who have left.
    """
    named = dict(_by_app(filters))
    wanted = {name: _value(name, value) for name, value in named.items() if name != "active"}
    asks_for_accounts = any(name.partition(".")[0] == _ACCOUNT for name in named)
    default = "any" if asks_for_accounts else "left_out" not in named
    return MemberFilter(_active(named.get("active", default)), wanted)


def _by_app(filters: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in filters.items():
        if name == _ACCOUNT and isinstance(value, Mapping):
            yield from ((f"{_ACCOUNT}.{app}", state) for app, state in value.items())
        else:
            yield name, value


def require_known(wanted: MemberFilter, seen: Mapping[str, Iterable[str]], settings: Settings) -> None:
    """Raise `Rejected` for a value that nobody has and that the settings do not know, naming the nearest.

    `seen` are values that members have, by the name they are listed by. To be asked where nobody matches.
    """
    _require_apps(wanted, settings)
    known = {
        "account": accounts.STATES,
        "assignment": [each.name for each in settings.assignments],
        "seat": settings.seats,
        "waiting": settings.seats,
        "licence_status": {status for some in engage_features.STATUSES.values() for status in some},
        "inactive_reason": EXPLAINED,
        "left_out": EXPLAINED,
    }
    for name, value in wanted.wanted.items():
        kind = _ACCOUNT if name.startswith(f"{_ACCOUNT}.") else name
        if not isinstance(value, str) or (kind not in known and kind != "group"):
            continue
        names = {*known.get(kind, ()), *seen.get(name, ())}
        if value not in map(str.casefold, names):
            what = f"is {value!r}, and there is no such {_NOUNS[kind]}"
            raise Rejected(Problem(f"filter.{name}", what, did_you_mean(value, names)))


def _require_apps(wanted: MemberFilter, settings: Settings) -> None:
    apps = [app for app, _ in settings.connections.targets()]
    for name in wanted.wanted:
        kind, _, app = name.partition(".")
        if kind == _ACCOUNT and app and app not in apps:
            remedy = did_you_mean(app, apps) or "The settings name no app."
            raise Rejected(Problem(f"filter.{name}", f"is about {app}, and there is no such app", remedy))


_NOUNS = {
    "account": "state of an account",
    "assignment": "assignment",
    "seat": "seat",
    "waiting": "seat",
    "group": "group with anybody in it",
    "licence_status": "status",
    "inactive_reason": "reason",
    "left_out": "reason",
}


def values_of(member: Member, name: str) -> Iterable[str]:
    """Return the texts by which `require_known` could name the nearest."""
    if name.startswith(f"{_ACCOUNT}."):
        return ()
    found = _VALUES[name](member) if name in _VALUES else (getattr(member, name, None),)
    return (value for value in found if isinstance(value, str))


def folded(text: str) -> str:
    """Return a text such that two that differ in case, accents or spaces alone are equal."""
    plain = "".join(each for each in normalize("NFKD", text) if not combining(each))
    return " ".join(plain.casefold().split())


def _meets(member: Member, name: str, wanted: Value) -> bool:
    if name == "contains":
        texts = (getattr(member, each) for each in _SEARCHED)
        return any(str(wanted) in folded(text) for text in texts if text)
    if name in _VALUES:
        return wanted in map(_cased, _VALUES[name](member))
    group, _, field = name.partition(".")
    if group == _ACCOUNT:
        state = member.accounts.get(field, accounts.NO_ACCOUNT).state
        return bool(state) is bool(wanted) if wanted in (True, False, None) else state == wanted
    return _cased(member.custom.get(field) if group == "custom" else getattr(member, name)) == wanted


def _cased(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _active(value: object) -> bool | None:
    if value == "any":
        return None
    if isinstance(value, bool):
        return value
    what = f"is {value!r}, which is neither true, false nor any"
    raise Rejected(Problem("filter.active", what, 'Say true, false or "any".'))


def _value(name: str, value: object) -> Value:
    if name not in NAMES and not name.startswith(("custom.", f"{_ACCOUNT}.")):
        raise Rejected(Problem(f"filter.{name}", "is not something to filter by", did_you_mean(name, NAMES)))
    if not isinstance(value, str | bool) and value is not None:
        raise Rejected(
            Problem(f"filter.{name}", "is not text, true, false or null", "Give the value to look for.")
        )
    if name == "contains":
        if not isinstance(value, str) or not folded(value):
            raise Rejected(Problem("filter.contains", "is not text", "Give a part of a name or address."))
        return folded(value)
    return _cased(value)
