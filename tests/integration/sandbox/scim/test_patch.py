"""Apps that understand PATCH, or other calls, in their own way."""

from typing import Any

import pytest

from sandbox.scim.protocol import ENTERPRISE
from tests.doubles.scim_in_process import USER, ScimInProcess, new_user, patch_of

TITLE = ("replace", "title", "Queen")
BARE = ("replace", None, {"title": "Queen"})
TWO = ("replace", None, {"title": "Queen", "displayName": "Ada"})


@pytest.fixture
def ada(scim: ScimInProcess) -> str:
    return scim.create("ada@acme.example")


@pytest.mark.parametrize(
    ("quirk", "statuses"),
    [
        ("any", [204, 204, 204]),
        ("one_attribute", [204, 204, 400]),
        ("required", [204, 400, 400]),
        ("refused", [400, 204, 204]),
    ],
)
def test_operations_have_a_path_or_none(
    scim: ScimInProcess, ada: str, quirk: str, statuses: list[int]
) -> None:
    scim.quirks(patch_paths=quirk)
    assert [scim.patch(ada, each).status_code for each in (TITLE, BARE, TWO)] == statuses


def test_a_patch_must_have_schemas_and_bare_members(scim: ScimInProcess, ada: str) -> None:
    group = scim.group("Sales")
    scim.quirks(strict_patch=True)
    assert scim.send("PATCH", f"/Users/{ada}", {"Operations": [{"op": "add"}]}).status_code == 422
    shown = ("add", "members", [{"value": ada, "display": "Ada"}])
    assert scim.patch(group, shown, endpoint="Groups").status_code == 422
    assert scim.add(group, ada).status_code == 204


def test_only_some_attributes_can_be_patched(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(patch_only=["active", "manager"])
    assert [scim.patch(ada, each).status_code for each in (TITLE, BARE)] == [400, 400]
    manager = ("add", None, {ENTERPRISE: {"manager": {"value": "7"}}})
    assert scim.patch(ada, manager).status_code == 204
    assert scim.patch(ada, ("replace", f"{ENTERPRISE}:manager", {"value": "8"})).status_code == 204
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204


@pytest.mark.parametrize(
    ("quirk", "first", "again"),
    [
        ("empty", (204, None), (204, None)),
        ("body", (200, "Queen"), (200, "Queen")),
        ("body_unless_unchanged", (200, "Queen"), (204, None)),
        ("braces", (200, {}), (200, {})),
    ],
)
def test_what_a_patch_answers(
    scim: ScimInProcess, ada: str, quirk: str, first: tuple[int, Any], again: tuple[int, Any]
) -> None:
    scim.quirks(patch_answer=quirk)
    for status, said in (first, again):
        answer = scim.patch(ada, TITLE)
        body = answer.get_json() if answer.data else None
        assert answer.status_code == status
        assert (body["title"] if body else body) == said


def test_what_is_not_offered_is_refused(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(refuses=["PUT", "POST /Groups"], refused_status=501)
    assert scim.send("PUT", f"/Users/{ada}", new_user("ada@acme.example")).status_code == 501
    assert scim.send("POST", "/Groups", {"displayName": "Sales"}).status_code == 501
    assert scim.post("bob@acme.example").status_code == 201


def test_patch_works_although_it_is_said_not_to(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(says_patch_unsupported=True)
    assert scim.call("GET", "/ServiceProviderConfig")["patch"] == {"supported": False}
    assert scim.patch(ada, TITLE).status_code == 204


def test_the_condition_of_a_write_is_overlooked(scim: ScimInProcess, ada: str) -> None:
    stale = {"If-Match": 'W/"0"'}
    assert scim.send("PATCH", f"/Users/{ada}", patch_of(TITLE), stale).status_code == 412
    scim.quirks(ignores_if_match=True)
    assert scim.send("PATCH", f"/Users/{ada}", patch_of(TITLE), stale).status_code == 204


def test_extensions_work_unadvertised_or_not_at_all(scim: ScimInProcess) -> None:
    scim.quirks(extensions="unadvertised")
    listed = scim.call("GET", "/Schemas")["Resources"]
    types = scim.call("GET", "/ResourceTypes")["Resources"]
    assert not any(":extension:" in each["id"] for each in listed)
    assert not any("schemaExtensions" in each for each in types)
    extended = {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "Sales"}}
    assert scim.post("bob@acme.example", **extended).status_code == 201
    scim.quirks(extensions="refused")
    assert scim.post("eve@acme.example", **extended).status_code == 400


def test_discovery_is_missing_or_elsewhere(scim: ScimInProcess) -> None:
    scim.quirks(discovery="missing")
    answer = scim.send("GET", "/ServiceProviderConfig")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    scim.quirks(discovery="old_names")
    assert scim.send("GET", "/ServiceProviderConfig").status_code == 404
    assert scim.call("GET", "/ServiceProviderConfigs")["patch"] == {"supported": True}
    scim.quirks(discovery="no_schemas")
    listed = scim.call("GET", "/Schemas")
    assert not any("schemas" in each for each in [listed, *listed["Resources"]])
