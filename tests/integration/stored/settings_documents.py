"""Settings documents: the smallest that is of use, and one with every key that there was."""

from typing import Any

PLAIN: dict[str, Any] = {
    "organization": "acme",
    "connections": {
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"},
        "vault_crm": {"host": "acme-crm.veevavault.com"},
        "align": {"host": "acme-align.veevavault.com"},
    },
    "assignments": [{"name": "Everyone"}],
}

_FIELDS = ["Id", "Username", "Email", "FirstName", "LastName", "IsActive", "CallCenterId", "SystemModstamp"]
_CAPTURES = (
    "record_web_conferences",
    "import_telephony_calls",
    "import_emails",
    "import_non_recorded_meetings",
    "gong_connect",
    "record_interviews",
)
_EITHER = ("retry_request", "request_sent", "invalid_group_name", "request_failed", "success")

EVERY_KEY: dict[str, Any] = {
    "organization": "acme",
    "time_zone": "Europe/London",
    "auto_provision": {
        "enabled": True,
        "require_call_center": False,
        "read_back": False,
        "fields": _FIELDS,
        "custom_fields": ["Region__c"],
    },
    "domains": {
        "primary": "acme.example",
        "company": ["acme-labs.example"],
        "additional": ["partner.example"],
        "convert": True,
    },
    "connections": {
        "salesforce": {
            "host": "acme.my.salesforce.com",
            "organization_id": "00D000000000062EAA",
            "api_version": "65.0",
            "login": "jwt_bearer",
            "secret": "muster/acme/another",
            "action_ids": ["04k000000000001AAA"],
        },
        "vault_crm": {
            "host": "acme-crm.veevavault.com",
            "api_version": "v25.3",
            "secret": "muster/acme/vault",
            "manage_features": ["engage", "engage_connect"],
            "match": "username",
            "statuses": {
                "engage": {name: f"{name}__c" for name in (*_EITHER, "no_licenses_remaining")},
                "engage_connect": {
                    name: f"{name}__c"
                    for name in (*_EITHER, "user_not_in_connect", "user_create_failed", "user_update_failed")
                },
            },
            "always_send_status": True,
            "client_id": "acme-muster",
        },
        "align": {
            "host": "acme-align.veevavault.com",
            "api_version": "v25.3",
            "secret": "muster/acme/desk",
        },
    },
    "field_maps": {
        "salesforce": {
            "username": {"first_valid_email": ["Email", "Username"]},
            "name": {"join": ["LastName", "FirstName"]},
            "title": "Job_Title__c",
            "picture_url": None,
        },
        "vault_crm": {
            "inbound": {
                "system": ["engage.group"],
                "custom": {"custom.Country": "country_code__v", "engage.request": None},
            },
            "outbound": {"system": ["engage.request", "engage_connect.request"]},
        },
    },
    "seats": {"gong": {"limit": 200}, "forecast": {"limit": 20, "requires": ["gong"]}},
    "seat_required": dict.fromkeys(_CAPTURES, "gong"),
    "assignments": [
        {
            "name": "Field sales",
            "filter": "Profile.Name = 'Sales' AND Country = 'GB'",
            "update_mode": "manual",
            "require_call_center": True,
            "seats": ["gong", {"field": "Extra_Seat__c", "map": {"Forecast": "forecast"}}],
            "workspaces": {"EMEA": "Team member", "AMER": {"field": "Role__c", "map": {"Lead": "Manager"}}},
            "data_capture": {
                **dict.fromkeys(_CAPTURES, "enabled"),
                "import_emails": {"field": "Region__c", "map": {"EMEA": "prevented", "AMER": "disabled"}},
            },
            "engage": {"group": "UK Field Force"},
            "engage_connect": {"group": {"field": "Country", "map": {"GB": "UK Connect"}}},
        }
    ],
    "managers": {"notify": True, "may_toggle_capture": True},
    "keep_active": {"when_deactivated": True, "when_unmatched": True, "grace_days": 14},
    "ignore_organizational_structure": True,
    "pending_edits": "overwrite",
    "guard": {
        "floor": 6,
        "count": 400,
        "percent": 11,
        "second_person": True,
        "operations": {
            name: {"floor": 1, "count": 2, "percent": 3}
            for name in ("create", "update", "deactivate", "grant", "revoke")
        },
    },
}
