"""What becomes of a request is in the error log once, whoever sees it first, push or import (P3, G3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.engage.licences import Licences

STATUS = "engage_group_provisioning_status__v"


def codes(licences: Licences) -> list[str]:
    return [entry["code"] for entry in licences.company.errors()]


@pytest.mark.parametrize("seconds", [0, 120], ids=["within the push", "after it"])
@pytest.mark.parametrize(
    ("feature", "group", "code"),
    [
        ("engage", "Nowhere", "invalid_group_name"),
        ("engage", "Full", "no_licenses_remaining"),
        ("engage_connect", "Connect", "user_create_failed"),
    ],
)
def test_a_refusal_is_told_once_whoever_sees_it_first(
    licences: Licences, seconds: int, feature: str, group: str, code: str
) -> None:
    licences.vault.group("Full", 0)
    licences.vault.group("Connect", 1, feature="engage_connect")
    (ada,) = licences.people(1)
    licences.vault.control("PUT", f"engage/connect-users/{ada}", {"state": "create_fails"})
    licences.imported()
    licences.vault.control("PUT", "engage/settle", {"delay_s": seconds})
    licences.ask(ada, group=group, feature=feature)
    seen = [licences.push(by="schedule")]
    for _ in range(3):
        licences.vault.clock.pass_s(8 * 60)
        licences.vault.log_in()
        seen.append(licences.imported("incremental"))
        licences.vault.clock.pass_s(7 * 60)
        seen.append(licences.push(by="schedule"))
    assert codes(licences) == [code]
    assert [said["status"] for said in seen].count("succeeded_with_errors") == 1
    (entry,) = licences.company.errors()
    assert entry["record"] == ada
    assert licences.member(ada)["id"] in entry["message"]


def test_who_waits_in_line_is_told_once_however_often_the_line_is_tried(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    licences.vault.group("Full", 0)
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada, group="Full")
    for _ in range(4):
        licences.push(by="schedule")
        pass_time(timedelta(hours=7))
    assert len(licences.processed()) == 4, "the line is tried"
    assert codes(licences) == ["no_licenses_remaining"]


def test_many_refusals_of_one_moment_are_told_together(licences: Licences) -> None:
    people = licences.people(30)
    for person in people:
        licences.vault.update(person, engage_group_request__v="Nowhere")
    licences.vault.settle()
    said = licences.imported()
    assert said["status"] == "succeeded_with_errors"
    assert codes(licences) == ["invalid_group_name"] * 21
    assert sum("10 more" in entry["message"] for entry in licences.company.errors()) == 1
    assert licences.imported()["status"] == "succeeded"


def test_a_request_under_way_for_a_day_is_told_once(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.vault.control("PUT", "engage/settle", {"delay_s": 36_000_000})
    licences.ask(ada)
    statuses: list[Any] = []
    for _ in range(6):
        statuses.append(licences.push(by="schedule")["status"])
        pass_time(timedelta(hours=12))
    assert codes(licences) == ["request_under_way"]
    (entry,) = licences.company.errors()
    assert entry["record"] == ada
    assert statuses.count("succeeded_with_errors") == 1
    # Sent anew, it has a day again.
    licences.ask(ada, action="retry")
    for _ in range(2):
        assert licences.push(by="schedule")["status"] == "succeeded"
    pass_time(timedelta(hours=26))
    assert licences.push(by="schedule")["status"] == "succeeded_with_errors"
    assert codes(licences) == ["request_under_way"] * 2


def test_a_preview_tells_no_request_that_takes_long(
    licences: Licences, pass_time: Callable[[timedelta], None]
) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.vault.control("PUT", "engage/settle", {"delay_s": 36_000_000})
    licences.ask(ada)
    for _ in range(2):
        licences.push(by="schedule")
    pass_time(timedelta(days=2))
    licences.push(preview=True)
    assert codes(licences) == []


def test_a_status_that_nobody_knows_is_shown_as_unknown_and_told_once(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    values = {"values": ["success__v", "on_hold__v", "request_sent__v", "retry_request__v"]}
    licences.vault.control("PUT", "picklists/engage_group_provisioning_status__v", values)
    licences.vault.update(ada, **{STATUS: "on_hold__v"})
    assert licences.imported()["status"] == "succeeded_with_errors"
    shown = licences.company.ask("explain", member=licences.member(ada)["id"])["groups"]["engage"]
    assert shown["status"] == "on_hold__v"
    assert "unknown" in shown["note"]
    (entry,) = licences.company.errors()
    assert (entry["code"], entry["record"]) == ("unknown_status", ada)
    assert licences.imported()["status"] == "succeeded"
