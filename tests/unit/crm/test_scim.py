"""SCIM as targets write it: attributes and their paths, lists, resources, and what an answer means (O2)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.crm import scim_attributes, scim_lists, scim_patches
from muster.crm.scim_answers import Outcome, explanation, outcome_of, problem_of
from muster.crm.scim_attributes import ENTERPRISE, USER, Values
from muster.crm.scim_dialect import RFC, Dialect
from muster.crm.scim_filters import equal, is_plain
from muster.crm.scim_resources import Resource, named, read_boolean, read_resource

GONG = "urn:ietf:params:scim:schemas:extension:Gong:2.0:User"
VALUES: Values = {
    "userName": "ada@acme.example",
    "name.givenName": "Ada",
    "emails.work": "ada@acme.example",
    "phoneNumbers.work": "1",
    "phoneNumbers.mobile": "2",
    f"{GONG}:country": "GB",
    "entitlements": ("Gong",),
}
BODY = {
    "schemas": [USER, GONG],
    "userName": "ada@acme.example",
    "name": {"givenName": "Ada"},
    "emails": [{"value": "ada@acme.example", "type": "work", "primary": True}],
    "phoneNumbers": [{"value": "1", "type": "work"}, {"value": "2", "type": "mobile"}],
    GONG: {"country": "GB"},
    "entitlements": [{"value": "Gong"}],
}


# ── Attributes ───────────────────────────────────────────────────────────────────────────────────────


def test_a_body_holds_what_is_shown_of_it_again() -> None:
    assert scim_attributes.body(VALUES) == BODY
    assert scim_attributes.shown(BODY, VALUES) == VALUES


@pytest.mark.parametrize(
    ("resource", "name", "value"),
    [
        ({"USERNAME": "ada"}, "userName", "ada"),
        ({"name": None}, "name.givenName", None),
        ({"name": "Ada"}, "name.givenName", None),
        ({"title": ""}, "title", None),
        ({"title": 7}, "title", "7"),
        ({"title": True}, "title", None),
        ({"emails": [{"value": "b", "type": "home"}, {"value": "a", "type": "Work"}]}, "emails.work", "a"),
        ({"emails": [{"value": "b"}, {"value": "a", "primary": True}]}, "emails.work", "a"),
        ({"emails": ["a"]}, "emails.work", None),
        ({"emails": [{"value": "b", "type": "home"}]}, "emails.work", None),
        ({GONG.lower(): {"Country": "GB"}}, f"{GONG}:country", "GB"),
        ({GONG: "GB"}, f"{GONG}:country", None),
        ({"entitlements": [{"value": "b"}, "a", {}, None]}, "entitlements", ("a", "b")),
        ({}, "entitlements", ()),
    ],
)
def test_what_is_shown_of_a_user(resource: dict[str, Any], name: str, value: object) -> None:
    assert scim_attributes.shown(resource, [name]).get(name) == value


@pytest.mark.parametrize(
    "name",
    [
        "manager",
        f"{ENTERPRISE}:manager",
        "password",
        "active",
        "id",
        "groups",
        "name.",
        "name.honorific",
        "emails",
        "emails.home",
        f"{USER}:title",
        "urn:title",
        "title ",
        'emails[type eq "work"]',
    ],
)
def test_what_is_no_attribute_that_a_user_can_be_given(name: str) -> None:
    assert scim_attributes.parse(name) is None


# ── PATCH and PUT ────────────────────────────────────────────────────────────────────────────────────

AFTER: Values = {
    "userName": "ada@acme.example",
    "name.givenName": "Augusta",
    "emails.work": "augusta@acme.example",
    "phoneNumbers.work": "1",
    "entitlements": ("Forecast",),
    "title": "Rep",
    f"{GONG}:country": "GB",
}
NAME = {"op": "replace", "path": "name.givenName", "value": "Augusta"}
TITLE = {"op": "replace", "path": "title", "value": "Rep"}
SEATS = [
    {"op": "remove", "path": 'entitlements[value eq "Gong"]'},
    {"op": "add", "path": "entitlements", "value": [{"value": "Forecast"}]},
]
ADDRESSES = [{"value": "augusta@acme.example", "type": "work", "primary": True}]


@pytest.mark.parametrize(
    ("dialect", "operations"),
    [
        (
            RFC,
            [
                NAME,
                {
                    "op": "replace",
                    "path": 'emails[type eq "work"].value',
                    "value": "augusta@acme.example",
                },
                *SEATS,
                TITLE,
                {"op": "remove", "path": 'phoneNumbers[type eq "mobile"]'},
            ],
        ),
        (
            Dialect(value_paths=False),
            [
                NAME,
                *SEATS,
                TITLE,
                {"op": "replace", "path": "emails", "value": ADDRESSES},
                {"op": "replace", "path": "phoneNumbers", "value": [{"value": "1", "type": "work"}]},
            ],
        ),
        (
            Dialect(paths=False),
            [
                {"op": "replace", "value": {"name": {"givenName": "Augusta"}}},
                *SEATS,
                {"op": "replace", "value": {"title": "Rep"}},
                {"op": "replace", "value": {"emails": ADDRESSES}},
                {"op": "replace", "value": {"phoneNumbers": [{"value": "1", "type": "work"}]}},
            ],
        ),
    ],
    ids=["paths", "no value paths", "no paths"],
)
def test_a_change_names_only_what_differs(dialect: Dialect, operations: list[Any]) -> None:
    assert scim_patches.changes(VALUES, AFTER, dialect) == operations
    assert scim_patches.changes(VALUES, VALUES, dialect) == []
    assert [len(each) for each in scim_patches.calls(operations, replace(dialect, operations_a_call=4))] == [
        4,
        len(operations) - 4,
    ]


def test_a_value_that_was_not_sent_before_is_added() -> None:
    (operation,) = scim_patches.changes({}, {"emails.work": "a@acme.example"}, RFC)
    value = [{"value": "a@acme.example", "type": "work", "primary": True}]
    assert operation == {"op": "add", "path": "emails", "value": value}


def test_a_put_leaves_out_nothing_that_others_have_set() -> None:
    shown = BODY | {
        "id": "1",
        "meta": {"version": "7"},
        "groups": [{"value": "g"}],
        "active": True,
        "nickName": "Countess",
        "emails": [
            {"value": "ada@acme.example", "type": "work"},
            {"value": "ada@home.example", "type": "home", "primary": True},
        ],
        "entitlements": [{"value": "Gong"}, {"value": "Salesloft"}],
        "name": {"givenName": "Ada", "middleName": "King"},
    }
    sent = scim_patches.replaced(shown, False, VALUES, AFTER)
    assert sent == {
        "schemas": [USER, GONG],
        "id": "1",
        "active": False,
        "userName": "ada@acme.example",
        "nickName": "Countess",
        "title": "Rep",
        "name": {"givenName": "Augusta", "middleName": "King"},
        "emails": [
            {"value": "ada@home.example", "type": "home", "primary": False},
            {"value": "augusta@acme.example", "type": "work", "primary": True},
        ],
        "phoneNumbers": [{"value": "1", "type": "work"}],
        "entitlements": [{"value": "Salesloft"}, {"value": "Forecast"}],
        GONG: {"country": "GB"},
    }


# ── Resources and lists ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ({"id": "u1"}, "u1"),
        ({"ID": 7}, "7"),
        ({"id": True}, None),
        ({"id": ".."}, None),
        ({"id": "x" * 1_001}, None),
        ({"id": {}}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_resource_is_what_has_an_id(shown: object, found: str | None) -> None:
    resource = read_resource(shown)
    assert (resource.id if resource else None) == found


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("False", False), ("YES", True), (1, True), (0, False), (None, None), ("maybe", None)],
)
def test_booleans_in_every_spelling(value: object, read: bool | None) -> None:
    assert read_boolean(value) is read


def test_a_filter_that_was_overlooked_finds_only_who_fits() -> None:
    rows = [Resource("1", {"userName": "ADA", "externalId": "m-1"}), Resource("2", {"userName": "bob"})]
    assert [each.id for each in named(rows, "userName", "ada")] == ["1"]
    assert named(rows, "externalId", "M-1") == []
    assert named(rows, "userName", "eve") == []


def test_a_filter_quotes_what_is_in_it() -> None:
    assert equal("displayName", 'a "b" \\c ü') == 'displayName eq "a \\"b\\" \\\\c ü"'
    assert (is_plain("ü & x"), is_plain('"'), is_plain("\\")) == (True, False, False)


@pytest.mark.parametrize(
    "answer",
    [None, [], "x", {}, {"Resources": {}}, {"Resources": None}, {"totalResults": -1}, {"totalResults": "x"}],
)
def test_what_is_no_page(answer: object) -> None:
    assert scim_lists.read_page(answer) is None


def test_an_empty_page_may_have_no_list() -> None:
    assert scim_lists.read_page({"totalResults": "0"}) == scim_lists.ListPage([], 0, 0)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "content", "outcome"),
    [
        (409, None, Outcome.TAKEN),
        (409, {"detail": "No seats left"}, Outcome.FULL),
        (400, {"scimType": "uniqueness"}, Outcome.TAKEN),
        (400, {"detail": "E-mail already in use"}, Outcome.TAKEN),
        (400, {"response": {"scimType": "uniqueness"}}, Outcome.TAKEN),
        (400, {"message": "Your plan's user limit has been reached"}, Outcome.FULL),
        (402, None, Outcome.FULL),
        (403, {"detail": "No license available for this user"}, Outcome.FULL),
        (403, {"detail": "The owner cannot be deactivated"}, Outcome.FORBIDDEN),
        (404, {"detail": "no licence of that id"}, Outcome.GONE),
        (410, None, Outcome.GONE),
        (405, None, Outcome.NOT_OFFERED),
        (501, {"detail": "PATCH is not supported"}, Outcome.NOT_OFFERED),
        (400, {"scimType": "invalidValue"}, Outcome.REFUSED),
        (422, None, Outcome.REFUSED),
    ],
)
def test_what_a_refusal_means(status: int, content: object, outcome: Outcome) -> None:
    assert outcome_of(status, content) is outcome


def test_a_problem_quotes_the_target_without_what_was_sent() -> None:
    content = {
        "scimType": "invalidValue",
        "detail": "Ada Lovelace <ada@acme.example> has\na 'Rep 7' title; see it@app.example: bad lovelace",
    }
    sent = {"name": {"familyName": "Lovelace", "givenName": "Ada"}, "emails": [{"value": "ada@acme.example"}]}
    problem = problem_of(Outcome.REFUSED, 400, content, "u-1", sent)
    assert problem.where == "u-1"
    assert problem.message == "is answered 400 invalidValue: … … <…> has a … title; see … bad …"


def test_words_of_a_problem_are_few_and_on_one_line() -> None:
    assert len(explanation("x " * 5_000, [])) <= 300
    assert explanation("a\x00\nb", []) == "a b"
