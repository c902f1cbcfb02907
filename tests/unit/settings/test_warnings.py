"""What settings say that is stored but does not act as it reads."""

from typing import Any

import pytest

from muster.settings import unseen_changes
from muster.settings import warnings as module
from muster.settings.document import read
from muster.settings.values import DEFAULT_FIELDS

SALESFORCE = {
    "salesforce": {
        "host": "acme.my.salesforce.com",
        "organization_id": "00D000000000062EAA",
        "action_ids": ["04k000000000001AAA"],
    }
}
ON_MESSAGES = {"read_back": False}


def warnings(**sections: Any) -> dict[str, str]:
    """Return place → message of the warnings."""
    settings = read({"organization": "acme", **sections})[1]
    found = module.warnings(settings)
    assert all(warning.remedy for warning in found)
    return {warning.where: warning.message for warning in found}


def test_plain_settings_have_no_warnings() -> None:
    assert warnings() == {}
    assert warnings(connections=SALESFORCE) == {}


@pytest.mark.parametrize("connections", [{}, SALESFORCE])
def test_to_believe_messages_is_a_warning(connections: dict[str, Any]) -> None:
    """What a forged or replayed message says then counts until the next import, at least (W11)."""
    assert set(warnings(connections=connections, auto_provision=ON_MESSAGES)) == {"auto_provision.read_back"}
    assert warnings(connections=connections, auto_provision={"read_back": True}) == {}


@pytest.mark.parametrize("read_back", [True, False])
def test_any_outbound_message_of_the_org_is_a_warning(read_back: bool) -> None:
    anyone = {"salesforce": SALESFORCE["salesforce"] | {"action_ids": []}}
    found = warnings(connections=anyone, auto_provision={"read_back": read_back})
    assert "any outbound message" in found["connections.salesforce.action_ids"]
    assert ("auto_provision.read_back" in found) is not read_back


ONLY_FULL = "Such a change brings no message, and no incremental import sees it, only the next full import"


def test_what_only_a_full_import_sees_is_told_with_the_assignment_and_what_is_in_its_filter() -> None:
    assignments = [
        {"name": "Plain", "filter": "Department = 'Sales' AND ProfileId != null"},
        {"name": "Dated", "filter": "Profile.Name = 'Sales' AND LastLoginDate = LAST_N_DAYS:30"},
        {"name": "Granted", "filter": "Id IN (SELECT AssigneeId FROM PermissionSetAssignment)"},
        {"name": "Everyone else"},
    ]
    assert warnings(connections=SALESFORCE, assignments=assignments) == {
        "assignments[1].filter": (
            "of Dated looks at what changes without the user: Profile.Name (a profile renamed or changed),"
            f" LAST_N_DAYS:30 (another day). {ONLY_FULL}"
        ),
        "assignments[2].filter": (
            "of Granted looks at what changes without the user: PermissionSetAssignment (a permission set"
            f" given or taken). {ONLY_FULL}"
        ),
    }


def test_formula_fields_are_told_wherever_they_are_named() -> None:
    """Their value moves no stamp of the user: it is made anew at each reading."""
    _, of = read(
        {
            "organization": "acme",
            "connections": SALESFORCE,
            "auto_provision": {"custom_fields": ["Region__c", "Score__c"]},
            "seats": {"gong": {}},
            "assignments": [
                {
                    "name": "A",
                    "filter": "Score__c > 5",
                    "seats": [{"field": "Tenure__c", "map": {"5": "gong"}}],
                }
            ],
        }
    )
    found = {each.where: each for each in unseen_changes.of_formula_fields(of, ["Score__c", "Tenure__c"])}
    assert list(found) == [
        "assignments[0].filter",
        "auto_provision.custom_fields[1]",
        "assignments[0].seats[0].field",
    ]
    assert "of A looks at" in found["assignments[0].filter"].message
    assert "Score__c is a formula field" in found["auto_provision.custom_fields[1]"].message
    assert all("only the next full import" in each.message and each.remedy for each in found.values())
    assert not list(unseen_changes.of_formula_fields(of, ["Other__c"]))


ALIGN = {"align": {"host": "a.veevavault.com"}}


@pytest.mark.parametrize(
    ("vault_crm", "said"),
    [
        ({}, {"connections.align"}),
        ({"vault_crm": {"host": "acme.veevavault.com"}}, {"connections.align"}),
        ({"vault_crm": {"host": "acme.veevavault.com", "manage_features": ["engage"]}}, set()),
    ],
)
def test_an_align_that_no_push_reads_is_told(vault_crm: dict[str, Any], said: set[str]) -> None:
    assert set(warnings(connections=SALESFORCE | ALIGN | vault_crm)) == said


def vault_crm(*features: str, **keys: Any) -> dict[str, Any]:
    """Return connections to Salesforce and to a Vault CRM that manages these features."""
    vault = {"host": "acme.veevavault.com", "manage_features": list(features)} | keys
    return {"connections": SALESFORCE | {"vault_crm": vault}}


GROUPS = [
    {"name": "A", "filter": "x = 1"},
    {
        "name": "B",
        "engage": {"group": "UK"},
        "engage_connect": {"group": {"field": "X__c", "map": {"a": "UK"}}},
    },
]


@pytest.mark.parametrize(
    ("features", "unmanaged"),
    [
        ((), ["engage", "engage_connect"]),
        (("engage",), ["engage_connect"]),
        (("engage_connect",), ["engage"]),
        (("engage", "engage_connect"), []),
    ],
)
def test_a_group_of_a_feature_that_is_not_managed_is_a_warning(
    features: tuple[str, ...], unmanaged: list[str]
) -> None:
    found = warnings(assignments=GROUPS, **vault_crm(*features))
    assert set(found) == {f"assignments[1].{feature}" for feature in unmanaged}
    for feature in unmanaged:
        assert found[f"assignments[1].{feature}"].endswith(f"connections.vault_crm does not manage {feature}")


def test_a_group_without_a_vault_crm_is_a_warning() -> None:
    found = warnings(assignments=GROUPS, connections=SALESFORCE)
    assert set(found) == {"assignments[1].engage", "assignments[1].engage_connect"}
    assert found["assignments[1].engage"].endswith("there is no connection to a Vault CRM")


def test_a_vault_crm_without_salesforce_is_a_warning() -> None:
    assert set(warnings(connections={"vault_crm": {"host": "a.veevavault.com"}})) == {"connections.vault_crm"}


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ({}, {}),
        (
            {"outbound": {"system": ["engage.request", "engage.status", "engage_connect.status"]}},
            {"connections.vault_crm.manage_features[0]": "manages engage_connect, but"},
        ),
        (
            {"outbound": {"system": ["engage.request", "engage_connect.request", "engage.status"]}},
            {"field_maps.vault_crm.outbound.system": "lacks engage_connect.status: "},
        ),
        (
            {"inbound": {"system": ["engage.group", "engage_connect.group", "engage_connect.status"]}},
            {"field_maps.vault_crm.inbound.system": "lacks engage.status: "},
        ),
        (
            {"inbound": {"system": ["engage.status", "engage_connect.group", "engage_connect.status"]}},
            {"field_maps.vault_crm.inbound.system": "lacks engage.group: "},
        ),
        # Where nothing is pushed nothing has to be seen of it.
        (
            {
                "inbound": {"system": ["engage.group", "engage.status"]},
                "outbound": {"system": ["engage.request", "engage.status"]},
            },
            {"connections.vault_crm.manage_features[0]": "manages engage_connect, but"},
        ),
    ],
)
def test_a_mapping_that_a_managed_feature_needs_is_switched_on(
    maps: dict[str, Any], expected: dict[str, str]
) -> None:
    found = warnings(field_maps={"vault_crm": maps}, **vault_crm("engage_connect", "engage"))
    assert set(found) == set(expected)
    assert all(found[where].startswith(message) for where, message in expected.items())


def test_mappings_of_features_that_are_not_managed_may_be_off() -> None:
    maps: dict[str, Any] = {"inbound": {"system": []}, "outbound": {"system": []}}
    assert warnings(field_maps={"vault_crm": maps}, **vault_crm()) == {}
    assert warnings(field_maps={"vault_crm": maps}, connections=SALESFORCE) == {}


def test_what_acts_is_not_warned_of() -> None:
    assignment = {
        "name": "A",
        "filter": "Department = 'Sales'",
        "update_mode": "manual",
        "seats": ["gong"],
        "workspaces": {"EMEA": "Member"},
        "data_capture": {"import_emails": "enabled"},
    }
    assert (
        warnings(
            connections=SALESFORCE,
            seats={"gong": {"limit": 3}},
            seat_required={"import_emails": "gong"},
            assignments=[assignment],
            managers={"notify": True, "may_toggle_capture": True},
            keep_active={"grace_days": 7},
        )
        == {}
    )


BY_FIELD = {
    "name": "A",
    "seats": [{"field": "X__c", "map": {"a": "gong"}}],
    "workspaces": {"EMEA": {"field": "X__c", "map": {"a": "Lead"}}, "AMER": "Member"},
    "data_capture": {"import_emails": {"field": "X__c", "map": {"a": "enabled"}}},
}
MAPS = {"salesforce": {"title": "Job__c", "name": {"join": ["FirstName", "Middle__c"]}, "extension": None}}


@pytest.mark.parametrize("connected", [True, False])
def test_a_field_that_no_message_carries_is_a_warning_where_messages_are_followed(connected: bool) -> None:
    sections: dict[str, Any] = {"seats": {"gong": {}}, "assignments": [BY_FIELD], "field_maps": MAPS}
    if connected:
        sections |= {"connections": SALESFORCE, "auto_provision": ON_MESSAGES}
    found = warnings(**sections)
    assert (found.pop("auto_provision.read_back", None) is not None) is connected
    assert set(found) == {
        "field_maps.salesforce.title",
        "field_maps.salesforce.name",
        "assignments[0].seats[0]",
        "assignments[0].workspaces.EMEA",
        "assignments[0].data_capture.import_emails",
    }
    assert "Middle__c" in found["field_maps.salesforce.name"]
    assert all(("until the next import" in message) is connected for message in found.values())
    carried = {**sections.get("auto_provision", {}), "custom_fields": ["Job__c", "Middle__c", "X__c"]}
    believed = {"auto_provision.read_back"} if connected else set()
    assert set(warnings(**{**sections, "auto_provision": carried})) == believed


def test_where_users_are_read_no_field_has_to_be_carried() -> None:
    sections = {"seats": {"gong": {}}, "assignments": [BY_FIELD], "field_maps": MAPS}
    assert warnings(connections=SALESFORCE, **sections) == {}


def test_a_default_map_of_a_field_taken_off_the_list_is_a_warning() -> None:
    fields = [name for name in DEFAULT_FIELDS if name != "LanguageLocaleKey"]
    found = warnings(auto_provision={"fields": fields})
    assert set(found) == {"field_maps.salesforce.language", 'field_maps.salesforce["crm.language"]'}


def test_a_compound_field_is_a_warning() -> None:
    assert set(warnings(auto_provision={"fields": [*DEFAULT_FIELDS, "Name"]})) == {
        "auto_provision.fields[21]"
    }


def test_a_filter_without_a_connection_is_a_warning() -> None:
    assignments = [{"name": "A"}, {"name": "B", "filter": "x = 1"}]
    assert "neither checked nor evaluated" in warnings(assignments=assignments)["assignments[1].filter"]
    assert "assignments[1].filter" not in warnings(assignments=assignments, connections=SALESFORCE)


def test_assignments_below_one_for_everyone_are_a_warning() -> None:
    filtered, everyone = {"name": "A", "filter": "x = 1"}, {"name": "B"}
    assert "assignments[0]" in warnings(assignments=[everyone, filtered])
    assert "assignments[1]" not in warnings(assignments=[filtered, everyone])


def test_data_capture_without_its_seat_is_a_warning() -> None:
    sections = {"seats": {"gong": {}}, "seat_required": {"import_emails": "gong"}}
    assignment = {"name": "A", "data_capture": {"import_emails": "enabled", "gong_connect": "enabled"}}
    found = warnings(assignments=[assignment], **sections)
    assert "seat gong" in found["assignments[0].data_capture.import_emails"]
    assert "assignments[0].data_capture.gong_connect" not in found
    carried = assignment | {"seats": [{"field": "Title", "map": {"Rep": "gong"}}]}
    assert "assignments[0].data_capture.import_emails" not in warnings(assignments=[carried], **sections)


@pytest.mark.parametrize(
    ("choice", "warned"),
    [
        ("enabled", True),
        ("disabled", False),
        ("prevented", False),
        ({"field": "Title", "map": {"Rep": "prevented", "Lead": "enabled"}}, True),
        ({"field": "Title", "map": {"Rep": "prevented"}}, False),
    ],
)
def test_only_what_is_enabled_needs_its_seat(choice: Any, warned: bool) -> None:
    assignments = [
        {"name": "A", "data_capture": {"import_emails": choice}, "filter": "x = 1"},
        {"name": "B", "seats": ["gong"]},
    ]
    found = warnings(
        connections=SALESFORCE,
        seats={"gong": {}},
        seat_required={"import_emails": "gong"},
        assignments=assignments,
    )
    assert set(found) == ({"assignments[0].data_capture.import_emails"} if warned else set())


def test_a_seat_without_the_one_it_needs_is_a_warning() -> None:
    seats = {"gong": {}, "forecast": {"requires": ["gong"]}}
    found = warnings(
        seats=seats, assignments=[{"name": "A", "seats": ["gong"]}, {"name": "B", "seats": ["forecast"]}]
    )
    assert "nobody will hold it" in found["assignments[1].seats"]
    assert warnings(seats=seats, assignments=[{"name": "A", "seats": ["forecast", "gong"]}]) == {}
    by_field = {"field": "Title", "map": {"Rep": "gong"}}
    assert warnings(seats=seats, assignments=[{"name": "A", "seats": ["forecast", by_field]}]) == {}


def test_a_seat_that_is_required_and_that_nobody_gets_is_a_warning() -> None:
    sections: dict[str, Any] = {"seats": {"gong": {}}, "seat_required": {"import_emails": "gong"}}
    assert set(warnings(assignments=[{"name": "A"}], **sections)) == {"seat_required.import_emails"}
    assert warnings(assignments=[{"name": "A", "seats": ["gong"]}], **sections) == {}
    assert warnings(**sections) == {}, "without assignments there are no seats to give"


@pytest.mark.parametrize(
    ("keep_active", "places"),
    [
        ({"when_unmatched": True, "grace_days": 7}, {"keep_active.grace_days"}),
        ({"when_unmatched": True}, set()),
        ({"when_deactivated": True, "grace_days": 7}, set()),
    ],
)
def test_days_of_grace_for_whom_is_kept_anyway_are_a_warning(
    keep_active: dict[str, Any], places: set[str]
) -> None:
    assert set(warnings(keep_active=keep_active)) == places


@pytest.mark.parametrize(
    ("notify", "sends_mail", "warned"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_to_tell_managers_without_an_address_to_send_from_is_a_warning(
    notify: bool, sends_mail: bool, warned: bool
) -> None:
    settings = read({"organization": "acme", "managers": {"notify": notify}})[1]
    found = module.warnings(settings, sends_mail=sends_mail)
    assert [(each.where, "MailFrom" in each.remedy) for each in found] == warned * [("managers.notify", True)]
