"""The profiles, licences, roles and call centers that every organization has, under the same ids everywhere.

A real organization makes them in Setup, which the sandbox does not have. Any other id of the right prefix is
accepted on a User as well.
"""

from sandbox.salesforce.ids import PREFIX, numbered


def _ids(object_name: str, names: tuple[str, ...]) -> dict[str, str]:
    return {name: numbered(PREFIX[object_name], "000", place) for place, name in enumerate(names, start=1)}


PROFILES = _ids(
    "Profile",
    (
        "System Administrator",
        "Standard User",
        "Sales",
        "Service",
        "Marketing",
        "Minimum Access - API Only Integrations",
        "Partner Community User",
    ),
)
LICENSES = _ids("UserLicense", ("Salesforce", "Salesforce Integration", "Partner Community"))
ROLES = _ids("UserRole", ("CEO", "Sales Manager EMEA", "Sales Rep EMEA", "Sales Manager US", "Sales Rep US"))
CALL_CENTERS = _ids("CallCenter", ("Main Call Center", "US Call Center"))

_PARENT_ROLE = {
    "Sales Manager EMEA": "CEO",
    "Sales Rep EMEA": "Sales Manager EMEA",
    "Sales Manager US": "CEO",
    "Sales Rep US": "Sales Manager US",
}
_LICENSE = {
    "Minimum Access - API Only Integrations": "Salesforce Integration",
    "Partner Community User": "Partner Community",
}
_LICENSE_KEY = {
    "Salesforce": "SFDC",
    "Salesforce Integration": "PID_Salesforce_Integration",
    "Partner Community": "PID_Partner_Community",
}
_USER_TYPE = {"Partner Community User": "PowerPartner"}


def setup_records() -> dict[str, list[dict[str, str | None]]]:
    """Return the records by object, without their system fields."""
    return {
        "Profile": [
            {
                "Id": record_id,
                "Name": name,
                "UserLicenseId": LICENSES[_LICENSE.get(name, "Salesforce")],
                "UserType": _USER_TYPE.get(name, "Standard"),
            }
            for name, record_id in PROFILES.items()
        ],
        "UserLicense": [
            {"Id": record_id, "Name": name, "LicenseDefinitionKey": _LICENSE_KEY[name]}
            for name, record_id in LICENSES.items()
        ],
        "UserRole": [
            {
                "Id": record_id,
                "Name": name,
                "DeveloperName": name.replace(" ", "_"),
                "ParentRoleId": ROLES[_PARENT_ROLE[name]] if name in _PARENT_ROLE else None,
            }
            for name, record_id in ROLES.items()
        ],
        "CallCenter": [
            {"Id": record_id, "Name": name, "InternalName": name.replace(" ", "")}
            for name, record_id in CALL_CENTERS.items()
        ],
    }
