"""Engage groups: asking, retrying, leaving, what is sent and what is taken back in (G1 to G8, P1, P3)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from muster.crm.engage_features import (
    CONNECT,
    ENGAGE,
    FAILED,
    FEATURES,
    INVALID_GROUP_NAME,
    NO_LICENSES_REMAINING,
    REQUEST_FAILED,
    REQUEST_SENT,
    RETRY_REQUEST,
    STATUSES,
    SUCCESS,
    USER_STATUS,
    Feature,
    Seen,
)
from muster.roster import end_dates, engage_groups, licence_places, vault_tries
from muster.roster.engage_groups import Due
from muster.roster.engage_state import Engage
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.roster.vault_state import Tries
from tests.members import changed, vault_state

TODAY = date(2026, 11, 20)
AT = "2026-11-20T08:16:00.000Z"
EARLIER = "2026-11-01T08:16:00.000Z"
LATER = "2026-11-01T08:46:00.000Z"
both = pytest.mark.parametrize("feature", FEATURES)


def held(request: str | None, status: str | None = None, group: str | None = None) -> Engage:
    return Engage(request, status, group)


def member(vault: dict[str, Any] | None = None, /, **attributes: Any) -> Member:
    """Return Ada, who is in Vault CRM; without anything there, her requests are empty."""
    seen = {"active": True, "engage": None, "engage_connect": None, "digest": "as imported"}
    ada = Member(
        id="ada",
        organization="acme",
        active=True,
        crm={"salesforce": {"id": "005"}, "vault_crm": {"id": "10042"}},
        vault=vault_state(**seen | (vault or {})),
    )
    return changed(ada, **attributes)


def stranger(**attributes: Any) -> Member:
    """Return Ada before an import has found her in Vault CRM."""
    return replace(member(**attributes), crm={"salesforce": {"id": "005"}}, vault=vault_state())


def wished(ada: Member, feature: Feature, group: str | None) -> Member:
    return replace(ada, **engage_groups.request_group(ada, feature, group))


def waits(group: str = "UK", since: str = EARLIER, tried: str = EARLIER) -> dict[str, str]:
    return {"group": group, "since": since, "tried": tried}


def tries(what: str, count: int) -> dict[str, Any]:
    """Return what the `vault` of somebody says for whom something was tried so often, and last `EARLIER`."""
    return {"tries": {what: {"since": EARLIER, "last": EARLIER, "count": count, "failed": EARLIER}}}


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────


@both
@pytest.mark.parametrize(
    ("before", "group"),
    [
        (held(None), "UK"),
        (held("UK", SUCCESS, "UK"), "US"),
        (held("UK", SUCCESS, "UK"), None),
        (held("UK", INVALID_GROUP_NAME), "US"),
        (held("UK", REQUEST_SENT), None),
        (held("UK", "on_hold__v"), "US"),
    ],
)
def test_a_changed_request_of_somebody_in_vault_crm_is_retry_request(
    feature: Feature, before: Engage, group: str | None
) -> None:
    after = wished(member(**{feature: before}), feature, group)
    assert after.feature(feature) == replace(before, request=group, status=RETRY_REQUEST)
    assert engage_groups.is_unsent(after, feature)
    # The next import looks at the member again, and what it saw last is still known.
    assert after.vault.to_json() == {"active": True, "engage": None, "engage_connect": None, "digest": ""}


@both
@pytest.mark.parametrize(("shown", "status"), [(None, None), ("UK", SUCCESS)])
def test_a_wish_that_is_taken_back_before_it_was_sent_leaves_nothing_to_send(
    feature: Feature, shown: str | None, status: str | None
) -> None:
    asked = member(**{feature: Engage("US", RETRY_REQUEST, shown)})
    asked = replace(asked, vault=replace(asked.vault, requests={feature: shown}))
    assert getattr(wished(asked, feature, shown), feature) == held(shown, status, shown)


@both
def test_the_other_feature_is_left_alone(feature: Feature) -> None:
    other = CONNECT if feature == ENGAGE else ENGAGE
    ada = member(**{other: held("US", SUCCESS, "US")})
    assert set(engage_groups.request_group(ada, feature, "UK")) == {feature, "vault"}


@both
@pytest.mark.parametrize("group", ["UK", None])
@pytest.mark.parametrize("status", [None, RETRY_REQUEST, SUCCESS, NO_LICENSES_REMAINING])
def test_asking_for_what_is_asked_for_changes_nothing(
    feature: Feature, group: str | None, status: str | None
) -> None:
    assert engage_groups.request_group(member(**{feature: held(group, status)}), feature, group) == {}


@both
def test_who_is_not_in_vault_crm_yet_has_a_request_and_no_status(feature: Feature) -> None:
    after = wished(stranger(), feature, "UK")
    assert after.feature(feature) == held("UK")
    assert not engage_groups.is_unsent(after, feature)
    assert engage_groups.due(after) is None


@both
@pytest.mark.parametrize("status", [SUCCESS, REQUEST_SENT, NO_LICENSES_REMAINING, None, "on_hold__v"])
def test_a_retry_keeps_the_request(feature: Feature, status: str | None) -> None:
    ada = member(**{feature: held("UK", status, "US")})
    after = replace(ada, **engage_groups.retry(ada, feature))
    assert after.feature(feature) == held("UK", RETRY_REQUEST, "US")
    assert after.vault.to_json()["digest"] == ""


def test_a_retry_of_who_is_not_in_vault_crm_changes_nothing() -> None:
    ada = stranger(engage=held("UK"))
    assert replace(ada, **engage_groups.retry(ada, ENGAGE)) == ada


def test_another_request_leaves_the_line_and_a_retry_does_not() -> None:
    line = {"engage": waits(), "engage_connect": waits("US")}
    ada = member({"waits": line}, engage=held("UK", NO_LICENSES_REMAINING))
    assert wished(ada, ENGAGE, "US").vault.to_json()["waits"] == {"engage_connect": waits("US")}
    assert replace(ada, **engage_groups.retry(ada, ENGAGE)).vault.to_json()["waits"] == line
    alone = member({"waits": {"engage": waits()}}, engage=held("UK", NO_LICENSES_REMAINING))
    assert "waits" not in wished(alone, ENGAGE, None).vault.to_json()


# ── Leaving ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("attributes", "leaves", "active"),
    [
        ({}, False, None),
        ({"active": False}, True, None),
        ({"crm_user_status": "inactive"}, True, False),
        ({"crm_user_status": "active"}, False, True),
        ({"end_date": "2026-11-19"}, True, False),
        ({"end_date": "2026-11-20"}, False, None),
        ({"end_date": "2026-11-21"}, False, None),
        ({"end_date": "2026-11-19", "crm_user_status": "active"}, True, False),
        ({"end_date": "2026-11-21", "crm_user_status": "active"}, False, True),
        ({"end_date": "2026-11-21", "crm_user_status": "inactive"}, True, False),
        ({"active": False, "crm_user_status": "active"}, True, None),
    ],
)
def test_who_is_inactive_set_inactive_or_past_the_end_date_leaves(
    attributes: dict[str, Any], leaves: bool, active: bool | None
) -> None:
    ada = member(engage=held("UK", SUCCESS, "UK"), engage_connect=held(None), **attributes)
    assert end_dates.has_left(ada, TODAY) is leaves
    assert engage_groups.wanted(ada, ENGAGE, TODAY) == (None if leaves else "UK")
    assert engage_groups.wanted(ada, CONNECT, TODAY) is None
    assert engage_groups.wanted_active(ada, TODAY) is active


# ── Due ───────────────────────────────────────────────────────────────────────────────────────────────

GONE: dict[str, Any] = {"active": False}
IN_SIX_HOURS, IN_A_DAY = "2026-11-01T14:16:00.000Z", "2026-11-02T08:16:00.000Z"
IN_UK: dict[str, Any] = {"engage": held("UK", SUCCESS, "UK")}
FIRST_DAY_AFTER = "2026-12-01"
ENDS: dict[str, Any] = {"end_date": "2026-11-30"}


@pytest.mark.parametrize(
    ("ada", "since", "what"),
    [
        (member(), None, ""),
        (member(**IN_UK), None, ""),
        (member(engage=held("UK", NO_LICENSES_REMAINING)), None, ""),
        (member(engage=held("UK", "on_hold__v")), None, ""),
        (member(engage=held("UK", RETRY_REQUEST)), "", "engage"),
        (member(engage=held("UK", REQUEST_SENT)), "", "engage"),
        (member(engage_connect=held(None, RETRY_REQUEST, "UK")), "", "engage_connect"),
        (stranger(engage=held("UK", RETRY_REQUEST), **GONE), None, ""),
        # Who leaves has something to give back, here or in Vault CRM; or has nothing.
        (member(**GONE), None, ""),
        (member(**GONE, engage=held("UK", NO_LICENSES_REMAINING)), None, ""),
        (member(**GONE, **IN_UK), "", "engage"),
        (member({"engage": "UK"}, **GONE), "", "engage"),
        (member({"engage_connect": "UK"}, **GONE, **IN_UK), "", "engage engage_connect"),
        # The end date is the last day of work.
        (member(**ENDS), FIRST_DAY_AFTER, "user_status"),
        (member(**ENDS, **IN_UK), FIRST_DAY_AFTER, "engage user_status"),
        # Who is inactive in Vault CRM holds no licence, whatever the date.
        (member({"active": False}, **ENDS, **IN_UK), "", "engage"),
        (member(**ENDS, engage=held("UK", RETRY_REQUEST)), "", "engage user_status"),
        (member(end_date="2026-12-31"), "2027-01-01", "user_status"),
        # The status that is set by hand.
        (member(crm_user_status="active"), None, ""),
        (member(crm_user_status="inactive"), "", "user_status"),
        (member({"active": False}, crm_user_status="inactive"), None, ""),
        (member({"active": False}, crm_user_status="active"), "", "user_status"),
        (member({"active": False}, crm_user_status="active", **ENDS), "", "user_status"),
        (member(crm_user_status="inactive", **IN_UK), "", "engage user_status"),
        # Whoever has left is never activated.
        (member({"active": False}, crm_user_status="active", **GONE), None, ""),
        # What failed is tried again: at the next push, after six hours, daily. Inactivating waits for it.
        (member(tries(ENGAGE, 1), **GONE, **IN_UK), "", "engage"),
        (member(tries(ENGAGE, 2), **GONE, **IN_UK), IN_SIX_HOURS, "engage"),
        (member(tries(ENGAGE, 3), **GONE, **IN_UK), IN_A_DAY, "engage"),
        (
            member(tries(ENGAGE, 2), crm_user_status="inactive", **IN_UK),
            IN_SIX_HOURS,
            "engage user_status",
        ),
        (member(tries(ENGAGE, 2), **GONE, engage=held(None, RETRY_REQUEST, "UK")), "", "engage"),
        (member(tries(ENGAGE, 2), **GONE, engage=held(None, REQUEST_SENT, "UK")), "", "engage"),
        (member(tries(USER_STATUS, 2), crm_user_status="inactive"), IN_SIX_HOURS, "user_status"),
        # A removal that was asked for by hand, and failed.
        (member(tries(ENGAGE, 3), engage=held(None, REQUEST_FAILED, "UK")), IN_A_DAY, "engage"),
        (member(engage=held(None, REQUEST_FAILED, "UK")), None, ""),
        # Who is inactive in Vault CRM has to give back, and nothing to ask.
        (member({"active": False}, **IN_UK), "", "engage"),
        (member({"active": False}, engage=held("UK", RETRY_REQUEST)), None, ""),
        (
            member({"active": False}, crm_user_status="active", engage=held("UK", RETRY_REQUEST)),
            "",
            "engage user_status",
        ),
        (
            member(
                {"active": False, **tries(USER_STATUS, 2)},
                crm_user_status="active",
                engage=held("UK", RETRY_REQUEST),
            ),
            IN_SIX_HOURS,
            "engage user_status",
        ),
    ],
)
def test_what_a_push_has_to_look_at(ada: Member, since: str | None, what: str) -> None:
    assert engage_groups.due(ada) == (None if since is None else Due(since, frozenset(what.split())))


def test_what_is_due_is_named_after_features_and_the_user_status() -> None:
    assert {*FEATURES, USER_STATUS} == {"engage", "engage_connect", "user_status"}


@pytest.mark.parametrize("day", ["2026-11-30", "2026-12-01"])
def test_due_and_leaving_agree_about_the_day(day: str) -> None:
    ada = member(**ENDS, **IN_UK)
    found = engage_groups.due(ada)
    assert found
    assert (found.since <= day) is end_dates.has_left(ada, date.fromisoformat(day))


# ── Sending (facts: one row per case) ─────────────────────────────────────────────────────────────────

ONLY_STATUS = {"status": RETRY_REQUEST}


def request(group: str | None) -> dict[str, str | None]:
    return {"request": group}


def request_and_status(group: str | None) -> dict[str, str | None]:
    return {"request": group, "status": RETRY_REQUEST}


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(
    ("group", "seen"),
    [
        # 1. Another group than the request in Vault CRM: the request alone.
        ("UK", Seen()),
        ("UK", Seen("US", SUCCESS, "US")),
        ("UK", Seen("US", RETRY_REQUEST, "US")),
        ("UK", Seen(None, SUCCESS, "UK")),
        ("uk", Seen("UK", SUCCESS, "UK")),
        # 3. No group, and a request in Vault CRM: the request cleared, alone.
        (None, Seen("UK", SUCCESS, "UK")),
        (None, Seen("UK", NO_LICENSES_REMAINING)),
        (None, Seen("UK", REQUEST_SENT, "US")),
    ],
)
def test_a_request_that_changes_is_sent_alone_or_with_the_status_where_settings_say_so(
    group: str | None, seen: Seen, asked: bool
) -> None:
    assert engage_groups.to_send(group, seen, retry=asked) == request(group)
    sent = engage_groups.to_send(group, seen, retry=asked, always_send_status=True)
    assert sent == request_and_status(group)


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize(
    ("group", "seen", "asked", "expected"),
    [
        # 2. The request is there, and a retry is asked for: the status starts it.
        ("UK", Seen("UK", NO_LICENSES_REMAINING), True, request_and_status("UK")),
        ("UK", Seen("UK", SUCCESS, "US"), True, request_and_status("UK")),
        ("UK", Seen("UK", SUCCESS, "UK"), True, request_and_status("UK")),
        ("UK", Seen("UK", REQUEST_SENT), True, request_and_status("UK")),
        ("UK", Seen("UK", "on_hold__v"), True, request_and_status("UK")),
        # 4. No group, no request in Vault CRM, and a group all the same, or a retry asked for.
        (None, Seen(None, SUCCESS, "UK"), False, ONLY_STATUS),
        (None, Seen(None, None, "UK"), False, ONLY_STATUS),
        (None, Seen(None, REQUEST_FAILED, "UK"), False, ONLY_STATUS),
        (None, Seen(None, SUCCESS, "UK"), True, ONLY_STATUS),
        (None, Seen(None, SUCCESS), True, ONLY_STATUS),
        (None, Seen(None, REQUEST_SENT, "UK"), True, ONLY_STATUS),
        # 5. Otherwise nothing.
        ("UK", Seen("UK", SUCCESS, "UK"), False, {}),
        ("UK", Seen("UK", NO_LICENSES_REMAINING), False, {}),
        ("UK", Seen("UK", REQUEST_SENT), False, {}),
        (None, Seen(None, SUCCESS), False, {}),
        (None, Seen(), False, {}),
        # What is under way, or stands as Retry Request in Vault CRM already, is not written once more.
        (None, Seen(None, REQUEST_SENT, "UK"), False, {}),
        ("UK", Seen("UK", RETRY_REQUEST), True, {}),
        (None, Seen(None, RETRY_REQUEST, "UK"), True, {}),
    ],
)
def test_what_starts_something_is_sent_and_nothing_else(
    group: str | None, seen: Seen, asked: bool, expected: dict[str, Any], always: bool
) -> None:
    assert engage_groups.to_send(group, seen, retry=asked, always_send_status=always) == expected


@both
def test_what_was_sent_is_not_sent_again(feature: Feature) -> None:
    ada = wished(member({feature: "US"}, **{feature: held("US", SUCCESS, "US")}), feature, "UK")
    after = replace(ada, **engage_groups.sent(ada, feature, request("UK")))
    assert after.feature(feature) == held("UK", REQUEST_SENT, "US")
    assert (engage_groups.seen_request(after, feature), after.vault.to_json()["digest"]) == ("UK", "")
    assert not engage_groups.is_unsent(after, feature)
    seen = Seen(engage_groups.seen_request(after, feature), REQUEST_SENT, "US")
    assert engage_groups.to_send("UK", seen, retry=False) == {}


def test_where_the_status_alone_was_sent_the_request_is_as_it_was_seen() -> None:
    ada = member({"engage": None}, engage=held(None, RETRY_REQUEST, "UK"))
    after = replace(ada, **engage_groups.sent(ada, ENGAGE, ONLY_STATUS))
    assert after.engage == held(None, REQUEST_SENT, "UK")
    assert engage_groups.seen_request(after, ENGAGE) is None


# ── Taking back in ────────────────────────────────────────────────────────────────────────────────────


@both
@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        (held("UK", REQUEST_SENT), Seen("UK", SUCCESS, "UK"), held("UK", SUCCESS, "UK")),
        (held("UK", REQUEST_SENT), Seen("UK", REQUEST_SENT), held("UK", REQUEST_SENT)),
        (held("UK", REQUEST_SENT), Seen("UK", RETRY_REQUEST), held("UK", REQUEST_SENT)),
        (held("UK", REQUEST_SENT), Seen("UK", INVALID_GROUP_NAME), held("UK", INVALID_GROUP_NAME)),
        (held(None, REQUEST_SENT, "UK"), Seen(None, SUCCESS), held(None, SUCCESS)),
        (held(None), Seen("US", SUCCESS, "US"), held(None, SUCCESS, "US")),
        (held("UK", SUCCESS, "UK"), Seen("UK", "on_hold__v", "UK"), held("UK", "on_hold__v", "UK")),
        (held("UK", SUCCESS, "UK"), Seen(), held("UK")),
        # What has been asked for since and not sent stays so; the group is what it is.
        (held("US", RETRY_REQUEST, "UK"), Seen("UK", SUCCESS, "EU"), held("US", RETRY_REQUEST, "EU")),
    ],
)
def test_group_and_status_are_taken_over_and_the_request_is_not(
    feature: Feature, before: Engage, seen: Seen, after: Engage
) -> None:
    ada = member(**{feature: before})
    taken = replace(ada, **engage_groups.observed(ada, feature, seen, AT))
    assert taken.feature(feature) == after
    assert engage_groups.seen_request(taken, feature) == seen.request


def test_taking_the_same_once_more_changes_nothing() -> None:
    ada = member(engage=held("UK", REQUEST_SENT))
    seen = Seen("UK", NO_LICENSES_REMAINING)
    once = replace(ada, **engage_groups.observed(ada, ENGAGE, seen, EARLIER))
    assert replace(once, **engage_groups.observed(once, ENGAGE, seen, AT)) == once


# ── The line ──────────────────────────────────────────────────────────────────────────────────────────

NONE_FREE = Seen("UK", NO_LICENSES_REMAINING)


@pytest.mark.parametrize(
    ("before", "line", "seen", "after"),
    [
        # Into the line, and in it; a try that fails does not cost the place.
        (held("UK", REQUEST_SENT), None, NONE_FREE, waits(since=AT, tried=AT)),
        (held("UK", SUCCESS), None, NONE_FREE, waits(since=AT, tried=AT)),
        (held("UK", REQUEST_SENT), waits(), NONE_FREE, waits(tried=AT)),
        (held("UK", NO_LICENSES_REMAINING), waits(), NONE_FREE, waits()),
        (held("UK", NO_LICENSES_REMAINING), None, NONE_FREE, waits(since=AT, tried=AT)),
        (held("UK", REQUEST_SENT), waits(), Seen("UK", REQUEST_SENT), waits()),
        (held("UK", RETRY_REQUEST), waits(), NONE_FREE, waits()),
        # For another group, which came from Vault CRM, at the end of its line.
        (held("UK", NO_LICENSES_REMAINING), waits("US"), NONE_FREE, waits(since=AT, tried=AT)),
        # Out of the line: there is a licence, another fault, or no wish.
        (held("UK", REQUEST_SENT), waits(), Seen("UK", SUCCESS, "UK"), None),
        (held("UK", REQUEST_SENT), waits(), Seen("UK", INVALID_GROUP_NAME), None),
        (held(None, SUCCESS), waits(), NONE_FREE, None),
    ],
)
def test_who_finds_no_licence_waits_from_then_on(
    before: Engage, line: dict[str, str] | None, seen: Seen, after: dict[str, str] | None
) -> None:
    ada = member({"waits": {"engage": line}} if line else {}, engage=before)
    taken = replace(ada, **engage_groups.observed(ada, ENGAGE, seen, AT))
    assert taken.vault.to_json().get("waits") == ({"engage": after} if after else None)
    assert licence_places.places(taken) == ({Place(ENGAGE, **after)} if after else frozenset())


@pytest.mark.parametrize("attributes", [{"active": False}, {"crm_user_status": "inactive"}])
def test_who_leaves_stands_in_no_line(attributes: dict[str, Any]) -> None:
    ada = member({"waits": {"engage": waits()}}, engage=held("UK", NO_LICENSES_REMAINING))
    assert licence_places.places(ada)
    assert licence_places.places(replace(ada, **attributes)) == frozenset()


def test_nobody_stands_nowhere() -> None:
    assert licence_places.places(None) == frozenset()


# ── Removals that fail ───────────────────────────────────────────────────────────────────────────────


def test_a_removal_under_way_that_others_began_counts_as_the_first_try() -> None:
    seen = Seen(None, REQUEST_SENT, "UK")
    once = replace(member(), **engage_groups.observed(member(), ENGAGE, seen, EARLIER))
    assert vault_tries.of(once, ENGAGE) == Tries(since=EARLIER, last=EARLIER)
    assert replace(once, **engage_groups.observed(once, ENGAGE, seen, LATER)) == once


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (Seen(None, SUCCESS, None), None),
        (Seen(None, REQUEST_FAILED, "UK"), Tries(since=EARLIER, last=EARLIER, failed=LATER)),
        # The vault may not show at once that it has been asked.
        (Seen(None, SUCCESS, "UK"), Tries(since=EARLIER, last=EARLIER)),
        (Seen(None, REQUEST_SENT, None), Tries(since=EARLIER, last=EARLIER)),
    ],
)
def test_a_removal_is_done_once_there_is_no_group(seen: Seen, left: Tries | None) -> None:
    ada = member({"tries": {ENGAGE: {"since": EARLIER, "last": EARLIER, "count": 1}}}, **GONE, **IN_UK)
    looked_at = replace(ada, **engage_groups.observed(ada, ENGAGE, seen, LATER))
    assert vault_tries.of(looked_at, ENGAGE) == left
    assert ("tries" in looked_at.vault.to_json()) == (left is not None)


def test_a_removal_that_was_not_saved_stays_failed_until_the_vault_shows_something_else() -> None:
    unsaved = {"tries": {ENGAGE: {"since": EARLIER, "last": EARLIER, "count": 1, "unsaved": True}}}
    ada = member(unsaved, **GONE, engage=held(None, REQUEST_FAILED, "UK"))
    for seen, status in (
        (Seen("UK", SUCCESS, "UK"), REQUEST_FAILED),
        (Seen(None, REQUEST_SENT, "UK"), REQUEST_SENT),
        (Seen(None, SUCCESS, None), SUCCESS),
    ):
        assert engage_groups.observed(ada, ENGAGE, seen, LATER)[ENGAGE].status == status


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        # Back from having left, or in Vault CRM: what was taken back is asked for again.
        ({"end_date": "2026-11-19"}, {}, True),
        ({"crm_user_status": "inactive"}, {}, True),
        ({"active": False}, {}, True),
        ({"vault": {"active": False, "engage": None}}, {}, True),
        ({"crm_user_status": "inactive"}, {"end_date": "2026-11-19"}, False),
        ({"active": False}, {"vault": {"active": False, "engage": None}}, False),
        ({}, {}, False),
        # It has not been taken back yet.
        ({"active": False}, {"vault": {"active": True, "engage": "UK"}}, False),
    ],
)
def test_who_comes_back_asks_for_the_group_again(
    before: dict[str, Any], after: dict[str, Any], asks: bool
) -> None:
    ada = member(engage=held("UK", SUCCESS))
    returned = engage_groups.returned(changed(ada, **before), changed(ada, **after), TODAY)
    assert (returned.get("engage") == held("UK", RETRY_REQUEST)) is asks


# ── Statuses ──────────────────────────────────────────────────────────────────────────────────────────


def test_each_feature_has_the_statuses_of_its_picklist() -> None:
    assert {feature: len(codes) for feature, codes in STATUSES.items()} == {ENGAGE: 6, CONNECT: 8}
    assert set(STATUSES[ENGAGE]) - set(STATUSES[CONNECT]) == {NO_LICENSES_REMAINING}
    assert set(STATUSES[ENGAGE]) | set(STATUSES[CONNECT]) == FAILED | {RETRY_REQUEST, REQUEST_SENT, SUCCESS}
