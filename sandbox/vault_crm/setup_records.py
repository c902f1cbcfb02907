"""The records that are there from the start, under the same ids everywhere.

Languages, locales and security profiles; the users who belong to Vault itself; and the integration user.
"""

from sandbox.vault_crm.values import Stored

INTEGRATION_USER = "10000"
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "ja": "Japanese"}
_LOCALES = {"en_US": "United States", "en_GB": "United Kingdom", "de_DE": "Germany", "fr_FR": "France"}
SECURITY_PROFILES = {
    "vaultOwner": "Vault Owner",
    "systemAdmin": "System Administrator",
    "businessAdmin": "Business Administrator",
    "documentUser": "Document User",
    "readOnlyUser": "Read-Only User",
}
# Users refer to these.
ENGLISH, ENGLISH_US = "0LU000000000001", "0LO000000000001"
VAULT_OWNER, DOCUMENT_USER = "0SP000000000001", "0SP000000000004"

type Record = dict[str, Stored]


def setup_records() -> dict[str, list[Record]]:
    """Return the records by object, without those of users."""
    return {
        "language__sys": _keyed("0LU", "admin_key__sys", LANGUAGES),
        "locale__sys": _keyed("0LO", "admin_key__sys", _LOCALES),
        "security_profile__sys": _keyed("0SP", "profile_key__sys", SECURITY_PROFILES),
    }


def setup_users(username: str) -> list[tuple[Record, bool]]:
    """Return the users of Vault itself and the integration user, each with whether Vault owns it."""
    system = _user("1", "System", "System", "System")
    application = _user("60", "ApplicationOwner", "Application", "Owner")
    service = _user("61", "JavaSDKServiceAccount", "Java SDK", "Service Account")
    integration = _user(INTEGRATION_USER, username, "Integration", "User")
    return [
        (system | {"status__v": "inactive__v"}, True),
        (application, True),
        (service, True),
        (integration, False),
    ]


def security_profile_name(key: str) -> str:
    """Return the name that the legacy users API has for a profile: `vault_owner__v` for vaultOwner."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key) + "__v"


def _keyed(prefix: str, key: str, names: dict[str, str]) -> list[Record]:
    return [
        {"id": f"{prefix}{number:012d}", "name__v": label, key: name, "status__v": "active__v"}
        for number, (name, label) in enumerate(names.items(), 1)
    ]


def _user(user_id: str, username: str, first: str, last: str) -> Record:
    return {
        "id": user_id,
        "name__v": f"{first} {last}",
        "username__sys": username,
        "email__sys": username if "@" in username else f"{username.lower()}@vault.example",
        "first_name__sys": first,
        "last_name__sys": last,
        "status__v": "active__v",
        "license_type__sys": "full__v",
        "language__sys": ENGLISH,
        "locale__sys": ENGLISH_US,
        "timezone__sys": "europe_london__sys",
        "security_profile__sys": VAULT_OWNER,
        "domain_user_id__sys": int(user_id),
    }
