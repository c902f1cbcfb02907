"""What each key accepts, what it says when it does not, and what it is by default."""

from typing import Any

import pytest

from muster.crm.salesforce_fields import DEFAULT_SALESFORCE_MAP, FirstValidEmail, Join, is_valid_email
from muster.errors import Problem, Rejected
from muster.settings import Settings
from muster.settings.document import read
from muster.settings.values import DEFAULT_FIELDS

SALESFORCE = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}


def accepted(**sections: Any) -> Settings:
    return read({"organization": "acme", **sections})[1]


def problem(**sections: Any) -> Problem:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", **sections})
    [only] = caught.value.problems
    return only


def salesforce(**keys: Any) -> dict[str, Any]:
    return {"salesforce": SALESFORCE | keys}


@pytest.mark.parametrize("domain", ["acme.example", "firma.xn--p1ai", "a.b-c.co", "xn--mnchen-3ya.de"])
def test_what_is_a_domain_here_is_one_in_an_address(domain: str) -> None:
    assert read({"organization": "acme", "domains": {"primary": domain}})
    assert is_valid_email(f"ada@{domain}")
    assert is_valid_email(f"ada@{domain.upper()}")


def test_everything_but_the_organization_has_a_default() -> None:
    settings = accepted()
    assert settings.time_zone == "UTC"
    assert settings.auto_provision.enabled
    assert settings.auto_provision.require_call_center
    assert settings.auto_provision.read_back
    assert settings.auto_provision.fields == DEFAULT_FIELDS
    assert settings.connections.salesforce is None
    assert settings.assignments == ()
    assert not settings.managers.notify
    assert not settings.managers.may_toggle_capture
    assert not settings.keep_active.when_deactivated
    assert not settings.keep_active.when_unmatched
    assert not settings.domains.convert
    assert not settings.ignore_organizational_structure
    assert settings.pending_edits == "protect"
    assert (settings.guard.floor, settings.guard.count, settings.guard.percent) == (5, 500, 10)


def test_the_organization_is_needed() -> None:
    with pytest.raises(Rejected) as caught:
        read({})
    assert caught.value.problems == (Problem("organization", "is missing", "Add it, for example acme."),)


def test_the_whole_document_of_the_design_is_accepted() -> None:
    settings = accepted(
        time_zone="Europe/London",
        auto_provision={"enabled": True, "custom_fields": ["Region__c", "npe01__Team__c"]},
        domains={"primary": "acme.example", "company": ["acme.example"], "additional": [], "convert": False},
        connections={
            "salesforce": SALESFORCE
            | {"api_version": "66.0", "login": "client_credentials", "action_ids": []},
            "vault_crm": {
                "host": "acme-crm.veevavault.com",
                "manage_features": ["engage", "engage_connect"],
                "match": "email",
            },
            "align": {
                "host": "acme-align.veevavault.com",
                "api_version": "v26.1",
                "secret": "muster/acme/align",
            },
        },
        seats={"gong": {"limit": 200}, "forecast": {"limit": 20, "requires": ["gong"]}},
        seat_required={"record_web_conferences": "gong", "import_emails": "gong"},
        assignments=[
            {
                "name": "Field sales",
                "filter": "Profile.Name = 'Sales' AND Country = 'GB'",
                "update_mode": "automatic",
                "seats": ["gong", {"field": "Extra_Seat__c", "map": {"Forecast": "forecast"}}],
                "workspaces": {
                    "EMEA": "Team member",
                    "AMER": {"field": "Role__c", "map": {"Lead": "Manager"}},
                },
                "data_capture": {
                    "record_web_conferences": "enabled",
                    "import_emails": {
                        "field": "Import_Emails__c",
                        "map": {"true": "enabled", "false": "prevented"},
                    },
                },
                "engage": {"group": "UK Field Force"},
            }
        ],
        managers={"notify": True, "may_toggle_capture": True},
        keep_active={"when_deactivated": False, "when_unmatched": False, "grace_days": 0},
        ignore_organizational_structure=False,
        pending_edits="protect",
        guard={"floor": 5, "count": 500, "percent": 10, "operations": {"deactivate": {"percent": 5}}},
    )
    assert settings.assignments[0].seats[0] == "gong"
    assert settings.guard.operations.deactivate is not None
    assert settings.guard.operations.deactivate.percent == 5


@pytest.mark.parametrize(
    ("sections", "where", "message", "remedy"),
    [
        # Keys.
        ({"time_zon": "UTC"}, "time_zon", "not a known key", "Did you mean 'time_zone'?"),
        (
            {"auto_provision": {"field": []}},
            "auto_provision.field",
            "not a known key",
            "Did you mean 'fields'?",
        ),
        ({"guard": {"operations": {"delete": {}}}}, "guard.operations.delete", "not a known key", "create"),
        (
            {"field_maps": {"salesforce": {"Titel": "Title"}}},
            "field_maps.salesforce.Titel",
            "attribute",
            "'title'?",
        ),
        (
            {"seat_required": {"import_email": "x"}},
            "seat_required.import_email",
            "not a known key",
            "'import_emails'?",
        ),
        ({"connections": {"hubspot": {}}}, "connections.hubspot", "not a known key", "salesforce"),
        # Kinds.
        ({"managers": None}, "managers", "has no value", "default"),
        ({"managers": "yes"}, "managers", "not a set of keys", '{"key": value}'),
        ({"assignments": {"name": "x"}}, "assignments", "not a list", "[first, second]"),
        (
            {"auto_provision": {"enabled": "on"}},
            "auto_provision.enabled",
            "neither true nor false",
            "without quotes",
        ),
        (
            {"auto_provision": {"enabled": 1}},
            "auto_provision.enabled",
            "neither true nor false",
            "true or false",
        ),
        ({"guard": {"count": "5"}}, "guard.count", "not a whole number", "without quotes"),
        ({"guard": {"count": 5.5}}, "guard.count", "not a whole number", "whole number"),
        ({"guard": {"count": True}}, "guard.count", "not a whole number", "whole number"),
        ({"guard": {"percent": 101}}, "guard.percent", "more than 100", "Correct"),
        ({"guard": {"floor": -1}}, "guard.floor", "less than 0", "Correct"),
        ({"keep_active": {"grace_days": 366}}, "keep_active.grace_days", "more than 365", "Correct"),
        # Values.
        ({"organization": "Acme"}, "organization", "is 'Acme', and that is not the name", "lower-case"),
        ({"organization": "-acme"}, "organization", "not the name", "dash"),
        ({"organization": "a" * 64}, "organization", "not the name", "63"),
        ({"organization": "acme\n"}, "organization", "not the name", "63"),
        ({"time_zone": "Europe/Londn"}, "time_zone", "not a time zone", "'Europe/London'?"),
        ({"time_zone": "Europe"}, "time_zone", "not a time zone", ""),
        ({"time_zone": "America/Argentina"}, "time_zone", "not a time zone", ""),
        ({"time_zone": "../etc/passwd"}, "time_zone", "not a time zone", ""),
        ({"time_zone": "localtime"}, "time_zone", "not a time zone", ""),
        ({"time_zone": 1}, "time_zone", "not text", "quotes"),
        ({"domains": {"primary": "Acme.example"}}, "domains.primary", "e-mail domain", "lower case"),
        ({"domains": {"company": ["@acme.example"]}}, "domains.company[0]", "e-mail domain", "follows the @"),
        ({"domains": {"additional": ["localhost"]}}, "domains.additional[0]", "e-mail domain", ""),
        ({"domains": {"convert": True}}, "domains", "no domain to convert to", "primary"),
        ({"pending_edits": "protekt"}, "pending_edits", "not one of protect, overwrite", "'protect'?"),
        ({"seats": {"#1": {}}}, 'seats["#1"]', "name of a seat", "letters"),
        ({"seats": {"gong": {"limit": -1}}}, "seats.gong.limit", "less than 0", ""),
        ({"seats": {f"s{n}": {} for n in range(21)}}, "seats", "holds 21, more than 20", "one transaction"),
    ],
)
def test_a_wrong_value_is_refused_with_place_and_remedy(
    sections: dict[str, Any], where: str, message: str, remedy: str
) -> None:
    found = problem(**sections)
    assert found.where == where
    assert message in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("keys", "where", "remedy"),
    [
        ({"host": "https://acme.my.salesforce.com"}, "host", "without https://"),
        ({"host": "acme.my.salesforce.com/"}, "host", "alone"),
        # What stands in the browser is not where Salesforce is asked.
        ({"host": "acme.lightning.force.com"}, "host", "My Domain, under Setup"),
        ({"host": "acme.lightning.force.com"}, "host", "probably acme.my.salesforce.com."),
        (
            {"host": "https://acme--dev.sandbox.lightning.force.com/lightning"},
            "host",
            "probably acme--dev.sandbox.my.salesforce.com.",
        ),
        ({"host": "login.salesforce.com"}, "host", "It is the org's My Domain"),
        ({"host": "ACME.my.salesforce.com"}, "host", "lower case"),
        ({"host": "user@acme.my.salesforce.com"}, "host", "alone"),
        ({"host": "acme.my.salesforce.com:443"}, "host", "alone"),
        ({"host": "acme.my.salesforce.com.evil.example"}, "host", "alone"),
        ({"host": "evilmy.salesforce.com"}, "host", "alone"),
        ({"host": ".my.salesforce.com"}, "host", "alone"),
        ({"host": "acme-.my.salesforce.com"}, "host", "alone"),
        ({"host": "169.254.169.254"}, "host", "alone"),
        ({"host": "169.254.169.254:80"}, "host", "alone"),
        ({"host": "127.0.0.1"}, "host", "port"),
        ({"host": "127.0.0.1:0"}, "host", "port"),
        ({"host": "127.0.0.1:65536"}, "host", "port"),
        ({"host": "localhost:8080/x"}, "host", "alone"),
        ({"host": "acme.my.salesforce.com\n"}, "host", "alone"),
        ({"organization_id": "005000000000062EAA"}, "organization_id", "00D"),
        ({"organization_id": "00D00000000062"}, "organization_id", "15 or 18"),
        ({"organization_id": "00D000000000062EAB"}, "organization_id", "Copy the id again"),
        ({"organization_id": "00d000000000062EAA"}, "organization_id", "00D"),
        ({"api_version": 66.0}, "api_version", "quotes"),
        ({"api_version": "v66.0"}, "api_version", '"66.0"'),
        ({"login": "password"}, "login", "client_credentials"),
        ({"secret": "my secret!"}, "secret", "Secrets Manager"),
        ({"action_ids": ["00D000000000062EAA"]}, "action_ids[0]", "04k"),
    ],
)
def test_a_wrong_connection_is_refused(keys: dict[str, Any], where: str, remedy: str) -> None:
    found = problem(connections=salesforce(**keys))
    assert found.where == f"connections.salesforce.{where}"
    assert remedy in found.remedy


@pytest.mark.parametrize(
    "host",
    ["acme.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"],
)
def test_hosts_of_salesforce_are_accepted(host: str) -> None:
    connection = accepted(connections=salesforce(host=host)).connections.salesforce
    assert connection is not None
    assert connection.host == host


def test_a_vault_host_is_not_a_salesforce_host() -> None:
    assert (
        problem(connections={"align": {"host": "acme.my.salesforce.com"}}).where == "connections.align.host"
    )


def test_ids_come_out_with_18_characters() -> None:
    connection = accepted(
        connections=salesforce(organization_id="00D000000000062", action_ids=["04k000000000001"])
    ).connections.salesforce
    assert connection is not None
    assert connection.organization_id == "00D000000000062EAA"
    assert connection.action_ids == ("04k000000000001AAA",)


def test_a_secret_is_named_after_organization_and_connection_unless_it_has_a_name() -> None:
    connections = accepted(
        connections=salesforce() | {"align": {"host": "acme.veevavault.com", "secret": "muster/acme/else"}}
    ).connections
    assert connections.salesforce is not None
    assert connections.align is not None
    assert connections.salesforce.secret == "muster/acme/salesforce"  # noqa: S105 - the name of one
    assert connections.align.secret == "muster/acme/else"  # noqa: S105 - the name of one
    assert connections.salesforce.organization == connections.align.organization == "acme"


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ([*DEFAULT_FIELDS, "LanguageLocalKey"], "[21]", "The API name is LanguageLocaleKey."),
        ([*DEFAULT_FIELDS, "Region__c"], "[21]", "custom_fields"),
        ([*DEFAULT_FIELDS, "Region__C"], "[21]", "custom_fields"),
        ([*DEFAULT_FIELDS, "Manager.Email"], "[21]", "no paths"),
        ([*DEFAULT_FIELDS, "titel"], None, ""),
        ([*DEFAULT_FIELDS[1:], "id"], "[20]", "Write Id."),
        ([*DEFAULT_FIELDS, "Id"], "", "Write each once."),
        ([name for name in DEFAULT_FIELDS if name != "CallCenterId"], "", "Add it"),
        (
            [name for name in DEFAULT_FIELDS if name not in ("SystemModstamp", "LastModifiedDate")],
            "",
            "Add one",
        ),
        ([name for name in DEFAULT_FIELDS if name != "SystemModstamp"], None, ""),
        ([name for name in DEFAULT_FIELDS if name != "LastModifiedDate"], None, ""),
        ([], "", "Add it"),
        ("Id", "", "Write a list"),
    ],
)
def test_the_fields_are_checked_by_name_and_for_the_needed_ones(
    fields: Any, where: str | None, says: str
) -> None:
    if where is None:
        assert accepted(auto_provision={"fields": fields}).auto_provision.fields == tuple(fields)
    else:
        found = problem(auto_provision={"fields": fields})
        assert found.where == f"auto_provision.fields{where}"
        assert says in found.remedy


@pytest.mark.parametrize(
    "needed", ["Id", "Username", "Email", "FirstName", "LastName", "IsActive", "CallCenterId"]
)
def test_each_needed_field_is_missed(needed: str) -> None:
    fields = [name for name in DEFAULT_FIELDS if name != needed]
    assert problem(auto_provision={"fields": fields}).message == f"lacks {needed}"


@pytest.mark.parametrize(
    "name", ["Region", "Region__C", "1Region__c", "Re gion__c", "Region___c", "_Region__c", "a__b__d__c"]
)
def test_a_custom_field_has_a_name_that_salesforce_would_give_it(name: str) -> None:
    assert problem(auto_provision={"custom_fields": [name]}).where == "auto_provision.custom_fields[0]"


def test_a_field_map_overrides_the_defaults_per_target() -> None:
    overrides = {
        "title": "Job_Title__c",
        "picture_url": None,
        "username": {"first_valid_email": ["Email", "Username"]},
        "name": {"join": ["LastName", "FirstName"]},
        "crm.username": "Email",
    }
    assert accepted(field_maps={"salesforce": overrides}).field_maps.salesforce == DEFAULT_SALESFORCE_MAP | {
        "title": "Job_Title__c",
        "picture_url": None,
        "username": FirstValidEmail(("Email", "Username")),
        "name": Join(("LastName", "FirstName")),
        "crm.username": "Email",
    }


def test_the_field_map_is_the_default_where_none_is_written() -> None:
    assert accepted().field_maps.salesforce == DEFAULT_SALESFORCE_MAP
    assert accepted(field_maps={}).field_maps.salesforce == DEFAULT_SALESFORCE_MAP


@pytest.mark.parametrize("target", ["username", "email", "first_name", "last_name"])
def test_what_every_member_needs_stays_mapped(target: str) -> None:
    assert problem(field_maps={"salesforce": {target: None}}).message == f"takes {target} away"


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (1, ""),
        ("", ""),
        ("a b", ""),
        (["Title"], ""),
        ({"join": []}, ".join"),
        ({"join": "FirstName"}, ".join"),
        ({"first_valid_email": ["a b"]}, ".first_valid_email[0]"),
        ({"join": ["FirstName"], "with": "-"}, ".with"),
        ({"concat": ["FirstName"]}, None),
    ],
)
def test_a_source_is_a_field_or_one_of_two_recipes(source: Any, where: str | None) -> None:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", "field_maps": {"salesforce": {"title": source}}})
    places = [found.where for found in caught.value.problems]
    assert all(place.startswith("field_maps.salesforce.title") for place in places)
    if where is not None:
        assert places == [f"field_maps.salesforce.title{where}"]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", True, False, "true", 1])
def test_data_capture_is_never_a_bare_switch(word: Any) -> None:
    found = problem(assignments=[{"name": "A", "data_capture": {"import_emails": word}}])
    assert found.where == "assignments[0].data_capture.import_emails"
    assert found.remedy == "Write enabled or disabled or prevented."


@pytest.mark.parametrize(
    ("assignment", "where"),
    [
        ({"name": ""}, "name"),
        ({"name": " x"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"filter": "SELECT Id FROM User"}, "filter"),
        ({"filter": "x = 'y"}, "filter"),
        ({"update_mode": "auto"}, "update_mode"),
        ({"require_call_center": "no"}, "require_call_center"),
        ({"seats": "gong"}, "seats"),
        ({"seats": [{"field": "X__c", "map": {}}]}, "seats[0].map"),
        ({"seats": [{"field": "X y", "map": {"a": "gong"}}]}, "seats[0].field"),
        ({"workspaces": {"EMEA": ""}}, "workspaces.EMEA"),
        ({"workspaces": {"North, EMEA": 5}}, 'workspaces["North, EMEA"]'),
        (
            {"data_capture": {"import_emails": {"field": "X__c", "map": {"true": "yes"}}}},
            "data_capture.import_emails.map.true",
        ),
        ({"data_capture": {"import_faxes": "enabled"}}, "data_capture.import_faxes"),
        ({"engage": "UK"}, "engage"),
        ({"engage": {}}, "engage.group"),
        ({"engage_connect": {"group": {"field": "X__c"}}}, "engage_connect.group.map"),
    ],
)
def test_a_wrong_assignment_is_refused_at_its_place(assignment: dict[str, Any], where: str) -> None:
    found = problem(assignments=[{"name": "A"} | assignment], seats={"gong": {}})
    assert found.where == f"assignments[0].{where}"
    assert found.remedy


def test_twenty_seats_are_taken() -> None:
    assert len(accepted(seats={f"s{number}": {} for number in range(20)}).seats) == 20


@pytest.mark.parametrize(
    ("sections", "scheduled"),
    [
        ({"connections": salesforce()}, True),
        ({"connections": salesforce(), "auto_provision": {"enabled": False}}, False),
        ({}, False),
        ({"connections": {"align": {"host": "acme.veevavault.com"}}}, False),
    ],
)
def test_schedules_import_who_is_connected_and_switched_on(sections: dict[str, Any], scheduled: bool) -> None:
    assert accepted(**sections).scheduled is scheduled


def test_settings_do_not_change_once_read() -> None:
    settings = accepted()
    with pytest.raises(Exception, match="frozen"):
        settings.time_zone = "GMT"  # type: ignore[misc]  # that it is refused is the point
