"""`connections.align.fields`, `statuses` and `crm_user_statuses`: how an Align vault names things (G9).

By default Align's fields are named like those of Vault CRM, and its statuses like Muster's codes, with the
ending `__aln`.
"""

from typing import Self

from pydantic import Field, model_validator

from muster.settings.engage_statuses import EngageConnectStatuses, EngageStatuses, Statuses
from muster.settings.values import AlignField, PicklistValue, Section
from muster.validation import refused


class EngageFields(Section):
    """The fields of a roster member about Engage."""

    request: AlignField = Field(
        default="engage_group_request__aln", description="In which admins ask for a group."
    )
    status: AlignField = Field(
        default="engage_group_provisioning_status__aln",
        description="With Retry Request, or the outcome of the request.",
    )
    group: AlignField = Field(default="engage_group__aln", description="The group that the user is in.")


class EngageConnectFields(Section):
    """The fields of a roster member about Engage Connect."""

    request: AlignField = Field(
        default="engage_connect_group_request__aln", description="In which admins ask for a group."
    )
    status: AlignField = Field(
        default="engage_connect_group_status__aln",
        description="With Retry Request, or the outcome of the request.",
    )
    group: AlignField = Field(
        default="engage_connect_group__aln", description="The group that the user is in."
    )


class AlignFields(Section):
    """API names of the fields of roster_member__aln; write only those that differ."""

    email: AlignField = Field(default="email__aln", description="The e-mail address.")
    username: AlignField = Field(default="username__aln", description="The username.")
    crm_user_status: AlignField | None = Field(
        default="crm_user_status__aln",
        description="Whether the user is active in the CRM; null: not taken over.",
    )
    end_date: AlignField | None = Field(
        default="end_date__aln", description="The last day of the roster member; null: not taken over."
    )
    engage: EngageFields = Field(default_factory=EngageFields, description="Those of Engage.")
    engage_connect: EngageConnectFields = Field(
        default_factory=EngageConnectFields, description="Those of Engage Connect."
    )

    @model_validator(mode="after")
    def _one_field_each(self) -> Self:
        used: dict[str, str] = {}
        for place, name in self._places():
            other = used.setdefault(name, place)
            if other != place:
                raise refused(
                    f"give {other} and {place} one field, {name}",
                    "Write the API name of each field of roster_member__aln.",
                )
        return self

    def _places(self) -> list[tuple[str, str]]:
        """Return each field with the key that names it."""
        found = []
        for key, value in self:
            if isinstance(value, str):
                found.append((key, value))
            elif value is not None:
                found += [(f"{key}.{part}", name) for part, name in value]
        return found


class AlignEngageStatuses(EngageStatuses):
    """API names of the values of engage_group_provisioning_status__aln."""

    retry_request: PicklistValue = Field(default="retry_request__aln", description="Retry Request.")
    request_sent: PicklistValue = Field(default="request_sent__aln", description="Request Sent.")
    invalid_group_name: PicklistValue = Field(
        default="invalid_group_name__aln", description="Invalid Group Name."
    )
    request_failed: PicklistValue = Field(default="request_failed__aln", description="Request Failed.")
    success: PicklistValue = Field(default="success__aln", description="Success.")
    no_licenses_remaining: PicklistValue = Field(
        default="no_licenses_remaining__aln", description="No Licenses Remaining."
    )


class AlignEngageConnectStatuses(EngageConnectStatuses):
    """API names of the values of engage_connect_group_status__aln."""

    retry_request: PicklistValue = Field(default="retry_request__aln", description="Retry Request.")
    request_sent: PicklistValue = Field(default="request_sent__aln", description="Request Sent.")
    invalid_group_name: PicklistValue = Field(
        default="invalid_group_name__aln", description="Invalid Group Name."
    )
    request_failed: PicklistValue = Field(default="request_failed__aln", description="Request Failed.")
    success: PicklistValue = Field(default="success__aln", description="Success.")
    user_not_in_connect: PicklistValue = Field(
        default="user_not_in_connect__aln", description="User not in Connect."
    )
    user_create_failed: PicklistValue = Field(
        default="user_create_failed__aln", description="User Create Failed."
    )
    user_update_failed: PicklistValue = Field(
        default="user_update_failed__aln", description="User Update Failed."
    )


class AlignStatuses(Statuses):
    """API names of statuses in Align, by feature; write only those that differ."""

    engage: AlignEngageStatuses = Field(default_factory=AlignEngageStatuses, description="Those of Engage.")
    engage_connect: AlignEngageConnectStatuses = Field(
        default_factory=AlignEngageConnectStatuses, description="Those of Engage Connect."
    )


class CrmUserStatuses(Section):
    """API names of the values of crm_user_status__aln; write only those that differ."""

    active: PicklistValue = Field(default="active__aln", description="Active.")
    inactive: PicklistValue = Field(default="inactive__aln", description="Inactive.")

    @model_validator(mode="after")
    def _two_names(self) -> Self:
        if self.active == self.inactive:
            raise refused(
                f"gives active and inactive one name, {self.active}",
                "Write the API name of each value of the picklist.",
            )
        return self
