"""Apps whose lists and filters do not say what is there."""

import pytest

from tests.doubles.scim_in_process import ScimInProcess


@pytest.fixture
def names(scim: ScimInProcess) -> list[str]:
    names = [f"user{number}@acme.example" for number in range(5)]
    for number, name in enumerate(names):
        scim.create(name, externalId=str(number), title="Rep" if number else "Lead")
    return names


def walked(scim: ScimInProcess, *, count: int) -> list[list[str]]:
    """Return what a client reads that asks for page after page, four at most."""
    pages = []
    for page in range(4):
        answer = scim.call("GET", "/Users", startIndex=str(page * count + 1), count=str(count))
        pages.append([row["userName"] for row in answer["Resources"]])
    return pages


def test_pages_are_shorter_than_asked(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(page_size=2)
    assert [len(page) for page in walked(scim, count=3)] == [2, 2, 0, 0]
    scim.quirks(page_size=3, count="ignored")
    assert [len(page) for page in walked(scim, count=2)] == [3, 3, 1, 0]


def test_a_page_is_short_unless_more_is_asked(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(default_page_size=2, page_size=4)
    sizes = [
        len(scim.call("GET", "/Users", None, status=200, **query)["Resources"])
        for query in ({}, {"count": "9"})
    ]
    assert (sizes, scim.call("GET", "/Users")["totalResults"]) == ([2, 4], 5)


def test_fifty_of_aws_look_whole(scim: ScimInProcess) -> None:
    scim.quirks(profile="aws_identity_center")
    for number in range(51):
        scim.create(displayName=f"User {number}")
    pages = [scim.call("GET", "/Users", startIndex=start, count="100") for start in ("1", "51")]
    assert [(len(page["Resources"]), page["totalResults"]) for page in pages] == [(50, 50), (50, 50)]
    assert len(scim.truth()) == 51


def test_a_cut_list_looks_whole(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(page_size=2, count="ignored", start_index="ignored", total="page")
    answers = [scim.call("GET", "/Users", startIndex=start, count="100") for start in ("1", "3")]
    assert [answer["totalResults"] for answer in answers] == [2, 2]
    assert answers[0]["Resources"] == answers[1]["Resources"]


def test_the_list_begins_again_at_its_end(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(start_index="wraps")
    pages = walked(scim, count=5)
    assert pages[0] == pages[1] == pages[2]
    assert sorted(pages[0]) == names


def test_counts_lie(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(total="wrong", items_per_page="wrong")
    answer = scim.call("GET", "/Users")
    assert answer["totalResults"] != len(answer["Resources"]) != answer["itemsPerPage"]


def test_listing_is_refused(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(lists="refused")
    assert scim.send("GET", "/Users").status_code == 403
    assert scim.send("GET", "/Users", filter=f'userName eq "{names[0]}"').status_code == 403
    assert scim.user(scim.create())["active"] is True


def test_a_filter_is_overlooked_or_refused(scim: ScimInProcess, names: list[str]) -> None:
    wanted = f'userName eq "{names[0]}"'
    scim.quirks(filters="ignored")
    assert scim.listed(wanted) == names
    scim.quirks(filters="refused")
    assert scim.send("GET", "/Users", filter=wanted).status_code == 501
    scim.quirks(filters="exact_spacing")
    assert scim.listed(wanted) == names[:1]
    assert scim.send("GET", "/Users", filter=wanted.replace(" eq", "  eq")).status_code == 400


def test_and_does_not_bind_before_or(scim: ScimInProcess, names: list[str]) -> None:
    wanted = f'userName eq "{names[0]}" or userName eq "{names[1]}" and title eq "Rep"'
    assert scim.listed(wanted) == names[:2]
    scim.quirks(filters="no_precedence")
    assert scim.listed(wanted) == names[1:2]
    assert scim.listed(f'userName eq "{names[0]}"') == names[:1]
    assert scim.listed('title eq "x or y"') == []


def test_few_attributes_can_be_filtered_by(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(filterable=["userName", "Group.displayName"])
    assert scim.listed(f'userName eq "{names[0]}"') == names[:1]
    assert scim.send("GET", "/Users", filter='externalId eq "1"').status_code == 400
    assert scim.send("GET", "/Users", filter='displayName eq "userName eq 1"').status_code == 400
    assert scim.listed('displayName eq "Sales"', "Groups") == []


def test_a_filter_has_too_many_terms(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(filter_terms=2)
    terms = [f'userName eq "{name} or and"' for name in names]
    assert scim.send("GET", "/Users", filter=" or ".join(terms[:3])).status_code == 400
    assert scim.listed(" or ".join(terms[:2])) == []


def test_a_whole_urn_finds_nothing(scim: ScimInProcess, names: list[str]) -> None:
    wanted = f'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "{names[0]}"'
    assert scim.listed(wanted) == names[:1]
    scim.quirks(urn_filters="find_nothing")
    assert scim.listed(wanted) == []


def test_an_escaped_quote_cannot_be_read(scim: ScimInProcess) -> None:
    wanted = r'displayName eq "a \"b\""'
    assert scim.listed(wanted) == []
    scim.quirks(refuses_escaped_quotes=True)
    assert scim.send("GET", "/Users", filter=wanted).status_code == 400


def test_lists_lag_and_names_do_not(scim: ScimInProcess, names: list[str]) -> None:
    scim.quirks(list_lag_s=30)
    scim.clock.pass_s(31)
    ada = scim.create("ada@acme.example")
    assert scim.listed('userName eq "ada@acme.example"') == []
    assert scim.listed() == names
    assert scim.post("ada@acme.example").status_code == 409
    assert scim.user(ada)["userName"] == "ada@acme.example"
    scim.clock.pass_s(31)
    assert scim.listed('userName eq "ada@acme.example"') == ["ada@acme.example"]


def test_reads_lag_behind_writes(scim: ScimInProcess) -> None:
    ada = scim.create("ada@acme.example")
    scim.clock.pass_s(31)
    scim.quirks(read_lag_s=30)
    scim.patch(ada, ("replace", "active", False))
    assert scim.user(ada)["active"] is True
    scim.patch(ada, ("replace", "title", "Countess"))
    scim.clock.pass_s(31)
    assert (scim.user(ada)["active"], scim.user(ada)["title"]) == (False, "Countess")
