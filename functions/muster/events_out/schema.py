"""The JSON Schema of member events, for consumers: `python -m muster.events_out.schema` prints it.

`docs/events/member_events.schema.json` is the output of this module; a test compares them, and holds each
event to it.
"""

import json
from typing import Any

from muster.crm.engage_features import FEATURES
from muster.events_out.bus_events import NAMED, SCHEMA_VERSION, WITH_VALUES
from muster.roster.member_events import Kind

type _Schema = dict[str, Any]

_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_SAYS = {
    Kind.MEMBER_CREATED: "Somebody is a member who was none, active or not.",
    Kind.MEMBER_UPDATED: "Something of a member changed, its accounts in apps among it.",
    Kind.MEMBER_DEACTIVATED: "A member is inactive now; before and after say why it is.",
    Kind.MEMBER_REACTIVATED: "A member is active again; before says why it was not.",
    Kind.SEAT_GRANTED: "A member holds a seat now; before and after are its states.",
    Kind.SEAT_REVOKED: "A member holds a seat no more; before and after are its states.",
    Kind.SEAT_WAITING: "A member waits for a seat; before and after are its states.",
    Kind.LICENCE_GRANTED: "A member is in an Engage group of Vault CRM; before and after are the groups.",
    Kind.LICENCE_REVOKED: "A member is not in an Engage group any more; before and after are the groups.",
    Kind.MANAGER_CHANGED: "A member has another manager; before and after are the managers' member ids.",
}
_FIELD = "As in the history: title, seats.<seat>.state, accounts.<app>.state (active, inactive, to_adopt, …)."
_CHANGE = {
    "type": "object",
    "description": "A field that changed; with its values where the settings say events.personal_data.",
    "properties": {"field": {**_TEXT, "description": _FIELD}, "before": {}, "after": {}},
    "required": ["field"],
    "additionalProperties": False,
}
_COMMON: _Schema = {
    "schema_version": {"const": SCHEMA_VERSION},
    "id": {**_TEXT, "description": "The same each time the event comes; drop what you have had."},
    "organization": _TEXT,
    "member": {**_TEXT, "description": "The member's id."},
    "version": {
        "type": "integer",
        "minimum": 1,
        "description": "Counts the member's changes without a gap. Several events may have one.",
    },
    "at": {**_TEXT, "format": "date-time", "description": "When it was recorded."},
    "origin": {**_TEXT, "description": "Whose values: crm, align, assignment:<name>, manual or manager."},
    "run": {**_TEXT, "description": "What brought it, such as run:<id> or webhook:<notification>."},
}
_LAST: _Schema = {
    "changes": {"type": "array", "items": _CHANGE},
    "truncated": {
        "type": "boolean",
        "description": "Whether changes lack something for size.",
    },
}


def text() -> str:
    """Return the text of the published schema file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Member events of Muster, as EventBridge delivers them",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in Kind],
        "$defs": {kind: _event(kind) for kind in Kind},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _event(kind: Kind) -> _Schema:
    return {
        "type": "object",
        "description": _SAYS[kind],
        "properties": {
            "source": {**_TEXT, "description": "The stack's name."},
            "detail-type": {"const": kind},
            "time": {**_TEXT, "format": "date-time"},
            "detail": _detail(kind),
        },
        "required": ["source", "detail-type", "time", "detail"],
    }


def _detail(kind: Kind) -> _Schema:
    named = {"feature": {"enum": sorted(FEATURES)}, "seat": _TEXT}
    of = {NAMED[kind]: named[NAMED[kind]]} if kind in NAMED else {}
    values = {"before": _MAYBE, "after": _MAYBE} if kind in WITH_VALUES else {}
    properties = {**_COMMON, **of, **values, **_LAST}
    # What is added later does not make an event another one.
    return {"type": "object", "properties": properties, "required": [*properties]}


if __name__ == "__main__":
    print(text(), end="")
