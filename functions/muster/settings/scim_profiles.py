"""What is known of SCIM targets, by profile: data, from their documentation and from reports (O2).

`docs/settings.md` names the sources of each. What a profile does not say is as the RFC has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from muster.crm.scim_dialect import RFC, Dialect

GONG = "urn:ietf:params:scim:schemas:extension:Gong:2.0:User"

# Attribute of the user there → attribute of the member, where the settings do not say otherwise.
_ATTRIBUTES = {
    "userName": "email",
    "name.givenName": "first_name",
    "name.familyName": "last_name",
    "displayName": "name",
    "emails.work": "email",
    "title": "title",
    "phoneNumbers.work": "phone_numbers.other",
    "phoneNumbers.mobile": "phone_numbers.mobile",
    "locale": "locale",
    "preferredLanguage": "language",
    "timezone": "time_zone",
}
_NAMES_AND_ADDRESS = ("name.givenName", "name.familyName", "emails.work")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of target takes and does, and which attributes it is given by default."""

    dialect: Dialect
    attributes: Mapping[str, str]


def _attributes(*left_out: str) -> dict[str, str]:
    return {name: source for name, source in _ATTRIBUTES.items() if name not in left_out}


PROFILES: Mapping[str, Profile] = {
    "generic": Profile(RFC, _ATTRIBUTES),
    "gong": Profile(
        Dialect(
            filterable=frozenset({"userName", "displayName"}),
            requires=_NAMES_AND_ADDRESS,
            allows=frozenset(
                {
                    *_attributes("displayName", "phoneNumbers.mobile", "preferredLanguage"),
                    f"{GONG}:stateOrProvince",
                    f"{GONG}:country",
                }
            ),
            deletes_users="refused",
        ),
        _attributes("displayName", "phoneNumbers.mobile", "preferredLanguage"),
    ),
    "slack": Profile(
        # 180 writes a minute are shared by every SCIM client of the workspace.
        Dialect(requires=("emails.work",), deletes_users="deactivates", calls_a_minute=150),
        _ATTRIBUTES,
    ),
    "aws_identity_center": Profile(
        # A list shows fifty rows and says that there are no more.
        Dialect(
            lists_whole=False,
            page_size=50,
            requires=(*_NAMES_AND_ADDRESS, "displayName"),
            value_paths=False,
        ),
        _attributes("phoneNumbers.mobile"),
    ),
    "github_emu": Profile(
        # A thousand users an hour. Who is deleted there is gone for good, with the account's name.
        Dialect(requires=_NAMES_AND_ADDRESS, deletes_users="for_good", calls_a_minute=16),
        {name: _ATTRIBUTES[name] for name in ("userName", *_NAMES_AND_ADDRESS, "displayName")},
    ),
    # What any target takes that has SCIM at all: one thing a call, found by name alone.
    "strict": Profile(
        Dialect(
            filterable=frozenset({"userName", "displayName"}),
            lists_whole=False,
            value_paths=False,
            operations_a_call=1,
            members_a_call=1,
        ),
        {name: _ATTRIBUTES[name] for name in ("userName", *_NAMES_AND_ADDRESS, "displayName")},
    ),
}
