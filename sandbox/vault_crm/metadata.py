"""What the API says about objects and fields."""

from typing import Any

from sandbox.vault_crm.schema import Field, VObject


def described(field: Field, *, editable: bool) -> dict[str, Any]:
    """Return a field's metadata; `editable` is whether the user who asks may set it."""
    body: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "unique": field.unique,
        "editable": editable,
        "status": ["active__v"],
        "source": "standard",
    }
    if field.max_length:
        body["max_length"] = field.max_length
    if field.picklist:
        body |= {"picklist": field.picklist, "multi_value": False}
    if field.reference_to:
        body["object"] = {"name": field.reference_to, "url": f"/metadata/vobjects/{field.reference_to}"}
        body["relationship_name"] = field.relationship
    return body


def described_object(vobject: VObject, fields: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an object's metadata with that of its fields."""
    return {
        "name": vobject.name,
        "label": vobject.label,
        "label_plural": f"{vobject.label}s",
        "prefix": vobject.prefix,
        "status": ["active__v"],
        "fields": fields,
    }
