"""`connections.vault_crm.statuses`: the API names of the statuses of Engage requests in Vault CRM (G3).

Members carry Muster's codes (`crm.engage_features`); a vault's picklists hold API names, by default the
code with `__v`. Unknown values are kept as they are.
"""

from typing import Self

from pydantic import Field, model_validator

from muster.crm.engage_features import Feature
from muster.settings.values import PicklistValue, Section
from muster.validation import refused


class _EitherStatuses(Section):
    """The statuses that both features have."""

    retry_request: PicklistValue = Field(default="retry_request__v", description="Retry Request.")
    request_sent: PicklistValue = Field(default="request_sent__v", description="Request Sent.")
    invalid_group_name: PicklistValue = Field(
        default="invalid_group_name__v", description="Invalid Group Name."
    )
    request_failed: PicklistValue = Field(default="request_failed__v", description="Request Failed.")
    success: PicklistValue = Field(default="success__v", description="Success.")

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        codes: dict[str, str] = {}
        for code, name in self:
            other = codes.setdefault(name.lower(), code)
            if other != code:
                raise refused(
                    f"gives {other} and {code} one name, {name}",
                    "Write the API name of each value of the picklist.",
                )
        return self


class EngageStatuses(_EitherStatuses):
    """API names of the values of engage_group_provisioning_status__v."""

    no_licenses_remaining: PicklistValue = Field(
        default="no_licenses_remaining__v", description="No Licenses Remaining."
    )


class EngageConnectStatuses(_EitherStatuses):
    """API names of the values of engage_connect_group_status__v."""

    user_not_in_connect: PicklistValue = Field(
        default="user_not_in_connect__v", description="User not in Connect."
    )
    user_create_failed: PicklistValue = Field(
        default="user_create_failed__v", description="User Create Failed."
    )
    user_update_failed: PicklistValue = Field(
        default="user_update_failed__v", description="User Update Failed."
    )


class Statuses(Section):
    """API names of statuses, by feature; write only those that differ."""

    engage: EngageStatuses = Field(default_factory=EngageStatuses, description="Those of Engage.")
    engage_connect: EngageConnectStatuses = Field(
        default_factory=EngageConnectStatuses, description="Those of Engage Connect."
    )

    def code(self, feature: Feature, api_name: str) -> str:
        """Return Muster's code for a status, or the API name itself if it is unknown."""
        names = dict(getattr(self, feature))
        return next((code for code, name in names.items() if name.lower() == api_name.lower()), api_name)

    def api_name(self, feature: Feature, code: str) -> str:
        """Return the API name of a status in Vault CRM; raises `KeyError` if the feature lacks the code."""
        name: str = dict(getattr(self, feature))[code]
        return name
