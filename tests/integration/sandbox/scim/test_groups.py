"""Apps that get the members of groups wrong."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.doubles.scim_in_process import GROUP, ScimInProcess


@pytest.fixture
def people(scim: ScimInProcess) -> list[str]:
    return [scim.create() for _ in range(4)]


def change(scim: ScimInProcess, group: str, *operation: object) -> int:
    return scim.patch(group, operation, endpoint="Groups").status_code


def values(members: list[str]) -> list[dict[str, str]]:
    return [{"value": each} for each in members]


def test_too_many_members_in_one_call(scim: ScimInProcess, people: list[str]) -> None:
    scim.quirks(members_per_call=2)
    group = scim.group("Sales", *people[:2])
    answer = scim.add(group, *people[1:])
    assert answer.status_code == 400
    assert "unparsable" in answer.get_json()["detail"]
    assert scim.add(group, *people[2:]).status_code == 204
    body = {"schemas": [GROUP], "displayName": "All", "members": values(people)}
    assert scim.send("POST", "/Groups", body).status_code == 400
    removals = [("remove", f'members[value eq "{each}"]') for each in people]
    assert scim.patch(group, *removals, endpoint="Groups").status_code == 400
    assert scim.patch(group, *removals[:2], endpoint="Groups").status_code == 204


def test_a_large_group_loses_members(scim: ScimInProcess, people: list[str]) -> None:
    scim.quirks(members_kept=2)
    group = scim.group("Sales", people[0])
    assert scim.add(group, *people[1:]).status_code == 204
    assert scim.members(group) == people[:2]


def test_a_group_is_full(scim: ScimInProcess, people: list[str]) -> None:
    scim.quirks(group_max_members=2)
    group = scim.group("Sales", *people[:2])
    assert scim.add(group, people[2]).status_code == 413
    assert change(scim, group, "remove", f'members[value eq "{people[0]}"]') == 204
    assert scim.add(group, people[2]).status_code == 204


def test_members_cannot_be_replaced(scim: ScimInProcess, people: list[str]) -> None:
    group = scim.group("Sales", people[0])
    scim.quirks(refuses_member_replace=True)
    assert change(scim, group, "replace", "members", values(people)) == 400
    assert change(scim, group, "replace", None, {"members": []}) == 400
    assert change(scim, group, "remove", "members") == 400
    assert change(scim, group, "replace", "displayName", "New") == 204
    assert scim.members(group) == people[:1]


@pytest.mark.parametrize(
    ("quirk", "agent", "posted", "put"),
    [
        ("taken", "Muster", 1, 200),
        ("ignored", "Muster", 0, 200),
        ("okta_only", "Muster", 0, 200),
        ("okta_only", "Okta SCIM Client 1.0", 1, 200),
        ("refused", "Muster", 1, 400),
    ],
)
def test_members_in_a_post_or_put(
    scim: ScimInProcess, people: list[str], quirk: str, agent: str, posted: int, put: int
) -> None:
    scim.quirks(members_in_post_and_put=quirk)
    headers = {"User-Agent": agent}
    body = {"schemas": [GROUP], "displayName": "Sales", "members": values(people[:1])}
    group = scim.send("POST", "/Groups", body, headers).get_json()["id"]
    assert scim.members(group) == people[:posted]
    scim.add(group, people[0])
    body["members"] = values(people[1:2])
    assert scim.send("PUT", f"/Groups/{group}", body, headers).status_code == put
    taken = posted == 1 and put == 200
    assert scim.members(group) == (people[1:2] if taken else people[:1])


@pytest.mark.parametrize(
    ("quirk", "status", "left"),
    [("added", 204, 3), ("refused", 400, 1), ("dropped", 204, 2), ("wipe_the_group", 204, 0)],
)
def test_one_member_is_unknown(
    scim: ScimInProcess, people: list[str], quirk: str, status: int, left: int
) -> None:
    group = scim.group("Sales", people[0])
    scim.quirks(unknown_members=quirk)
    assert scim.add(group, people[1], "nobody").status_code == status
    assert len(scim.members(group)) == left


@pytest.mark.parametrize(
    ("quirk", "status", "left"), [("added", 204, 3), ("refused", 400, 1), ("dropped", 204, 2)]
)
def test_one_member_is_inactive(
    scim: ScimInProcess, people: list[str], quirk: str, status: int, left: int
) -> None:
    group = scim.group("Sales", people[0])
    scim.patch(people[2], ("replace", "active", False))
    scim.quirks(inactive_members=quirk)
    assert scim.add(group, *people[1:3]).status_code == status
    assert len(scim.members(group)) == left


@pytest.mark.parametrize(
    ("quirk", "status", "left"), [("refused", 400, 4), ("removes", 204, 2), ("empties_the_group", 204, 0)]
)
def test_a_list_of_members_to_remove(
    scim: ScimInProcess, people: list[str], quirk: str, status: int, left: int
) -> None:
    group = scim.group("Sales", *people)
    scim.quirks(remove_value_list=quirk)
    assert change(scim, group, "remove", "members", values(people[:2])) == status
    assert len(scim.members(group)) == left


@pytest.mark.parametrize(
    ("quirk", "status", "members"), [("kept", 204, 1), ("doubled", 204, 2), ("refused", 409, 1)]
)
def test_a_member_is_added_again(
    scim: ScimInProcess, people: list[str], quirk: str, status: int, members: int
) -> None:
    group = scim.group("Sales", people[0])
    scim.quirks(added_again=quirk)
    assert scim.add(group, people[0]).status_code == status
    assert scim.members(group) == people[:1] * members


def test_two_writers_at_once_lose_a_member(scim: ScimInProcess, people: list[str]) -> None:
    group = scim.group("Sales")
    scim.quirks(group_race_s=0.2)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda person: scim.add(group, person).status_code, people[:2]))
    assert answers == [204, 204]
    assert len(scim.members(group)) == 1


def test_only_some_members_are_shown(scim: ScimInProcess, people: list[str]) -> None:
    group = scim.group("Sales", *people)
    for shown in (2, 0):
        scim.quirks(members_shown=shown, patch_answer="body")
        answers = [
            scim.call("GET", f"/Groups/{group}"),
            scim.call("GET", "/Groups")["Resources"][0],
            scim.patch(group, ("replace", "displayName", f"Sales {shown}"), endpoint="Groups").get_json(),
        ]
        assert [len(each.get("members", [])) for each in answers] == [shown] * 3
    assert scim.members(group) == people
