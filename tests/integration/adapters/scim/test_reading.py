"""Reading a SCIM target that gets the protocol wrong: everybody is found, and nobody twice (O2)."""

from typing import Any

import pytest

from muster.adapters.scim.client import Scim
from muster.errors import FilterRefused, Incomplete, MusterError, NotAllowed, NotServed, Rejected, Unavailable
from tests.doubles.host import Host
from tests.doubles.scim_in_process import new_user
from tests.doubles.scim_target import ScimTarget, client_at

ADA = "ada@acme.example"


def names(client: Scim) -> list[str]:
    return sorted(each.user_name for page in client.all("Users") for each in page.resources)


@pytest.mark.parametrize(
    "quirks",
    [
        {},
        {"page_size": 2},
        {"page_size": 2, "total": "wrong"},
        {"page_size": 2, "total": "page"},
        {"page_size": 2, "items_per_page": "wrong"},
        {"page_size": 2, "start_index": "wraps"},
        {"default_page_size": 1},
        {"lower_case_resources": True},
        {"bom": True},
        {"answer_type": "text/html"},
        {"answer_type": ""},
        {"leaves_out": ["schemas", "meta", "totalResults", "itemsPerPage"]},
        {"ids": "numbers"},
        {"ids": "awkward"},
        {"booleans_as_text": True},
        {"accept": "scim_only"},
        {"needs_user_agent": True},
    ],
    ids=str,
)
def test_a_list_is_read_to_its_end_and_each_user_by_id(target: ScimTarget, quirks: dict[str, Any]) -> None:
    everybody = [f"user{number}@acme.example" for number in range(5)]
    target.quirks(**{key: value for key, value in quirks.items() if key == "ids"})
    for each in everybody:
        target.user(each, active=each != everybody[0])
    target.quirks(**quirks)
    client = target.client()
    assert names(client) == everybody
    found = {each.user_name: each for page in client.all("Users") for each in page.resources}
    for name, listed in found.items():
        read = client.get("Users", listed.id)
        assert read is not None
        assert (read.user_name, read.active) == (name, name != everybody[0])


@pytest.mark.parametrize("count", ["works", "ignored"])
def test_a_list_that_shows_its_first_page_over_and_over_ends(target: ScimTarget, count: str) -> None:
    for number in range(5):
        target.user(f"user{number}@acme.example")
    target.quirks(page_size=2, start_index="ignored", count=count)
    assert len(names(target.client())) == 2
    assert target.calls("/Users", "GET") == 2


@pytest.mark.parametrize(
    ("quirks", "calls"),
    [
        ({}, 1),
        ({"total": "page"}, 1),
        ({"urn_filters": "find_nothing"}, 1),
        ({"filters": "exact_spacing"}, 1),
        # The filter is overlooked: whoever else is shown is not taken for what was looked for.
        ({"filters": "ignored", "page_size": 2}, 2),
        ({"case_sensitive_filters": True}, 2),
        ({"lower_case_resources": True, "bom": True}, 1),
    ],
    ids=str,
)
def test_a_user_is_found_by_name_whatever_the_case(
    target: ScimTarget, quirks: dict[str, Any], calls: int
) -> None:
    for name in ("bob@acme.example", "carl@acme.example", ADA):
        target.user(name)
    target.quirks(**quirks)
    client = target.client()
    (found,) = client.find("Users", "userName", "Ada@ACME.example")
    assert found.user_name == ADA
    assert target.calls("/Users") == calls
    assert client.find("Users", "userName", "eve@acme.example") == []


def test_an_external_id_is_found_exactly(target: ScimTarget) -> None:
    ada = target.user(ADA, externalId="m-1a")
    client = target.client()
    assert [each.id for each in client.find("Users", "externalId", "m-1a")] == [ada]
    assert client.find("Users", "externalId", "M-1A") == []


@pytest.mark.parametrize(
    "quirks",
    [{"filterable": ["userName"]}, {"unsupported": ["externalId"]}, {"filters": "refused"}],
    ids=str,
)
def test_a_filter_that_is_refused_twice_is_not_asked_again(
    target: ScimTarget, quirks: dict[str, Any]
) -> None:
    target.quirks(**quirks)
    client = target.client()
    for number in range(4):
        with pytest.raises(FilterRefused):
            client.find("Users", "externalId", f"m-{number}")
    assert target.calls("/Users") == 2


def test_a_filter_that_is_refused_for_those_it_finds_is_asked_again(target: ScimTarget) -> None:
    """As for who is only invited."""
    target.quirks(pending_s=3_600)
    target.raw("POST", "/Users", new_user(ADA))
    client = target.client()
    assert client.find("Users", "userName", "bob@acme.example") == []
    for _ in range(3):
        with pytest.raises(FilterRefused):
            client.find("Users", "userName", ADA)
    assert target.calls("/Users", "GET") == 4


def test_a_name_that_a_filter_cannot_quote_does_not_end_finding_by_name(target: ScimTarget) -> None:
    target.quirks(refuses_escaped_quotes=True)
    target.group('The "A" team')
    target.group("Sales")
    client = target.client()
    with pytest.raises(FilterRefused):
        client.find("Groups", "displayName", 'The "A" team')
    assert len(client.find("Groups", "displayName", "Sales")) == 1


def test_a_profile_without_a_filter_is_not_asked(target: ScimTarget) -> None:
    with pytest.raises(FilterRefused):
        target.client("gong").find("Users", "externalId", "m-1")
    assert target.calls() == 0


def test_nobody_of_that_id_is_none_whatever_the_error_looks_like(target: ScimTarget) -> None:
    for errors in ("scim", "no_status", "number", "text", "nested", "empty"):
        target.quirks(errors=errors)
        assert target.client().get("Users", "nobody") is None


def test_ids_are_quoted_in_paths_and_none_leads_elsewhere(target: ScimTarget) -> None:
    client = target.client()
    assert client.get("Users", "a/../../Groups?x=1#&+") is None
    for dots in (".", ".."):
        with pytest.raises(Rejected):
            client.get("Users", dots)
    assert target.calls("/Users/") == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("<!DOCTYPE html><h1>404</h1>", 404, NotServed),
        ("<!DOCTYPE html><h1>Welcome</h1>", 200, Unavailable),
        ("", 200, Unavailable),
        ({"message": "ok"}, 200, Unavailable),
        ({"id": True}, 200, Unavailable),
        ({"id": ""}, 200, Unavailable),
        ({"id": "another"}, 200, Incomplete),
        ({"detail": "scope"}, 403, NotAllowed),
        ("<h1>Forbidden</h1>", 403, NotAllowed),
        ({"detail": "bad id"}, 400, Rejected),
        ({}, 500, Unavailable),
        ({}, 503, Unavailable),
        ({}, 418, Unavailable),
    ],
    ids=str,
)
def test_an_answer_that_shows_nobody_is_never_taken_for_somebody_gone(
    host: Host, target: ScimTarget, body: object, status: int, error: type[MusterError]
) -> None:
    host.say(body, status=status)
    with pytest.raises(error):
        client_at(host.url, target.shelf()).get("Users", "u-1")


def test_a_list_without_an_end_ends(host: Host, target: ScimTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.crm.scim_lists.MOST_ROWS", 3)
    host.say(*({"Resources": [{"id": str(number)}]} for number in range(6)))
    with pytest.raises(Unavailable, match="no end"):
        list(client_at(host.url, target.shelf()).all("Users"))


def test_discovery_is_what_there_is(target: ScimTarget) -> None:
    for discovery, found in (("works", True), ("old_names", True), ("missing", False)):
        target.quirks(discovery=discovery)
        said = target.client().discovery()
        assert (said is not None and said["patch"] == {"supported": True}) is found
