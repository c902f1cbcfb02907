"""Acme's settings for chapters 3 to 5: what an admin of Muster writes for `sandbox.company`."""

import copy
from typing import Any

from sandbox.company import CONTRACTORS_DOMAIN, DOMAIN

type Document = dict[str, Any]

CONTRACTORS: Document = {
    "name": "Contractors",
    "filter": f"Email LIKE '%@{CONTRACTORS_DOMAIN}'",
    "require_call_center": False,
    "workspaces": {"EMEA": "Guest"},
    "data_capture": {"record_web_conferences": "prevented", "import_emails": "prevented"},
}
FIELD_SALES: Document = {
    "name": "Field sales",
    "filter": "Profile.Name = 'Sales' AND Country IN ('DE', 'GB')",
    "require_call_center": False,
    "seats": ["gong", {"field": "Extra_Seat__c", "map": {"Forecast": "forecast"}}],
    "workspaces": {
        "EMEA": {"field": "Title", "map": {"Sales Manager": "Manager", "Account Executive": "Team member"}}
    },
    "data_capture": {
        "record_web_conferences": "enabled",
        "import_emails": {"field": "Import_Emails__c", "map": {"true": "enabled", "false": "prevented"}},
    },
}
SUPPORT: Document = {
    "name": "Support",
    "filter": "Department = 'Support'",
    "update_mode": "manual",
    "seats": ["gong"],
    "workspaces": {"EMEA": "Team member"},
    "data_capture": {"record_web_conferences": "enabled"},
}
SECTIONS: Document = {
    "domains": {"primary": DOMAIN, "company": [DOMAIN], "additional": [CONTRACTORS_DOMAIN]},
    "seats": {"gong": {"limit": 120}, "forecast": {"limit": 12, "requires": ["gong"]}},
    "seat_required": {"record_web_conferences": "gong", "import_emails": "gong"},
    # The uppermost that matches decides: a contractor in sales is a contractor.
    "assignments": [CONTRACTORS, FIELD_SALES, SUPPORT],
    "managers": {"notify": True, "may_toggle_capture": True},
}


def narrowed(settings: Document, condition: str) -> Document:
    """Return the settings with each assignment's filter narrowed by one more condition."""
    narrower = copy.deepcopy(settings)
    for assignment in narrower["assignments"]:
        assignment["filter"] = f"({assignment['filter']}) AND {condition}"
    return narrower
