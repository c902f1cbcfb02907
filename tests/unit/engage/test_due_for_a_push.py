"""What is due for a push, and when: days begin where the organization is, moments are everywhere (G7)."""

from datetime import datetime

import pytest

from muster.crm.engage_features import ALIGN, CONNECT, ENGAGE, USER_STATUS
from muster.engage.push_plan import is_due
from muster.roster.engage_groups import Due
from tests.examples import settings

CONNECTIONS = {"vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": [ENGAGE]}}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize(("now", "due"), [("2026-11-20T08:15:59Z", False), ("2026-11-20T08:16:00Z", True)])
def test_a_moment_is_the_same_in_every_time_zone(zone: str, now: str, due: bool) -> None:
    acme = settings(connections=CONNECTIONS, time_zone=zone)
    since = Due("2026-11-20T08:16:00.000Z", frozenset({ENGAGE}))
    assert is_due(since, acme, datetime.fromisoformat(now)) is due


@pytest.mark.parametrize(
    ("zone", "due"), [("UTC", False), ("Pacific/Auckland", True), ("America/Los_Angeles", False)]
)
def test_a_day_begins_where_the_organization_is(zone: str, due: bool) -> None:
    acme = settings(connections=CONNECTIONS, time_zone=zone)
    now = datetime.fromisoformat("2026-11-20T12:00:00Z")
    assert is_due(Due("2026-11-21", frozenset({ENGAGE})), acme, now) is due


@pytest.mark.parametrize(
    ("what", "due"), [(ENGAGE, True), (USER_STATUS, True), (CONNECT, False), (ALIGN, False)]
)
def test_only_what_is_managed_is_due(what: str, due: bool) -> None:
    now = datetime.fromisoformat("2026-11-20T12:00:00Z")
    assert is_due(Due("", frozenset({what})), settings(connections=CONNECTIONS), now) is due
    assert not is_due(None, settings(connections=CONNECTIONS), now)
