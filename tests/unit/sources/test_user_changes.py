from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from muster.errors import Rejected
from muster.sources.user_changes import most_recent, read, source_version, time_of
from tests.examples import ADA, BOB, NOW, change, user

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
        ({"Email": "a" * 255}, "Username"),
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


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # SystemModstamp decides, whatever else says otherwise.
        (
            change(10, notification="04l000000000009AAA", IsActive="false"),
            change(11, notification="04l000000000001AAA"),
        ),
        # Time zones are only ways of writing.
        (
            change(SystemModstamp="2026-11-20T09:15:30.000+01:00"),
            change(SystemModstamp="2026-11-20T08:15:31Z"),
        ),
        # Within one second the deactivated state wins.
        (
            change(10, notification="04l000000000009AAA"),
            change(10, notification="04l000000000001AAA", IsActive="false"),
        ),
        # Then the later notification.
        (
            change(10, notification="04l000000000001AAA", Title="Z"),
            change(10, notification="04l000000000002AAA", Title="A"),
        ),
        # LastModifiedDate stands in where SystemModstamp is missing.
        (change(10, SystemModstamp=None), change(11, SystemModstamp=None)),
    ],
)
def test_source_versions_sort_as_the_changes_happened(earlier, later) -> None:  # type: ignore[no-untyped-def]  # parametrized values
    assert earlier.source < later.source


def test_the_same_state_twice_is_the_same_source_version() -> None:
    assert change(10).source == change(10).source


def test_a_source_version_tells_its_time() -> None:
    version = source_version({"SystemModstamp": "2026-11-20T08:15:31.000Z"}, "04l000000000001AAA")
    assert time_of(version) == datetime(2026, 11, 20, 8, 15, 31, tzinfo=UTC)


def test_a_clock_that_is_a_little_ahead_is_tolerated() -> None:
    ahead = (NOW + timedelta(hours=23)).isoformat()
    assert change(SystemModstamp=ahead).crm_id == ADA


def test_the_most_recent_change_of_each_user_is_honoured_in_any_order() -> None:
    of_ada = [change(10, Title="first"), change(12, Title="last"), change(11, Title="middle")]
    of_bob = [change(10, Id=BOB), change(9, Id=BOB)]
    for order in permutations([*of_ada, *of_bob]):
        folded = {each.crm_id: each for each in most_recent(order)}
        assert folded == {ADA: of_ada[1], BOB: of_bob[0]}
