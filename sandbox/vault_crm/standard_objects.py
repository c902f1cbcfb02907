"""The objects of a CRM vault and of an Align vault, as far as user management needs them, and the picklists.

The names of status values and of Engage fields stand here and in `engage`, nowhere else.
"""

from typing import Any

from sandbox.vault_crm.schema import Field, Schema, VObject

USER = "user__sys"
ROSTER_MEMBER = "roster_member__aln"
PROVISIONING_STATUS = "engage_group_provisioning_status__v"
CONNECT_STATUS = "engage_connect_group_status__v"


def _text(name: str, label: str, length: int = 255, **more: Any) -> Field:
    return Field(name, "String", label, length, **more)


def _picklist(name: str, label: str, picklist: str | None = None, default: str | None = None) -> Field:
    return Field(name, "Picklist", label, picklist=picklist or name, default=default)


def _reference(name: str, label: str) -> Field:
    return Field(name, "Object", label, required=True, reference_to=name)


def _object(name: str, label: str, prefix: str, *fields: Field) -> VObject:
    """Return an object with the fields that every one has around its own."""
    first = (
        Field("id", "ID", "ID", 20, editable=False, unique=True),
        _picklist("status__v", "Status", default="active__v"),
    )
    last = (
        Field("created_date__v", "DateTime", "Created Date", editable=False),
        Field("modified_date__v", "DateTime", "Last Modified Date", editable=False, indexed=True),
    )
    return VObject(name, label, prefix, (*first, *fields, *last))


def _user(*more: Field) -> VObject:
    return _object(
        USER,
        "User",
        "",
        _text("name__v", "Name", editable=False),
        _text("username__sys", "User Name", required=True, unique=True),
        _text("email__sys", "Email", required=True, indexed=True),
        _text("first_name__sys", "First Name", required=True),
        _text("last_name__sys", "Last Name", required=True),
        _text("alias__sys", "Alias", 40),
        _text("title__sys", "Title"),
        _text("company__sys", "Company"),
        _text("office_phone__sys", "Office Phone", 40),
        _text("mobile_phone__sys", "Mobile Phone", 40),
        _text("federated_id__sys", "Federated ID"),
        _reference("language__sys", "Language"),
        _reference("locale__sys", "Locale"),
        Field("timezone__sys", "Picklist", "Timezone", required=True, picklist="timezone__sys"),
        _reference("security_profile__sys", "Security Profile"),
        _picklist("license_type__sys", "License Type", default="full__v"),
        Field("activation_date__sys", "Date", "Activation Date"),
        Field("send_welcome_email__sys", "Boolean", "Send Welcome Email on Activation Date"),
        Field("last_login__sys", "DateTime", "Last Login", editable=False),
        Field("domain_user_id__sys", "Number", "Domain User ID", editable=False),
        *more,
    )


_CRM_USER_FIELDS = (
    _text("country_code__v", "Country Code", 10),
    _picklist("user_type__v", "User Type"),
    _text("street__v", "Street"),
    _text("city__v", "City"),
    _text("country__v", "Country"),
    _text("engage_group_request__v", "Engage Group Request"),
    _picklist(PROVISIONING_STATUS, "Engage Group Provisioning Status"),
    _text("engage_group__v", "Engage Group"),
    _text("remote_meeting_host_id__v", "Remote Meeting Host ID"),
    _text("remote_meeting_host_token__v", "Remote Meeting Host Token", 1500),
    _text("engage_connect_group_request__v", "Engage Connect Group Request"),
    _picklist(CONNECT_STATUS, "Engage Connect Group Status"),
    _text("engage_connect_group__v", "Engage Connect Group"),
)
_ROSTER_MEMBER = _object(
    ROSTER_MEMBER,
    "Roster Member",
    "V4R",
    _text("name__v", "Name", required=True),
    _text("username__aln", "Username", unique=True),
    _text("email__aln", "Email", indexed=True),
    _picklist("crm_user_status__aln", "CRM User Status", default="active__aln"),
    Field("end_date__aln", "Date", "End Date"),
    _text("engage_group_request__aln", "Engage Group Request"),
    _picklist("engage_group_provisioning_status__aln", "Engage Group Provisioning Status"),
    _text("engage_group__aln", "Engage Group"),
    _text("engage_connect_group_request__aln", "Engage Connect Group Request"),
    _picklist("engage_connect_group_status__aln", "Engage Connect Group Status"),
    _text("engage_connect_group__aln", "Engage Connect Group"),
)


def _named(name: str, label: str, prefix: str, *more: Field) -> VObject:
    return _object(name, label, prefix, _text("name__v", "Name", required=True), *more)


_SETUP = (
    _named("language__sys", "Language", "0LU", _text("admin_key__sys", "Admin Key", unique=True)),
    _named("locale__sys", "Locale", "0LO", _text("admin_key__sys", "Admin Key", unique=True)),
    _named("security_profile__sys", "Security Profile", "0SP", _text("profile_key__sys", "Key", unique=True)),
)
_CRM_DATA = (
    _named("account__v", "Account", "V1A"),
    _named("address__v", "Address", "V1D"),
    _named("child_account__v", "Child Account", "V1C"),
    _named("product_metrics__v", "Product Metrics", "V1M"),
    _named("territory__v", "Territory", "V1T"),
)
_KINDS = {
    "crm": (_user(*_CRM_USER_FIELDS), *_SETUP, *_CRM_DATA),
    "align": (_user(), *_SETUP, _ROSTER_MEMBER),
}
KINDS = tuple(_KINDS)


def standard_schema(kind: str) -> Schema:
    """Return the objects of a vault of this kind, `crm` or `align`, by their names."""
    return {each.name: each for each in _KINDS[kind]}


_REQUEST_LABELS = {
    "retry_request": "Retry Request",
    "request_sent": "Request Sent",
    "no_licenses_remaining": "No Licenses Remaining",
    "invalid_group_name": "Invalid Group Name",
    "user_not_in_connect": "User not in Connect",
    "user_create_failed": "User Create Failed",
    "user_update_failed": "User Update Failed",
    "request_failed": "Request Failed",
    "success": "Success",
}
_CONNECT_ONLY = ("user_not_in_connect", "user_create_failed", "user_update_failed")
_ENGAGE_ONLY = ("no_licenses_remaining",)


def _statuses(suffix: str, without: tuple[str, ...]) -> dict[str, str]:
    return {f"{name}{suffix}": label for name, label in _REQUEST_LABELS.items() if name not in without}


def standard_picklists() -> dict[str, dict[str, str]]:
    """Return the values of each picklist, name → label, as a correctly configured vault has them."""
    zones = ("america_los_angeles", "america_new_york", "europe_berlin", "europe_london", "asia_tokyo")
    return {
        "status__v": {"active__v": "Active", "inactive__v": "Inactive"},
        "license_type__sys": {"full__v": "Full User", "read_only__v": "Read-Only User"},
        "timezone__sys": {f"{zone}__sys": zone.replace("_", " ").title() for zone in zones},
        "user_type__v": {"sales__v": "Sales", "medical__v": "Medical", "key_account_manager__v": "KAM"},
        PROVISIONING_STATUS: _statuses("__v", _CONNECT_ONLY),
        CONNECT_STATUS: _statuses("__v", _ENGAGE_ONLY),
        "crm_user_status__aln": {"active__aln": "Active", "inactive__aln": "Inactive"},
        "engage_group_provisioning_status__aln": _statuses("__aln", _CONNECT_ONLY),
        "engage_connect_group_status__aln": _statuses("__aln", _ENGAGE_ONLY),
    }
