"""The two Engage features, the statuses of a request, and what Vault CRM shows of a user (G1 to G3)."""

from collections.abc import Mapping
from dataclasses import dataclass

CONNECTION = "vault_crm"
ENGAGE = "engage"
CONNECT = "engage_connect"
FEATURES = (ENGAGE, CONNECT)

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
STATUSES: Mapping[str, tuple[str, ...]] = {
    ENGAGE: (*_EITHER, NO_LICENSES_REMAINING),
    CONNECT: (*_EITHER, USER_NOT_IN_CONNECT, USER_CREATE_FAILED, USER_UPDATE_FAILED),
}
# In which of them a request has not gone well; the unknown ones are told apart by being none of all.
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
# What of a member can be due, beside a feature: whether the user is active in Vault CRM,
USER_STATUS = "user_status"
# and that Align shows the member as it was (G9).
ALIGN = "align"


@dataclass(frozen=True, slots=True)
class Seen:
    """What Vault CRM shows of a user for one feature; the status as a code, or raw where it is unknown."""

    request: str | None = None
    status: str | None = None
    group: str | None = None
