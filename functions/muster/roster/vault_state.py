"""What a member's `vault` holds: what Vault CRM and Align last showed of it, and what is still to be done.

Every value is immutable, and a rule returns another one. Times are in ISO 8601. What is empty, false or
`None` is not stored, but for what is named otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from muster.crm.engage_features import FEATURES, Feature
from muster.roster.engage_state import Engage
from muster.roster.stored_values import Json, Unknown, unknown
from muster.times import timestamp

# How long to wait after the first try that failed, and after the second; after each later one, a day.
_PAUSES = (timedelta(0), timedelta(hours=6))
_LATER = timedelta(days=1)
# A try without an answer is taken for forgotten after this long.
FORGOTTEN = timedelta(hours=6)


_NONE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LicenceWait:
    """A place in line for a licence of a group: since when, and when last tried (G8)."""

    group: str
    since: str
    tried: str
    unknown: Unknown = ()


@dataclass(frozen=True, slots=True)
class FormerGroup:
    """A group that a leaver had requested, with the origin of that, to be requested again (G11)."""

    group: str
    origin: str
    unknown: Unknown = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What has been tried since when; `last` is the time of the latest of `count` tries.

    `failed` is when it was first seen to have failed, `overdue` when it was first seen to take too long: each
    is told once. `unsaved`: Vault CRM did not save the latest try, so that it shows nothing of it. `blanked`:
    an empty text was tried instead of no value. `adds`: a group was asked for.
    """

    since: str
    last: str
    count: int = 1
    failed: str | None = None
    overdue: str | None = None
    unsaved: bool = False
    blanked: bool = False
    adds: bool = False
    unknown: Unknown = ()

    def next(self, *, under_way: bool = False) -> str:
        """Return from when on it is to be tried again; empty: at once. `under_way`: no answer yet."""
        pause = _PAUSES[self.count - 1] if self.count <= len(_PAUSES) else _LATER
        if under_way:
            pause = max(pause, FORGOTTEN)
        return timestamp(datetime.fromisoformat(self.last) + pause) if pause else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMark:
    """What was dealt with of an attribute that a custom mapping writes (G5); its `value` is always stored.

    `value` is the attribute's that was dealt with, another one is due for a push. `open`: Vault CRM shows
    otherwise than it should, or has refused to save it. `sent` is what Muster has written last, `same` what
    Vault CRM showed when it took that for no change: to it, both are the same. `refused`: Vault CRM has
    refused to save the value, which has been told.
    """

    value: str | None
    open: bool = False
    sent: str | None = None
    same: str | None = None
    refused: bool = False
    unknown: Unknown = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignMark:
    """What is known of the member's record in Align (G9); `id`, `taken` and `told` are always stored.

    `id` is the record's, `None` where there is none any more; `taken` when the record was saved that was last
    taken over, `told` the features as it was last written, `None` if it has to be written. `filled` are the
    features whose request the record has shown as it is (`None`: all), `requests` what it showed when it was
    last written, and `by_hand` the status and end date when they were last taken over.
    """

    id: str | None
    taken: str | None
    told: Mapping[Feature, Engage] | None
    filled: tuple[Feature, ...] | None = None
    by_hand: Mapping[str, str | None] | None = None
    requests: Mapping[Feature, str | None] | None = None
    unknown: Unknown = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultState:
    """What Vault CRM last showed of a member's user, and what is still to be done for it; see the values.

    `active`: whether the user is; `None`: not seen yet. `requests` holds by feature the request there, or
    that was sent since. `digest` is that of the row as imported; empty: the next full import looks at the
    user whatever it shows. `waits` are places in line, `tries` what is tried there until it is done, by
    feature, `engage_features.USER_STATUS` or `FIELDS`. `former` are groups to request again for who comes
    back, `returning` features of which that is unsent, `set_aside` those whose request waits until they are
    pushed, `under_way` since when a request is sent and not answered, `written` what custom mappings have
    written, by attribute. `unfit`: the user goes by nothing of the member any more.
    """

    active: bool | None = None
    requests: Mapping[Feature, str | None] = _NONE
    digest: str | None = None
    waits: Mapping[Feature, LicenceWait] = _NONE
    tries: Mapping[str, Tries] = _NONE
    former: Mapping[Feature, FormerGroup] = _NONE
    returning: tuple[Feature, ...] = ()
    set_aside: tuple[Feature, ...] = ()
    under_way: Mapping[Feature, str] = _NONE
    written: Mapping[str, WrittenMark] = _NONE
    unfit: bool = False
    align: AlignMark | None = None
    unknown: Unknown = ()
    # As it was read: written again as long as nothing changes, byte for byte.
    read: Json | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_active(self) -> bool:
        """Whether the user is active in Vault CRM, as far as anything is known."""
        return self.active is not False

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return self != NOTHING_KNOWN

    def to_json(self) -> Json:
        """Return what is stored."""
        if self.read is not None:
            return self.read
        stored: Json = {} if self.active is None else {"active": self.active}
        stored.update(self.requests.items())
        if self.digest is not None:
            stored["digest"] = self.digest
        for name in _PARTS:
            if value := getattr(self, name):
                stored[name] = _JSON[name][1](value) if name in _JSON else value
        return stored | dict(self.unknown)

    @staticmethod
    def from_json(document: Json) -> VaultState:
        """Return the value of what is stored, which is not changed from then on."""
        values: Json = {}
        requests: dict[Feature, str | None] = {}
        newer: list[tuple[str, object]] = []
        for name, value in document.items():
            if name in FEATURES:
                requests[name] = value
            elif name in _JSON:
                values[name] = _JSON[name][0](value)
            elif name in _PLAIN:
                values[name] = value
            else:
                newer.append((name, value))
        values |= {"requests": requests, "unknown": tuple(newer), "read": document}
        # Past `__init__`: imports read many members.
        state = object.__new__(VaultState)
        for name, put, empty in _SLOTS:
            put(state, values.get(name, empty))
        return state


NOTHING_KNOWN = VaultState()
_SLOTS = tuple(
    (each.name, VaultState.__dict__[each.name].__set__, getattr(NOTHING_KNOWN, each.name))
    for each in fields(VaultState)
)
# What is stored under its own name, if there is any.
_PARTS = (
    "waits",
    "tries",
    "former",
    "returning",
    "set_aside",
    "under_way",
    "written",
    "unfit",
    "align",
)


_PLAIN = frozenset({"active", "digest", "under_way", "unfit"})

type _Form = tuple[Callable[[Any], object], Callable[[Any], object]]


def _form(of: type[Any], *always: str, **parts: _Form) -> _Form:
    """Return how one of these values is read from JSON, and written: `always` are in it, even if empty.

    `parts` are those that are not JSON themselves.
    """
    names = tuple(each.name for each in fields(of) if each.name != "unknown")

    def read(document: Json) -> object:
        values = {name: document[name] for name in names if name in document}
        newer = unknown(document, names) if len(values) < len(document) else ()
        for name, (read_part, _) in parts.items():
            if values.get(name) is not None:
                values[name] = read_part(values[name])
        return of(**values, unknown=newer)

    def write(value: Any) -> Json:
        document = {name: getattr(value, name) for name in names}
        for name, (_, write_part) in parts.items():
            if document[name] is not None:
                document[name] = write_part(document[name])
        stored = {
            name: part
            for name, part in document.items()
            if name in always or (part is not None and part is not False)
        }
        return stored | dict(value.unknown)

    return read, write


def _by_name(form: _Form) -> _Form:
    """Return how values by name are read and written."""
    read, write = form
    return (
        lambda document: {name: read(value) for name, value in document.items()},
        lambda values: {name: write(value) for name, value in values.items()},
    )


_LIST: _Form = (tuple, list)
_ENGAGE: _Form = (Engage.from_json, Engage.to_json)
# The parts that are not JSON themselves.
_JSON: Mapping[str, _Form] = {
    "waits": _by_name(_form(LicenceWait)),
    "tries": _by_name(_form(Tries)),
    "former": _by_name(_form(FormerGroup)),
    "returning": _LIST,
    "set_aside": _LIST,
    "written": _by_name(_form(WrittenMark, "value")),
    "align": _form(AlignMark, "id", "taken", "told", told=_by_name(_ENGAGE), filled=_LIST),
}
