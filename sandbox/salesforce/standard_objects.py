"""The standard objects: User as far as provisioning goes, and what a User refers to.

Types and lengths: the object reference of the SOAP API, User.
"""

from sandbox.salesforce.ids import PREFIX
from sandbox.salesforce.schema import Field, Schema, SObject, custom_field


def _text(name: str, length: int, label: str, kind: str = "string") -> Field:
    return Field(name, kind, label, length)


def _required(name: str, length: int, label: str, kind: str = "string", *, unique: bool = False) -> Field:
    return Field(name, kind, label, length, nillable=False, unique=unique)


def _checkbox(name: str, label: str) -> Field:
    return Field(name, "boolean", label, nillable=False, defaulted=True)


def _read_only(name: str, kind: str, label: str, length: int = 0, *, nillable: bool = True) -> Field:
    return Field(name, kind, label, length, nillable=nillable, createable=False, updateable=False)


def _reference(name: str, label: str, to: str, relationship: str | None) -> Field:
    return Field(name, "reference", label, 18, reference_to=to, relationship=relationship)


def _read_only_reference(name: str, label: str, to: str, relationship: str) -> Field:
    return Field(name, "reference", label, 18, True, False, False, reference_to=to, relationship=relationship)


def _system_reference(name: str, label: str, relationship: str) -> Field:
    return Field(name, "reference", label, 18, False, False, False, False, False, "User", relationship)


ID = _read_only("Id", "id", "Record ID", 18, nillable=False)
STAMPS = (
    _read_only("CreatedDate", "datetime", "Created Date", nillable=False),
    _system_reference("CreatedById", "Created By ID", "CreatedBy"),
    _read_only("LastModifiedDate", "datetime", "Last Modified Date", nillable=False),
    _system_reference("LastModifiedById", "Last Modified By ID", "LastModifiedBy"),
    _read_only("SystemModstamp", "datetime", "System Modstamp", nillable=False),
)

USER = SObject(
    "User",
    "User",
    PREFIX["User"],
    (
        ID,
        _required("Username", 80, "Username", unique=True),
        _required("LastName", 80, "Last Name"),
        _text("FirstName", 40, "First Name"),
        _read_only("Name", "string", "Full Name", 121, nillable=False),
        _text("CompanyName", 80, "Company Name"),
        _text("Division", 80, "Division"),
        _text("Department", 80, "Department"),
        _text("Title", 80, "Title"),
        _text("Street", 255, "Street", "textarea"),
        _text("City", 40, "City"),
        _text("State", 80, "State/Province"),
        _text("PostalCode", 20, "Zip/Postal Code"),
        _text("Country", 80, "Country"),
        Field("Latitude", "double", "Latitude"),
        Field("Longitude", "double", "Longitude"),
        _required("Email", 128, "Email", "email"),
        _text("SenderEmail", 80, "Email Sender Address", "email"),
        _text("SenderName", 80, "Email Sender Name"),
        _text("Signature", 1333, "Email Signature", "textarea"),
        _text("Phone", 40, "Phone", "phone"),
        _text("Fax", 40, "Fax", "phone"),
        _text("MobilePhone", 40, "Mobile", "phone"),
        _required("Alias", 8, "Alias"),
        Field("CommunityNickname", "string", "Nickname", 40, nillable=False, unique=True, defaulted=True),
        _checkbox("IsActive", "Active"),
        _required("TimeZoneSidKey", 40, "Time Zone", "picklist"),
        _reference("UserRoleId", "Role ID", "UserRole", "UserRole"),
        _required("LocaleSidKey", 40, "Locale", "picklist"),
        _checkbox("ReceivesInfoEmails", "Info Emails"),
        _checkbox("ReceivesAdminInfoEmails", "Admin Info Emails"),
        _required("EmailEncodingKey", 40, "Email Encoding", "picklist"),
        Field(
            "ProfileId",
            "reference",
            "Profile ID",
            18,
            nillable=False,
            reference_to="Profile",
            relationship="Profile",
        ),
        _read_only("UserType", "picklist", "User Type", 40),
        _required("LanguageLocaleKey", 40, "Language", "picklist"),
        _text("EmployeeNumber", 20, "Employee Number"),
        _reference("ManagerId", "Manager ID", "User", "Manager"),
        _read_only("LastLoginDate", "datetime", "Last Login"),
        *STAMPS,
        _checkbox("UserPermissionsMarketingUser", "Marketing User"),
        _checkbox("UserPermissionsCallCenterAutoLogin", "Auto-login To Call Center"),
        _checkbox("UserPermissionsSupportUser", "Service Cloud User"),
        _checkbox("ForecastEnabled", "Allow Forecasting"),
        _text("Extension", 40, "Extension", "phone"),
        # Salesforce gives this reference no relationship name: no CallCenter.Name of a User in SOQL.
        _reference("CallCenterId", "Call Center ID", "CallCenter", None),
        _text("FederationIdentifier", 512, "SAML Federation ID"),
        _text("AboutMe", 1000, "About Me", "textarea"),
        _read_only("FullPhotoUrl", "url", "Url for full-sized Photo", 1024),
        _read_only("SmallPhotoUrl", "url", "Photo", 1024),
        _read_only("MediumPhotoUrl", "url", "Url for medium profile photo", 1024),
        _text("OutOfOfficeMessage", 40, "Out of office message"),
        _read_only("LastPasswordChangeDate", "datetime", "Last Password Change or Reset"),
        # Only users of a portal have these; what they refer to is not in this sandbox.
        _read_only_reference("ContactId", "Contact ID", "Contact", "Contact"),
        _read_only_reference("AccountId", "Account ID", "Account", "Account"),
        _checkbox("UserPermissionsOfflineUser", "Offline User"),
        _checkbox("UserPermissionsKnowledgeUser", "Knowledge User"),
        _checkbox("UserPermissionsInteractionUser", "Flow User"),
        _checkbox("UserPermissionsSFContentUser", "Salesforce CRM Content User"),
        _checkbox("UserPermissionsMobileUser", "Apex Mobile User"),
        _checkbox("EmailPreferencesAutoBcc", "AutoBcc"),
    ),
    createable=True,
)

PROFILE = SObject(
    "Profile",
    "Profile",
    PREFIX["Profile"],
    (
        ID,
        _read_only("Name", "string", "Name", 255, nillable=False),
        _read_only_reference("UserLicenseId", "User License ID", "UserLicense", "UserLicense"),
        _read_only("UserType", "picklist", "User Type", 40),
        _read_only("Description", "string", "Description", 255),
        *STAMPS,
    ),
)

USER_LICENSE = SObject(
    "UserLicense",
    "User License",
    PREFIX["UserLicense"],
    (
        ID,
        _read_only("Name", "string", "Name", 40, nillable=False),
        _read_only("LicenseDefinitionKey", "string", "License Def. ID", 40, nillable=False),
        *(each for each in STAMPS if not each.name.endswith("ById")),
    ),
)

USER_ROLE = SObject(
    "UserRole",
    "Role",
    PREFIX["UserRole"],
    (
        ID,
        _read_only("Name", "string", "Name", 80, nillable=False),
        _read_only("DeveloperName", "string", "Developer Name", 80, nillable=False),
        Field("ParentRoleId", "reference", "Parent Role ID", 18, True, False, False, reference_to="UserRole"),
        *(each for each in STAMPS if not each.name.startswith("Created")),
    ),
)

CALL_CENTER = SObject(
    "CallCenter",
    "Call Center",
    PREFIX["CallCenter"],
    (
        ID,
        _read_only("Name", "string", "Name", 80, nillable=False),
        _read_only("InternalName", "string", "Internal Name", 80, nillable=False),
        *STAMPS,
    ),
)

# Custom fields that the organization has from the start.
CUSTOM_FIELDS = (
    custom_field("Region__c", "Text"),
    custom_field("Extra_Seat__c", "Text"),
    custom_field("Import_Emails__c", "Checkbox"),
)


def standard_schema(*more: SObject) -> Schema:
    """Return the objects of a new organization, and `more` of them."""
    schema = Schema((USER, PROFILE, USER_LICENSE, USER_ROLE, CALL_CENTER, *more))
    for each in CUSTOM_FIELDS:
        schema.add("User", each)
    return schema
