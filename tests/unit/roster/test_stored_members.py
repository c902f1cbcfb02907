"""A stored member read and written again: not a byte of it changes, and it is shown as it is stored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.crm.engage_features import FEATURES
from muster.roster.member import SHOWN, Member
from muster.roster.vault_state import VaultState

TEXT = st.text(min_size=1, max_size=3)
MAYBE = TEXT | st.none()
WHEN = st.sampled_from(["2026-11-01T08:15:00.000Z", "2026-11-20T08:15:00.000Z"])
NAMES = st.sampled_from(["gong", "forecast", "EMEA.North"])
# What a newer version may have added to a value.
NEWER = {"of_a_newer_version": st.booleans() | st.dictionaries(TEXT, TEXT, max_size=1)}


def in_order(keys: Mapping[str, Any], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON objects with these keys in this order, and some of the `others` behind them."""
    names = (*keys, *others, *NEWER)
    some = st.fixed_dictionaries(dict(keys), optional=others | NEWER)
    return some.map(lambda made: {name: made[name] for name in names if name in made})


def in_any_order(keys: Mapping[str, Any], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON objects with these keys, and some of the `others` among them."""
    some = st.fixed_dictionaries(dict(keys), optional=others | NEWER)
    return some.flatmap(lambda made: st.permutations(list(made.items()))).map(dict)


def by(names: Any, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    return st.dictionaries(st.sampled_from(names) if isinstance(names, tuple) else names, values, min_size=1)


ENGAGE = in_order({"request": MAYBE, "status": MAYBE, "group": MAYBE}).filter(
    lambda engage: any(value is not None for value in engage.values())
)
SEATS = by(
    NAMES,
    in_order({"state": st.just("held")})
    | in_order({"state": st.just("waiting"), "since": WHEN, "rank": st.integers(0, 9999)})
    | in_order({"state": st.just("blocked"), "requires": NAMES}),
)
CAPTURE = by(NAMES, in_order({"intended": TEXT, "effective": TEXT, "seat_required": MAYBE, "origin": TEXT}))
TRIES = by(
    (*FEATURES, "user_status", "fields"),
    in_order(
        {"since": WHEN, "last": WHEN, "count": st.integers(1, 9)},
        failed=WHEN,
        overdue=WHEN,
        unsaved=st.just(True),
        blanked=st.just(True),
        adds=st.just(True),
    ),
)
WRITTEN = by(
    ("title", "custom.Region__c"),
    in_order({"value": MAYBE}, open=st.just(True), sent=TEXT, same=TEXT, refused=st.just(True)),
)
ALIGN = in_any_order(
    {"id": MAYBE, "taken": WHEN | st.none(), "told": st.none() | by(FEATURES, ENGAGE)},
    filled=st.sampled_from([[], ["engage"], ["engage", "engage_connect"]]),
    requests=st.dictionaries(st.sampled_from(FEATURES), MAYBE),
    by_hand=st.dictionaries(st.sampled_from(("crm_user_status", "end_date")), MAYBE),
)
SOME_FEATURES = st.sampled_from([["engage"], ["engage_connect"], ["engage", "engage_connect"]])
VAULT = in_any_order(
    {},
    active=st.booleans(),
    engage=MAYBE,
    engage_connect=MAYBE,
    digest=st.text(max_size=2),
    waits=by(FEATURES, in_order({"group": TEXT, "since": WHEN, "tried": WHEN})),
    tries=TRIES,
    former=by(FEATURES, in_order({"group": TEXT, "origin": TEXT})),
    returning=SOME_FEATURES,
    set_aside=SOME_FEATURES,
    under_way=by(FEATURES, WHEN),
    written=WRITTEN,
    unfit=st.just(True),
    align=ALIGN,
).filter(bool)
ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    "active": st.just(True),
    "phone_numbers": by(("mobile", "other"), MAYBE),
    "crm": by(("salesforce", "vault_crm"), st.dictionaries(TEXT, MAYBE)),
    "custom": by(NAMES, MAYBE),
    "seats": SEATS,
    "workspaces": by(NAMES, TEXT),
    "data_capture": CAPTURE,
    "engage": ENGAGE,
    "engage_connect": ENGAGE,
    "matched": st.lists(TEXT, min_size=1),
    "origins": by(NAMES, TEXT),
    "vault": VAULT,
    "sources": by(("salesforce",), TEXT),
    "former_keys": st.lists(TEXT, min_size=1),
}
DOCUMENTS = st.fixed_dictionaries({"id": TEXT, "organization": TEXT}, optional=ATTRIBUTES).map(
    lambda made: {name: made[name] for name in ("id", "organization", *ATTRIBUTES) if name in made}
)
NOTHING = orjson.dumps(Member(id="", organization="").shown(SHOWN))


@given(document=DOCUMENTS)
def test_what_is_stored_is_written_again_byte_for_byte(document: dict[str, Any]) -> None:
    stored = orjson.dumps(document)
    member = Member.from_document(orjson.loads(stored), 7)
    assert orjson.dumps(member.to_document()) == stored
    assert member == Member.from_document(orjson.loads(stored), 7)


@given(stored=VAULT)
def test_what_was_changed_is_written_with_all_that_it_had(stored: dict[str, Any]) -> None:
    changed = replace(VaultState.from_json(orjson.loads(orjson.dumps(stored))))
    assert changed.read is None
    assert orjson.loads(orjson.dumps(changed.to_json())) == stored
    assert VaultState.from_json(changed.to_json()) == changed


@given(document=DOCUMENTS)
def test_a_member_is_shown_as_it_is_stored(document: dict[str, Any]) -> None:
    member = Member.from_document(orjson.loads(orjson.dumps(document)))
    numbers = document.get("phone_numbers", {})
    places = document.get("seats", {})
    expected = orjson.loads(NOTHING) | {name: document[name] for name in SHOWN if name in document}
    expected["phone_numbers"] = [{"type": name, "number": each} for name, each in numbers.items() if each]
    expected["seats"] = {
        seat: {name: value for name, value in place.items() if name != "rank"}
        for seat, place in places.items()
    }
    assert orjson.dumps(member.shown(SHOWN)) == orjson.dumps(expected)


@pytest.mark.parametrize("name", ["engage", "engage_connect"])
def test_what_is_stored_says_which_feature_it_is_of(name: Any) -> None:
    member = Member.from_document({"id": "m", "organization": "o", name: {"request": "UK"}})
    assert [each for each in FEATURES if member.feature(each).request == "UK"] == [name]
    assert member.with_feature(name, member.feature(name)) == member
