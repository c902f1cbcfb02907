from datetime import timedelta
from typing import Any

import pytest

from muster.errors import Rejected
from muster.sources.notifications import names_only, read
from tests.examples import ADA, NOW, change, user

LISTED = {"Id", "SystemModstamp", "LastModifiedDate", "Username", "Email", "IsActive", "Title"}


def test_a_listed_field_that_is_absent_is_null_and_an_unlisted_one_is_ignored() -> None:
    fields = read(user(Title=None, Phone="+44"), LISTED, "04l000000000001AAA", NOW).fields
    assert fields["Title"] is None
    assert "Phone" not in fields


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_blank_text_is_null(blank: str) -> None:
    assert read(user(Title=blank), LISTED, "04l000000000001AAA", NOW).fields["Title"] is None


@pytest.mark.parametrize(
    ("sent", "read_as"), [("true", "true"), ("1", "true"), ("false", "false"), ("0", "false")]
)
def test_booleans_are_read_as_xml_schema_writes_them(sent: str, read_as: str) -> None:
    assert change(IsActive=sent).fields["IsActive"] == read_as


def test_a_field_is_known_in_whatever_capitals_it_is_sent() -> None:
    sent = user(Title=None, TITLE="Chief", lastmodifieddate="x")
    fields = read(sent, LISTED, "04l000000000001AAA", NOW).fields
    assert fields["Title"] == "Chief"
    assert set(fields) == LISTED
    assert fields["LastModifiedDate"] == sent["LastModifiedDate"]


def test_values_are_those_that_a_query_brings() -> None:
    sent = user(Title="1.2345678E7", ManagerId="005000000000002")
    fields = read(sent, {*LISTED, "ManagerId"}, "04l000000000001AAA", NOW).fields
    assert (fields["Title"], fields["ManagerId"]) == ("12345678.0", "005000000000002AAA")


def test_the_fields_that_addresses_come_from_are_no_longer_than_an_address() -> None:
    listed = {*LISTED, "Login__c"}
    with pytest.raises(Rejected) as caught:
        read(user(Login__c="a" * 2_000), listed, "04l000000000001AAA", NOW, ["Login__c", "Email"])
    assert caught.value.problems[0].message.startswith("in Login__c has 2,000 characters")


def test_a_15_character_id_is_the_same_user() -> None:
    assert change(Id=ADA[:15]).crm_id == ADA


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"Id": None}, "Id"),
        ({"Id": "005"}, "Id"),
        ({"Id": "00500000000000!AAA"}, "Id"),
        ({"IsActive": None}, "IsActive"),
        ({"IsActive": "yes"}, "IsActive"),
        ({"SystemModstamp": None, "LastModifiedDate": None}, "SystemModstamp"),
        ({"SystemModstamp": "yesterday"}, "SystemModstamp"),
        ({"SystemModstamp": "2026-11-20T08:15:31"}, "SystemModstamp"),
        ({"SystemModstamp": None, "LastModifiedDate": "0001-01-01T00:00:00+14:00"}, "LastModifiedDate"),
        ({"SystemModstamp": "2026-11-22T08:15:31.000Z"}, "SystemModstamp"),
        ({"SystemModstamp": "9999-12-31T23:59:59.000Z"}, "SystemModstamp"),
        ({"SystemModstamp": None, "LastModifiedDate": "2026-11-20T08:21:01.000Z"}, "LastModifiedDate"),
        ({"Email": "a" * 255}, "address"),
        ({"Title": "x" * 70_000}, "fields"),
    ],
)
def test_what_cannot_be_understood_is_rejected_with_the_place(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(Rejected) as caught:
        change(**fields)
    assert caught.value.problems[0].where == where


def test_the_rejection_quotes_nothing_of_the_message() -> None:
    with pytest.raises(Rejected) as caught:
        change(SystemModstamp="canary", IsActive="true")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=1), timedelta(minutes=5)])
def test_a_clock_that_is_a_little_ahead_is_tolerated(ahead: timedelta) -> None:
    assert change(SystemModstamp=(NOW + ahead).isoformat()).crm_id == ADA


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(minutes=5, seconds=1), "0:05:01"),
        (timedelta(hours=23), "23:00:00"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_a_message_from_further_ahead_is_refused_with_how_far_and_what_to_do(
    ahead: timedelta, told: str
) -> None:
    """It would outrank what Salesforce says until then, a deactivation included (W11)."""
    with pytest.raises(Rejected) as caught:
        change(SystemModstamp=(NOW + ahead).isoformat())
    [problem] = caught.value.problems
    assert told in problem.message
    assert "rotate_token" in problem.remedy


@pytest.mark.parametrize(
    ("sent", "only"),
    [
        ({"Id": ADA}, True),
        ({"Id": ADA, "Title": "", "IsActive": " \n"}, True),
        ({}, True),
        ({"Id": ADA, "IsActive": "false"}, False),
    ],
)
def test_a_message_may_name_a_user_and_say_nothing_of_it(sent: dict[str, str], only: bool) -> None:
    assert names_only(sent) is only
