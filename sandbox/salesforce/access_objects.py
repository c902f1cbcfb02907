"""What users may, beside User: who is frozen, who has a permission set, who is in a group.

A change of these is no change of the user: no stamp of User moves, and no flow on User runs.
Types and lengths: the object reference of the SOAP API.
"""

from sandbox.salesforce.ids import PREFIX
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.standard_objects import ID, STAMPS


def _field(name: str, kind: str, label: str, length: int = 0, *, nillable: bool = True) -> Field:
    return Field(name, kind, label, length, nillable=nillable, createable=False, updateable=False)


def _reference(name: str, label: str, to: str, relationship: str | None, *, nillable: bool = True) -> Field:
    return Field(
        name, "reference", label, 18, nillable, False, False, reference_to=to, relationship=relationship
    )


_LAST_MODIFIED = tuple(each for each in STAMPS if each.name.startswith("LastModified"))
_MODSTAMP = tuple(each for each in STAMPS if each.name == "SystemModstamp")

USER_LOGIN = SObject(
    "UserLogin",
    "User Login",
    PREFIX["UserLogin"],
    (
        ID,
        _reference("UserId", "User ID", "User", None),
        _field("IsFrozen", "boolean", "Is Frozen", nillable=False),
        _field("IsPasswordLocked", "boolean", "Is Password Locked", nillable=False),
        *_LAST_MODIFIED,
    ),
)

PERMISSION_SET = SObject(
    "PermissionSet",
    "Permission Set",
    PREFIX["PermissionSet"],
    (
        ID,
        _field("Name", "string", "Permission Set Name", 80, nillable=False),
        _field("Label", "string", "Permission Set Label", 80, nillable=False),
        _field("IsOwnedByProfile", "boolean", "Is Owned By Profile", nillable=False),
        _reference("ProfileId", "Profile ID", "Profile", "Profile"),
        *STAMPS,
    ),
)

PERMISSION_SET_ASSIGNMENT = SObject(
    "PermissionSetAssignment",
    "Permission Set Assignment",
    PREFIX["PermissionSetAssignment"],
    (
        ID,
        _reference("PermissionSetId", "PermissionSet ID", "PermissionSet", "PermissionSet"),
        _reference("AssigneeId", "Assignee ID", "User", "Assignee", nillable=False),
        _field("ExpirationDate", "datetime", "Date Expired"),
        _field("IsActive", "boolean", "Is Active", nillable=False),
        *_MODSTAMP,
    ),
)

GROUP = SObject(
    "Group",
    "Group",
    PREFIX["Group"],
    (
        ID,
        _field("Name", "string", "Name", 40, nillable=False),
        _field("DeveloperName", "string", "Developer Name", 80),
        _field("Type", "picklist", "Type", 40, nillable=False),
        *STAMPS,
    ),
)

GROUP_MEMBER = SObject(
    "GroupMember",
    "Group Member",
    PREFIX["GroupMember"],
    (
        ID,
        _reference("GroupId", "Group ID", "Group", "Group", nillable=False),
        # A user or a group, so that no path leads on from it.
        _reference("UserOrGroupId", "User/Group ID", "User", None, nillable=False),
        *_MODSTAMP,
    ),
)

ACCESS_OBJECTS = (USER_LOGIN, PERMISSION_SET, PERMISSION_SET_ASSIGNMENT, GROUP, GROUP_MEMBER)
