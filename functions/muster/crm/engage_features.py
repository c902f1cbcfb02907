"""The two Engage features, the statuses of a request, and what Vault CRM shows of a user (G1 to G3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

type Feature = Literal["engage", "engage_connect"]

CONNECTION = "vault_crm"
ENGAGE: Final = "engage"
CONNECT: Final = "engage_connect"
FEATURES: tuple[Feature, ...] = (ENGAGE, CONNECT)
NAMES: Mapping[Feature, str] = {ENGAGE: "Engage", CONNECT: "Engage Connect"}

RETRY_REQUEST = "retry_request"
REQUEST_SENT = "request_sent"
NO_LICENSES_REMAINING = "no_licenses_remaining"
INVALID_GROUP_NAME = "invalid_group_name"
USER_NOT_IN_CONNECT = "user_not_in_connect"
USER_CREATE_FAILED = "user_create_failed"
USER_UPDATE_FAILED = "user_update_failed"
REQUEST_FAILED = "request_failed"
SUCCESS = "success"

_EITHER = (RETRY_REQUEST, REQUEST_SENT, INVALID_GROUP_NAME, REQUEST_FAILED, SUCCESS)
# Which statuses a feature has (G3).
STATUSES: Mapping[Feature, tuple[str, ...]] = {
    ENGAGE: (*_EITHER, NO_LICENSES_REMAINING),
    CONNECT: (*_EITHER, USER_NOT_IN_CONNECT, USER_CREATE_FAILED, USER_UPDATE_FAILED),
}


def is_known(feature: Feature, status: str | None) -> bool:
    """Whether a feature has that status; a raw one, for which the settings have no name, it has not (G3)."""
    return status is None or status in STATUSES[feature]


# Statuses of a failed request; an unknown status is in none of these lists.
FAILED = frozenset(
    {
        NO_LICENSES_REMAINING,
        INVALID_GROUP_NAME,
        USER_NOT_IN_CONNECT,
        USER_CREATE_FAILED,
        USER_UPDATE_FAILED,
        REQUEST_FAILED,
    }
)
# Beside features, what a push may have to do for a member: activate or deactivate the user in Vault CRM,
USER_STATUS = "user_status"
# write the fields that custom mappings name (G5),
FIELDS = "fields"
# and update the member in Align (G9).
ALIGN = "align"


@dataclass(frozen=True, slots=True)
class Seen:
    """What Vault CRM shows of a user for one feature; the status as a code, or raw where it is unknown."""

    request: str | None = None
    status: str | None = None
    group: str | None = None
