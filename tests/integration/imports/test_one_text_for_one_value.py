"""What Salesforce spells in two ways is one value, in messages and imports (W14)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.examples import user
from tests.integration.company import Company, store

BOSS, ADA, BOB = "005000000000002AAA", "005000000000001AAA", "005000000000003AAA"
HEARD = {"require_call_center": False, "read_back": False}


def by_message(company: Company, custom: tuple[str, ...] = (), **sections: Any) -> None:
    """Follow what messages say; what an admin could save without a connection is saved."""
    listed = {**HEARD, "custom_fields": list(custom), **sections.pop("auto_provision", {})}
    company.document = {**company.document, "assignments": [], "auto_provision": listed, **sections}
    store(company.document)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def define(company: Company, **types: str) -> None:
    for name, kind in types.items():
        company.salesforce.call("POST", "/sandbox/custom-fields", {"name": name, "type": kind})


def answer_with(company: Company, before: bytes, after: bytes) -> None:
    """Have Salesforce write this instead of that in whatever it answers."""

    def change(_: Any, answer: Any) -> None:
        answer._content = answer.content.replace(before, after)

    company.salesforce.wire.after = change


# ── Names of fields ──────────────────────────────────────────────────────────────────────────────


def test_a_field_sent_in_other_capitals_is_the_field_that_is_listed(company: Company) -> None:
    by_message(company, ("Unit__c", "Job__c"), field_maps={"salesforce": {"title": "Job__c"}})
    assert company.hear(user(UNIT__c="101", JOB__C="Chief")) == 0
    member = company.roster()[ADA]
    assert (member["custom"], member["title"]) == ({"Unit__c": "101", "Job__c": "Chief"}, "Chief")


def test_a_field_answered_in_other_capitals_is_the_field_that_is_listed(company: Company) -> None:
    by_message(
        company,
        ("Region__c",),
        seats={"gong": {}},
        assignments=[{"name": "All", "seats": [{"field": "Region__c", "map": {"EMEA": "gong"}}]}],
        auto_provision={"read_back": True},
    )
    ada = company.salesforce.create(Region__c="EMEA")
    answer_with(company, b'"Region__c"', b'"REGION__C"')
    assert company.run()["status"] == "succeeded"
    member = company.roster()[ada]
    assert (member["custom"], member["seats"]) == ({"Region__c": "EMEA"}, {"gong": {"state": "held"}})
    before = company.items()
    assert company.hear({"Id": ada}) == 0
    assert company.run()["status"] == "succeeded"
    assert company.items() == before
    # Renamed back: still the same field with the same value.
    company.salesforce.wire.after = lambda request, answer: None
    assert company.run()["status"] == "succeeded"
    assert company.items() == before


# ── Values ───────────────────────────────────────────────────────────────────────────────────────


def test_a_value_that_messages_and_imports_spell_differently_is_not_a_change_each_time(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    define(company, Since__c="DateTime", Quota__c="Number")
    ada = company.salesforce.create(
        Since__c="2026-11-01T08:00:00.000Z", Quota__c=123456789.0, CallCenterId=None
    )
    by_message(company, ("Since__c", "Quota__c"))
    shown = {"Since__c": "2026-11-01T08:00:00.000Z", "Quota__c": "123456789.0"}
    assert company.run()["status"] == "succeeded"
    member = company.roster()[ada]
    assert member["custom"] == shown
    heard: dict[str, Any] = {
        "Id": ada,
        "Email": member["email"],
        "Username": member["username"],
        "LastName": member["last_name"],
        "Title": "Rep",
        "Since__c": "2026-11-01T08:00:00.000Z",
        "Quota__c": "1.23456789E8",
        "SystemModstamp": now(),
    }
    pass_time(timedelta(minutes=1))
    assert company.hear(user(**heard)) == 0
    assert company.roster()[ada]["custom"] == shown
    assert company.run()["status"] == "succeeded"
    assert company.roster()[ada]["custom"] == shown
    told = [change["field"] for entry in company.history(ada) for change in entry["changes"]]
    assert (told.count("custom.Since__c"), told.count("custom.Quota__c")) == (1, 1)


def test_a_15_character_manager_is_the_manager(company: Company) -> None:
    by_message(company)
    company.hear(user(Id=BOSS, Username="boss@acme.example", Email="boss@acme.example"))
    company.hear(user(Id=ADA[:15], ManagerId=BOSS[:15]))
    roster = company.roster()
    assert roster[ADA]["manager"] == roster[BOSS]["id"]


# ── What cannot be kept ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("read_back", [True, False])
def test_an_address_of_2000_bytes_is_reported_and_the_others_go_on(company: Company, read_back: bool) -> None:
    define(company, Login__c="Text")
    answer_with(company, b"LOGINMARK", b"a" * 2_000)
    ada = company.salesforce.create(FirstName="Ada", Login__c="LOGINMARK")
    bob = company.salesforce.create(FirstName="Bob", Login__c="bob@acme.example")
    by_message(
        company,
        ("Login__c",),
        auto_provision={"read_back": read_back},
        field_maps={"salesforce": {"username": "Login__c"}},
    )
    told = user(Id=bob, Login__c="bob@acme.example", Username="b@acme.example", Email="b@acme.example")
    assert company.hear(user(Id=ada, Login__c="a" * 2_000), told) == 0
    assert company.active() == {bob}
    (entry,) = company.errors()
    assert entry["record"] == ada
    assert "in Login__c has 2,000 characters" in entry["message"]
    assert company.run()["status"] == "succeeded_with_errors"
    assert company.errors()[0]["code"] == "source_address"
    assert company.active() == {bob}


@pytest.mark.parametrize("read_back", [True, False])
def test_whoever_leaves_with_a_text_too_long_has_left(company: Company, read_back: bool) -> None:
    define(company, Login__c="Text")
    ada = company.salesforce.create(FirstName="Ada", Login__c="ada@acme.example")
    by_message(
        company,
        ("Login__c",),
        auto_provision={"read_back": read_back},
        field_maps={"salesforce": {"username": "Login__c"}},
    )
    assert company.run()["status"] == "succeeded"
    answer_with(company, b"LOGINMARK", b"a" * 2_000)
    company.salesforce.update(ada, Login__c="LOGINMARK", IsActive=False)
    sent = user(Id=ada, Login__c="a" * 2_000, IsActive="false", SystemModstamp=now())
    assert company.hear(sent) == 0
    member = company.roster()[ada]
    assert (member["active"], member["username"]) == (False, "ada@acme.example")


def test_half_an_emoji_stops_nobody(company: Company) -> None:
    company.put(assignments=[])
    ada = company.salesforce.create(FirstName="Ada", Title="TITLEMARK")
    bob = company.salesforce.create(FirstName="Bob")
    answer_with(company, b"TITLEMARK", b"Rep \\ud83d")
    assert company.run()["status"] == "succeeded"
    assert company.active() == {ada, bob}
    assert company.roster()[ada]["title"] == "Rep �"
    before = company.items()
    assert company.hear({"Id": bob}, {"Id": ada}) == 0
    assert company.run()["status"] == "succeeded"
    assert company.items() == before


def test_a_domain_that_settings_take_is_a_domain_of_addresses(company: Company) -> None:
    by_message(company, domains={"primary": "firma.xn--p1ai"})
    company.hear(user(Username="ivan@firma.xn--p1ai", Email="ivan@firma.xn--p1ai"))
    assert company.active() == {ADA}
