"""What one part of the settings says about another and has to be put right before they are stored."""

from typing import Any

import pytest

from muster.crm.soql_filters import MOST_BYTES
from muster.errors import Problem, Rejected
from muster.settings.document import read
from muster.settings.values import DEFAULT_FIELDS

SALESFORCE = {"salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}}


def problems(**sections: Any) -> tuple[Problem, ...]:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", **sections})
    return caught.value.problems


@pytest.mark.parametrize(
    ("sections", "where"),
    [
        ({"seats": {"gong": {}, "forecast": {"requires": ["gong", "gog"]}}}, "seats.forecast.requires[1]"),
        ({"seats": {"gong": {}}, "seat_required": {"gong_connect": "gog"}}, "seat_required.gong_connect"),
        (
            {"seats": {"gong": {}}, "assignments": [{"name": "A", "seats": ["Gong"]}]},
            "assignments[0].seats[0]",
        ),
        (
            {
                "seats": {"gong": {}},
                "assignments": [{"name": "A", "seats": ["gong", {"field": "X__c", "map": {"a b": "gng"}}]}],
            },
            'assignments[0].seats[1].map["a b"]',
        ),
    ],
)
def test_a_seat_that_is_named_is_there(sections: dict[str, Any], where: str) -> None:
    [found] = problems(**sections)
    assert found.where == where
    assert found.remedy == "Did you mean 'gong'?"


def test_without_any_seat_the_remedy_is_to_add_it() -> None:
    [found] = problems(assignments=[{"name": "A", "seats": ["gong"]}])
    assert found.remedy == "Add it under seats."


@pytest.mark.parametrize(
    ("requires", "in_cycle"),
    [
        ({"a": ["a"]}, ["a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "b", "c"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
    ],
)
def test_no_seat_needs_itself(requires: dict[str, list[str]], in_cycle: list[str]) -> None:
    seats = {name: {"requires": needed} for name, needed in requires.items()}
    if in_cycle:
        assert [found.where for found in problems(seats=seats)] == [
            f"seats.{name}.requires" for name in in_cycle
        ]
    else:
        assert read({"organization": "acme", "seats": seats})


def test_assignment_names_are_unique() -> None:
    [found] = problems(
        assignments=[{"name": "A", "filter": "x = 1"}, {"name": "B", "filter": "x = 1"}, {"name": "A"}]
    )
    assert found.where == "assignments[2].name"
    assert "assignments[0]" in found.message


@pytest.mark.parametrize(
    ("formerly", "where", "message"),
    [
        ([["B"], []], "assignments[0].formerly[0]", "is 'B', the name of assignments[1]"),
        ([["A"], []], "assignments[0].formerly[0]", "is 'A', the name of assignments[0]"),
        ([["Old"], ["Older", "Old"]], "assignments[1].formerly[1]", "as assignments[0].formerly[0] is"),
    ],
)
def test_a_former_name_is_nobodys_present_one_and_has_one_successor(
    formerly: list[list[str]], where: str, message: str
) -> None:
    names = ("A", "B")
    [found] = problems(
        assignments=[{"name": name, "formerly": each} for name, each in zip(names, formerly, strict=True)]
    )
    assert found.where == where
    assert message in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("domains", "where", "message"),
    [
        ({"company": ["a.example", "b.example", "a.example"]}, "company[2]", "as domains.company[0] is"),
        ({"additional": ["a.example", "a.example"]}, "additional[1]", "as domains.additional[0] is"),
        (
            {"company": ["a.example"], "additional": ["b.example", "a.example"]},
            "additional[1]",
            "as domains.company[0] is",
        ),
        ({"primary": "a.example", "additional": ["a.example"]}, "additional[0]", "as domains.primary is"),
        (
            {"primary": "a.example", "company": ["a.example"], "additional": ["a.example"]},
            "additional[0]",
            "as domains.company[0] is",
        ),
    ],
)
def test_a_domain_is_listed_once(domains: dict[str, Any], where: str, message: str) -> None:
    [found] = problems(domains=domains)
    assert found.where == f"domains.{where}"
    assert message in found.message
    assert found.remedy.startswith("Keep it once")


def test_the_primary_domain_may_be_among_the_companys() -> None:
    domains = {
        "primary": "acme.example",
        "company": ["acme.example", "labs.acme.example"],
        "additional": ["partner.example"],
    }
    assert read({"organization": "acme", "domains": domains})


@pytest.mark.parametrize("name", ["salesforce", "vault_crm", "align"])
@pytest.mark.parametrize(
    "foreign",
    ["muster/globex/{}", "muster/globex", "muster/shared", "muster/acme", "muster/acme/", "acme/{}"],
)
def test_a_secret_that_is_not_the_organizations_is_refused(name: str, foreign: str) -> None:
    vault = {"host": "acme.veevavault.com"}
    connection = {"salesforce": SALESFORCE["salesforce"], "vault_crm": vault, "align": vault}[name]
    [found] = problems(connections={name: connection | {"secret": foreign.format(name)}})
    assert found.where == f"connections.{name}.secret"
    assert foreign.format(name) in found.message
    assert f"muster/acme/{name}" in found.remedy
    for own in (f"muster/acme/{name}", "muster/acme/another/one"):
        assert read({"organization": "acme", "connections": {name: connection | {"secret": own}}})


@pytest.mark.parametrize("name", ["salesforce", "vault_crm", "align"])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:65535"])
def test_a_host_on_this_machine_is_for_the_local_stack(name: str, host: str) -> None:
    connection = (SALESFORCE["salesforce"] if name == "salesforce" else {}) | {"host": host}
    [found] = problems(connections={name: connection})
    assert found.where == f"connections.{name}.host"
    assert host in found.message
    document = {"organization": "acme", "connections": {name: connection}}
    _, settings = read(document, "acme", loopback_hosts=True)
    assert getattr(settings.connections, name).host == host


@pytest.mark.parametrize(
    ("sections", "where", "as_before"),
    [
        (
            {
                "auto_provision": {"custom_fields": ["Level__c"]},
                "seats": {"gong": {}},
                "assignments": [{"name": "A", "seats": [{"field": "level__c", "map": {"1": "gong"}}]}],
            },
            "assignments[0].seats[0].field",
            "Level__c",
        ),
        ({"field_maps": {"salesforce": {"title": "title"}}}, "field_maps.salesforce.title", "Title"),
        (
            {
                "auto_provision": {"fields": [name for name in DEFAULT_FIELDS if name != "ManagerId"]},
                "field_maps": {"salesforce": {"title": "managerid"}},
            },
            "field_maps.salesforce.title",
            "ManagerId",
        ),
    ],
    ids=["an assignment's field", "a mapped field", "a field that is read though it is not listed"],
)
def test_a_field_is_spelled_in_one_way(sections: dict[str, Any], where: str, as_before: str) -> None:
    """Salesforce takes no heed of case and refuses a field that is selected twice."""
    [problem] = problems(**sections)
    assert (problem.where, problem.remedy) == (where, f"Write {as_before} here too.")


def test_the_fields_to_read_fit_into_one_query() -> None:
    fields = [f"A_field_with_a_rather_long_name_{number:03}__c" for number in range(150)]
    mapped = {"title": {"join": [f"Part_{number:02}_{'x' * 60}__c" for number in range(30)]}}
    sections = {"auto_provision": {"custom_fields": fields}, "field_maps": {"salesforce": mapped}}
    [found] = problems(connections=SALESFORCE, **sections)
    assert found.where == "auto_provision.custom_fields"
    assert f"one query takes {MOST_BYTES:,}" in found.message
    # Without a connection nothing is read; messages carry what they carry.
    assert read({"organization": "acme", **sections})


@pytest.mark.parametrize(
    ("sections", "places"),
    [
        ({"assignments": [{"name": "A"}, {"name": ""}]}, ["assignments[1].name"]),
        ({"assignments": [{"filter": "x = 1"}]}, ["assignments[0].name"]),
        ({"assignments": [{"name": "A", "filter": "(x = 1"}]}, ["assignments[0].filter"]),
        ({"assignments": [{"name": "A", "filter": "x = 1; y = 2"}]}, ["assignments[0].filter"]),
        ({"assignments": [{"name": "A", "filter": "x = 1 LIMIT 2"}]}, ["assignments[0].filter"]),
        (
            {"assignments": [{"name": "A", "filter": ""}, {"name": "B", "filter": "x)"}]},
            ["assignments[0].filter", "assignments[1].filter"],
        ),
        (
            {"assignments": [{"name": "A", "seats": ["x"]}, {"name": "A"}]},
            ["assignments[0].seats[0]", "assignments[1].name"],
        ),
        (
            {"seats": {"a": {"requires": ["b"]}, "b": {"requires": ["a"]}}},
            ["seats.a.requires", "seats.b.requires"],
        ),
    ],
)
def test_every_fault_of_assignments_and_seats_says_where_and_what_to_do(
    sections: dict[str, Any], places: list[str]
) -> None:
    found = problems(**sections)
    assert [each.where for each in found] == places
    assert all(each.message and each.remedy for each in found)


def test_a_custom_value_comes_from_one_system() -> None:
    mapped = {"custom.Region__c": "region__c", "custom.Country": "country_code__v", "custom.Team__c": None}
    sections = {
        "auto_provision": {"custom_fields": ["Region__c", "Team__c"]},
        "field_maps": {"vault_crm": {"inbound": {"custom": mapped}}},
    }
    [found] = problems(**sections)
    assert found.where == 'field_maps.vault_crm.inbound.custom["custom.Region__c"]'
    assert "custom.Vault_Region__c" in found.remedy


@pytest.mark.parametrize(
    ("inbound", "outbound", "place", "words", "remedy"),
    [
        (
            {},
            {"title": "role__c", "name": "role__c"},
            "name",
            "is written to role__c, as title is",
            "another field",
        ),
        (
            {"custom.Land": "land__c"},
            {"custom.Land": "country__v"},
            '["custom.Land"]',
            "is read from land__c of Vault CRM itself",
            "under inbound",
        ),
        (
            {},
            {"custom.Regoin__c": "region__c"},
            '["custom.Regoin__c"]',
            "is no custom value of a member",
            "Did you mean 'custom.Region__c'?",
        ),
    ],
)
def test_what_is_written_to_vault_crm_has_one_source_and_one_field(
    inbound: dict[str, str], outbound: dict[str, str], place: str, words: str, remedy: str
) -> None:
    maps = {"inbound": {"custom": inbound}, "outbound": {"custom": outbound}}
    sections = {"auto_provision": {"custom_fields": ["Region__c"]}, "field_maps": {"vault_crm": maps}}
    [found] = problems(**sections)
    dot = "" if place.startswith("[") else "."
    assert found.where == f"field_maps.vault_crm.outbound.custom{dot}{place}"
    assert words in found.message
    assert remedy in found.remedy
