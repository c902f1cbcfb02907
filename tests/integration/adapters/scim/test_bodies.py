"""The judge of what is sent to SCIM targets has teeth: it finds what a lenient target would take."""

from typing import Any

import pytest

from muster.crm import scim_patches
from muster.crm.scim_attributes import ENTERPRISE, GROUP, USER
from tests.doubles.scim_bodies import faults
from tests.doubles.scim_target import ScimTarget

GONG = "urn:ietf:params:scim:schemas:extension:Gong:2.0:User"
ADA = {"schemas": [USER], "userName": "ada@acme.example", "active": True}
SALES = {"schemas": [GROUP], "displayName": "Sales"}
WORK = 'emails[type eq "work"].value'


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Users", without(ADA, "schemas")),
        ("Users", ADA | {"schemas": [USER, USER]}),
        ("Users", ADA | {"schemas": [GROUP]}),
        ("Users", ADA | {"schemas": [USER, ENTERPRISE]}),
        ("Users", ADA | {ENTERPRISE: {"department": "Sales"}}),
        ("Users", ADA | {GONG: {"country": "UK"}}),
        ("Users", ADA | {"schemas": [USER, GONG], GONG: {"country": 44}}),
        ("Users", without(ADA, "userName")),
        ("Users", ADA | {"active": "True"}),
        ("Users", ADA | {"active": 1}),
        ("Users", ADA | {"title": None}),
        ("Users", ADA | {"title": ""}),
        ("Users", ADA | {"emails": []}),
        ("Users", ADA | {"Title": "Rep"}),
        ("Users", ADA | {"titel": "Rep"}),
        ("Users", ADA | {"id": "1"}),
        ("Users", ADA | {"emails": [{"value": "ada"}]}),
        ("Users", ADA | {"emails": {"value": "ada@acme.example"}}),
        ("Users", ADA | {"emails": [{"value": f"{name}@acme.example", "primary": True} for name in "ab"]}),
        ("Users", ADA | {"entitlements": ["Gong"]}),
        ("Users", ADA | {"profileUrl": "not an address"}),
        ("Groups", without(SALES, "displayName")),
        ("Groups", SALES | {"members": ["1"]}),
        ("Groups", SALES | {"members": [{"display": "Ada"}, {}]}),
    ],
    ids=str,
)
def test_a_malformed_user_or_group_is_found(kind: str, body: dict[str, Any]) -> None:
    assert faults("POST", kind, ADA if kind == "Users" else SALES) == []
    assert faults("POST", kind, body)


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("Users", {"op": "Replace", "path": "active", "value": False}),
        ("Users", {"op": "replace", "path": "active", "value": "False"}),
        ("Users", {"op": "replace", "value": {"active": "False"}}),
        ("Users", {"op": "replace", "value": {"active": 0}}),
        ("Users", {"op": "replace", "path": "title", "value": ["Rep"]}),
        ("Users", {"op": "replace", "path": "title", "value": 1}),
        ("Users", {"op": "replace", "path": "title", "value": ""}),
        ("Users", {"op": "replace", "path": "title"}),
        ("Users", {"op": "replace", "path": "Title", "value": "Rep"}),
        ("Users", {"op": "replace", "path": "titel", "value": "Rep"}),
        ("Users", {"op": "replace", "path": "name.givenNames", "value": "Ada"}),
        ("Users", {"op": "replace", "path": "emails[type eq work].value", "value": "ada@acme.example"}),
        ("Users", {"op": "replace", "path": WORK, "value": "ada"}),
        ("Users", {"op": "replace", "path": WORK, "value": {"value": "ada@acme.example"}}),
        ("Users", {"op": "add", "path": "emails", "value": {"value": "ada@acme.example"}}),
        ("Users", {"op": "add", "path": "entitlements", "value": ["Gong"]}),
        ("Users", {"op": "replace", "path": f"{ENTERPRISE}:department", "value": 1}),
        ("Users", {"op": "replace", "path": f"{ENTERPRISE}:departments", "value": "Sales"}),
        ("Users", {"op": "replace", "path": f"{GONG}:country", "value": 44}),
        ("Users", {"op": "replace", "path": "id", "value": "1"}),
        ("Users", {"op": "remove", "path": "userName"}),
        ("Users", {"op": "remove"}),
        ("Groups", {"op": "add", "path": "members", "value": ["1"]}),
        ("Groups", {"op": "add", "path": "members", "value": [{}]}),
        ("Groups", {"op": "add", "path": "members", "value": []}),
        ("Groups", {"op": "remove", "path": "members", "value": [{"value": "1"}]}),
        ("Groups", {"op": "remove", "path": "members[value eq 1"}),
    ],
    ids=str,
)
def test_a_malformed_operation_is_found(kind: str, operation: dict[str, Any]) -> None:
    assert faults("PATCH", kind, scim_patches.patch([operation]))


@pytest.mark.parametrize("body", [{}, {"Operations": []}, {"operations": [{}]}], ids=str)
def test_a_patch_without_its_schema_or_operations_is_found(body: dict[str, Any]) -> None:
    good = {"op": "replace", "path": "active", "value": False}
    assert faults("PATCH", "Users", scim_patches.patch([good])) == []
    assert faults("PATCH", "Users", {"Operations": [good]})
    assert faults("PATCH", "Users", {"schemas": [scim_patches.PATCH], **body})


def test_a_test_fails_that_sends_what_is_malformed_though_the_app_takes_it(
    target: ScimTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = target.user("ada@acme.example")
    text = {"op": "replace", "path": "active", "value": "False"}
    assert target.raw("PATCH", f"/Users/{user}", scim_patches.patch([text])).status_code == 204
    monkeypatch.setattr(scim_patches, "activation", lambda *_: text)
    before = target.calls()
    with pytest.raises(AssertionError, match="scim2-models would write"):
        target.client().activate(user, False, {})
    assert target.calls() == before
