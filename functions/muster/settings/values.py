"""The kinds of value in settings, and the base class of their sections.

Each kind is an annotated type: it validates, names the remedy, and carries the pattern and the examples
that the JSON Schema shows in editors.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from muster.crm import salesforce_ids, soql_filters
from muster.crm.salesforce_fields import DOMAIN
from muster.crm.vault_fields import FIELD_NAME, NEVER_MAPPED, why_never_written
from muster.validation import did_you_mean, refused

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Names that lead into a network of somebody's own, never to an app on the internet.
_PRIVATE_DOMAINS = frozenset({"arpa", "home", "internal", "intranet", "lan", "local", "localhost", "private"})
_LOOPBACK = r"(127\.0\.0\.1|localhost):[1-9][0-9]{0,4}"
_STANDARD_FIELD = r"[A-Za-z](_?[A-Za-z0-9])*"
# A namespace and its two underscores may stand before a packaged field: npe01__Region__c.
_CUSTOM_FIELD = r"([A-Za-z](_?[A-Za-z0-9]){0,14}__)?[A-Za-z](_?[A-Za-z0-9])*__c"
_ANY_FIELD = rf"({_STANDARD_FIELD}|{_CUSTOM_FIELD})"
# Readable text: no control characters, no blanks at the ends.
_NAME = r"[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?"

DEFAULT_FIELDS = (
    "Id",
    "SystemModstamp",
    "LastModifiedDate",
    "Username",
    "Email",
    "FirstName",
    "LastName",
    "Title",
    "Phone",
    "MobilePhone",
    "Extension",
    "IsActive",
    "CallCenterId",
    "LanguageLocaleKey",
    "LocaleSidKey",
    "TimeZoneSidKey",
    "SmallPhotoUrl",
    "ProfileId",
    "UserRoleId",
    "UserType",
    "ManagerId",
)


class Section(BaseModel):
    """A set of keys: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


Item = TypeVar("Item")
# The one conversion: lists become tuples, because JSON and YAML have only lists.
Listed = Annotated[tuple[Item, ...], Strict(False)]

_SPELLINGS = {name.lower(): name for name in DEFAULT_FIELDS}


def no_duplicates[Values: tuple[Any, ...]](values: Values) -> Values:
    """Return the list; raises a validator's error if it holds something twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise refused(f"holds {', '.join(twice)} twice", "Write each once.")
    return values


def _of_form(pattern: str, message: str, remedy: str) -> AfterValidator:
    """Return a validator that matches the whole text against `pattern`."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise refused(message, remedy)
        return value

    return AfterValidator(check)


def _text(pattern: str, message: str, remedy: str, *examples: str, longest: int = 255) -> Any:
    """Return the annotations of a text with that pattern, for validation and the JSON Schema."""
    return (
        Field(max_length=longest, examples=list(examples), json_schema_extra={"pattern": f"^{pattern}$"}),
        _of_form(pattern, message, remedy),
    )


def _time_zone(value: str) -> str:
    try:
        # Names without a slash differ between machines; only these two are the same everywhere.
        if value in ("UTC", "GMT") or "/" in value:
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise refused("is not a time zone", did_you_mean(value, available_timezones()))


def _host(suffix: str, remedy: Callable[[str], str]) -> Callable[[str], str]:
    """Return a validator for a host under `suffix`: an allow-list, so that no call goes elsewhere (T3).

    `remedy` returns which host is meant by another one.
    """
    form = re.compile(rf"({_LABEL}\.)+{re.escape(suffix[1:])}|{_LOOPBACK}")

    def check(value: str) -> str:
        if not form.fullmatch(value) or (":" in value and int(value.rpartition(":")[2]) > 65_535):
            raise refused(
                f"is not a host that ends in {suffix}",
                f"{remedy(value)}Write the host alone, in lower case, without https:// and path"
                " (127.0.0.1 or localhost with a port is for the local stack).",
            )
        return value

    return check


def _my_domain(host: str) -> str:
    """Return which host of Salesforce is meant where another is written: that of My Domain."""
    what = "It is the org's My Domain, under Setup, My Domain, Current My Domain URL"
    # As the browser shows it: acme.lightning.force.com, acme--dev.sandbox.lightning.force.com.
    if pages := re.search(rf"(({_LABEL}\.)+)(lightning\.force|my\.salesforce-setup)\.com", host.lower()):
        return f"{what}, probably {pages[1]}my.salesforce.com. "
    return f"{what}. "


def _vault(_: str) -> str:
    return "It is the vault's own, as the browser shows it. "


def _scim_host(value: str) -> str:
    """Return a host of an app, with a public name: no address, no name of a network of its own (T3)."""
    labels = value.rpartition(".")
    is_public = re.fullmatch(rf"({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?", value) is not None
    if is_loopback(value) and int(value.rpartition(":")[2]) <= 65_535:
        return value
    if not is_public or labels[2] in _PRIVATE_DOMAINS:
        raise refused(
            "is not the public name of a host",
            "Write the host alone, in lower case, like api.example.com: without https:// and path, no address"
            " (127.0.0.1 or localhost with a port is for the local stack).",
        )
    return value


def _organization(value: str) -> str:
    if not re.fullmatch(_LABEL, value):
        raise refused(
            f"is {value[:80]!r}, and that is not the name an organization can have",
            "Use 1 to 63 lower-case letters, digits and dashes, no dash at the ends.",
        )
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host is this very machine, by the names that settings may have for it."""
    return re.fullmatch(_LOOPBACK, host) is not None


def _salesforce_id(prefix: str, kind: str) -> Callable[[str], str]:
    """Return a validator for the id of one kind of record, which returns it with 18 characters."""

    def check(value: str) -> str:
        if not salesforce_ids.is_valid(value) or not value.startswith(prefix):
            raise refused(
                f"is not the id of {kind}", f"It begins with {prefix} and has 15 or 18 letters and digits."
            )
        if len(value) == 18 and salesforce_ids.to_18(value) != value:
            raise refused(
                "has last three characters that do not fit the rest",
                "Copy the id again; a letter or its case was changed.",
            )
        return salesforce_ids.to_18(value)

    return check


def _standard_field(value: str) -> str:
    if value.lower() == "languagelocalkey":
        raise refused("is a field Salesforce does not have", "The API name is LanguageLocaleKey.")
    if value.lower().endswith("__c"):
        raise refused("is a custom field", "Move it to custom_fields.")
    if not re.fullmatch(_STANDARD_FIELD, value):
        raise refused(
            "is not the API name of a field of User",
            "Use letters, digits and underscores; no paths over a dot.",
        )
    if _SPELLINGS.get(value.lower(), value) != value:
        raise refused("is not spelled as in Salesforce", f"Write {_SPELLINGS[value.lower()]}.")
    return value


def _not_secret(value: str) -> str:
    if value in NEVER_MAPPED:
        raise refused("lets into somebody's meetings, so Muster never reads it", "Leave it out.")
    return value


def _may_be_written(value: str) -> str:
    if why := why_never_written(value):
        raise refused(why, "Map the attribute to another field; the action describe lists them.")
    return value


def _filter(value: str) -> str:
    if fault := soql_filters.fault(value):
        raise refused(*fault)
    return value


OrganizationName = Annotated[
    str,
    Field(max_length=255, examples=["acme"], json_schema_extra={"pattern": f"^{_LABEL}$"}),
    AfterValidator(_organization),
]
TimeZone = Annotated[
    str, Field(max_length=64, examples=["Europe/London", "America/New_York"]), AfterValidator(_time_zone)
]
Domain = Annotated[
    str,
    *_text(
        DOMAIN,
        "is not an e-mail domain",
        "Write what follows the @, in lower case.",
        "acme.example",
        longest=253,
    ),
]
SalesforceHost = Annotated[
    str,
    Field(max_length=253, examples=["acme.my.salesforce.com"]),
    AfterValidator(_host(".my.salesforce.com", _my_domain)),
]
VaultHost = Annotated[
    str,
    Field(max_length=253, examples=["acme-crm.veevavault.com"]),
    AfterValidator(_host(".veevavault.com", _vault)),
]
ScimHost = Annotated[str, Field(max_length=253, examples=["api.example.com"]), AfterValidator(_scim_host)]
TargetName = Annotated[
    str,
    *_text(
        r"[a-z][a-z0-9_-]*",
        "is not the name of a target",
        "Use lower-case letters, digits, dashes and underscores, a letter first.",
        "gong",
        longest=40,
    ),
]
ScimPath = Annotated[
    str,
    *_text(
        r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*",
        "is not a path",
        "Write it like /scim/v2: it begins with a slash and ends without one.",
        "/scim/v2",
    ),
]
UserPoolId = Annotated[
    str,
    *_text(
        r"[a-z]{2}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+",
        "is not the id of a Cognito user pool",
        "Copy it from the pool's page in the console of Cognito: eu-central-1_AbC123dEf.",
        "eu-central-1_AbC123dEf",
        longest=55,
    ),
]
SalesforceOrganizationId = Annotated[
    str,
    Field(
        examples=["00D000000000062EAA"], json_schema_extra={"pattern": "^00D[A-Za-z0-9]{12}([A-Z0-5]{3})?$"}
    ),
    AfterValidator(_salesforce_id("00D", "a Salesforce organization")),
]
ActionId = Annotated[
    str,
    Field(
        examples=["04k000000000001AAA"], json_schema_extra={"pattern": "^04k[A-Za-z0-9]{12}([A-Z0-5]{3})?$"}
    ),
    AfterValidator(_salesforce_id("04k", "an outbound message")),
]
SalesforceVersion = Annotated[
    str, *_text(r"[1-9][0-9]\.0", "is not a version of the Salesforce API", 'Write it like "66.0".', "66.0")
]
VaultVersion = Annotated[
    str, *_text(r"v[0-9]{2}\.[1-9]", "is not a version of the Vault API", "Write it like v26.1.", "v26.1")
]
ClientId = Annotated[
    str,
    *_text(
        r"[A-Za-z0-9._-]+",
        "is not a client id",
        "Use up to 100 letters, digits, dots, underscores and dashes.",
        "muster",
        longest=100,
    ),
]
VaultField = Annotated[
    str,
    *_text(
        FIELD_NAME,
        "is not the API name of a field of user__sys",
        "Write it in lower case with its ending (country_code__v, region__c); no paths over a dot.",
        "country_code__v",
        longest=80,
    ),
    AfterValidator(_not_secret),
]
WrittenVaultField = Annotated[VaultField, AfterValidator(_may_be_written)]
AlignField = Annotated[
    str,
    *_text(
        FIELD_NAME,
        "is not the API name of a field of roster_member__aln",
        "Write it in lower case with its ending (engage_group__aln, engage_group__c); no paths over a dot.",
        "engage_group__aln",
        longest=80,
    ),
]
PicklistValue = Annotated[
    str,
    *_text(
        FIELD_NAME,
        "is not the API name of a picklist's value",
        "Write it in lower case with its ending, like success__v.",
        "success__v",
        longest=80,
    ),
]
SecretName = Annotated[
    str,
    *_text(
        r"[A-Za-z0-9/_+=.@-]+",
        "is not the name of a secret",
        "Write the secret's name in Secrets Manager, never the secret itself.",
        "muster/acme/salesforce",
    ),
]
StandardField = Annotated[
    str,
    Field(max_length=80, examples=["Department"], json_schema_extra={"pattern": f"^{_STANDARD_FIELD}$"}),
    AfterValidator(_standard_field),
]
CustomField = Annotated[
    str,
    *_text(
        _CUSTOM_FIELD,
        "is not the API name of a custom field",
        "It ends in __c; standard fields belong in fields.",
        "Region__c",
        longest=80,
    ),
]
UserField = Annotated[
    str,
    *_text(
        _ANY_FIELD,
        "is not the API name of a field of User",
        "Use letters, digits and underscores; no paths over a dot.",
        "Region__c",
        longest=80,
    ),
]
Filter = Annotated[
    str,
    Field(max_length=soql_filters.LONGEST, examples=["Profile.Name = 'Sales' AND Country = 'GB'"]),
    AfterValidator(_filter),
]
SeatName = Annotated[
    str,
    *_text(
        r"[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?",
        "is not the name of a seat",
        "Use letters, digits, blanks, dots, dashes and underscores.",
        "gong",
        longest=63,
    ),
]
Name = Annotated[
    str,
    *_text(
        _NAME,
        "is empty, begins or ends with a blank, or holds a control character",
        "Write it on one line.",
        "Field sales",
        longest=80,
    ),
]
