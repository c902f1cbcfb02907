"""Fields and status names of the roster in an Align vault (G9)."""

from muster.crm import engage_features, vault_fields

OBJECT = "roster_member__aln"
CHANGED = "modified_date__v"

# Align's fields are named like those of Vault CRM, and its statuses like Muster's codes, with this ending.
_ENDING = "__aln"
NAME_FIELDS = {"email": "email__aln", "username": "username__aln"}


def _field(vault_crm_field: str) -> str:
    return vault_crm_field.removesuffix("__v") + _ENDING


def request_field(feature: str) -> str:
    """Return the field in which admins request a group."""
    return _field(vault_fields.request_field(feature))


def status_field(feature: str) -> str:
    """Return the field with Retry Request, or with the outcome of the request."""
    return _field(vault_fields.status_field(feature))


def group_field(feature: str) -> str:
    """Return the field with the group that the user is in."""
    return _field(vault_fields.group_field(feature))


def api_name(code: str) -> str:
    """Return Align's name of a status."""
    return code + _ENDING


def status_code(feature: str, name: str) -> str:
    """Return Muster's code of a status, or the value itself where it is unknown (G3)."""
    code = name.lower().removesuffix(_ENDING)
    return code if code in engage_features.STATUSES[feature] else name
