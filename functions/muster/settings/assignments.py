"""Assignments: who gets which seats, permission profiles, data capture and groups (A1-A3, A9).

Any of these values may come from a field of the Salesforce user instead: `{field: X__c, map: {…}}`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from muster.crm import canonical_text
from muster.settings.values import Filter, Listed, Name, SeatName, Section, UserField, no_duplicates

MOST_FORMER_NAMES = 20

type Capture = Literal["enabled", "disabled", "prevented"]


class Seat(Section):
    """A licence of a product."""

    limit: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        default=None, description="How many there are; without it there is no limit."
    )
    requires: Listed[SeatName] = Field(
        default=(), description="Seats that one must hold before this one.", examples=[["gong"]]
    )


class DataCaptureSeats(Section):
    """For each data capture setting, the seat it needs to take effect."""

    record_web_conferences: SeatName | None = Field(
        default=None, description="Needed to record web conferences."
    )
    import_telephony_calls: SeatName | None = Field(
        default=None, description="Needed to import telephony calls."
    )
    import_emails: SeatName | None = Field(default=None, description="Needed to import e-mails.")
    import_non_recorded_meetings: SeatName | None = Field(
        default=None, description="Needed to import meetings that are not recorded."
    )
    gong_connect: SeatName | None = Field(default=None, description="Needed for Gong Connect.")
    record_interviews: SeatName | None = Field(default=None, description="Needed to record interviews.")


class FromField(Section):
    """A value that a field of the Salesforce user decides."""

    field: UserField = Field(description="The field, standard or custom.")

    def given(self, value: str | None) -> tuple[str, ...]:
        """Return what the map gives for a value of the field, in its canonical text (A15).

        A key stands for a value however it is written: `5` and `5.0` are the same. If the whole value is no
        key and it consists of several, as that of a multi-select picklist does (`Gong;Forecast`), it is what
        the map gives for each of these, in the order of the value: that of a document's keys does not count.
        """
        whole = value or ""
        found = self._of(whole)
        if found is not None or ";" not in whole:
            return () if found is None else (found,)
        parts = (self._of(part.strip()) for part in whole.split(";") if part.strip())
        return tuple(dict.fromkeys(given for given in parts if given is not None))

    def _of(self, value: str) -> str | None:
        return self._by_text.get(value, self._by_text.get(canonical_text.as_shown(value)))

    @cached_property
    def _by_text(self) -> Mapping[str, str]:
        # Each kind of choice has a map of its own; all lead from a field's value to a text.
        written: Mapping[str, str] = self.map  # type: ignore[attr-defined]
        texts = {canonical_text.of_text(self.field, key) or "": given for key, given in written.items()}
        # What is written exactly as the value goes before what only means the same.
        return {canonical_text.as_shown(text): given for text, given in texts.items()} | dict(written)


class SeatFromField(FromField):
    """A seat that a field of the Salesforce user decides."""

    map: Mapping[str, SeatName] = Field(
        min_length=1,
        max_length=200,
        description="Value of the field → seat. Another value gives no seat.",
        examples=[{"Forecast": "forecast"}],
    )


class NameFromField(FromField):
    """A permission profile or group that a field of the Salesforce user decides."""

    map: Mapping[str, Name] = Field(
        min_length=1,
        max_length=200,
        description="Value of the field → name. Another value gives none.",
        examples=[{"Lead": "Manager"}],
    )


class CaptureFromField(FromField):
    """A data capture setting that a field of the Salesforce user decides."""

    map: Mapping[str, Capture] = Field(
        min_length=1,
        max_length=200,
        description="Value of the field → enabled, disabled or prevented. Another value sets nothing.",
        examples=[{"true": "enabled", "false": "prevented"}],
    )


def _kind(value: object) -> str:
    return "<from field>" if isinstance(value, dict | FromField) else "<value>"


_Kind = Discriminator(_kind)
type SeatChoice = Annotated[
    Annotated[SeatName, Tag("<value>")] | Annotated[SeatFromField, Tag("<from field>")], _Kind
]
type NameChoice = Annotated[
    Annotated[Name, Tag("<value>")] | Annotated[NameFromField, Tag("<from field>")], _Kind
]
type CaptureChoice = Annotated[
    Annotated[Capture, Tag("<value>")] | Annotated[CaptureFromField, Tag("<from field>")], _Kind
]


class DataCapture(Section):
    """What is captured of a member's work: enabled, disabled, or prevented even where others record."""

    record_web_conferences: CaptureChoice | None = Field(default=None, description="Record web conferences.")
    import_telephony_calls: CaptureChoice | None = Field(default=None, description="Import telephony calls.")
    import_emails: CaptureChoice | None = Field(default=None, description="Import e-mails.")
    import_non_recorded_meetings: CaptureChoice | None = Field(
        default=None, description="Import meetings that are not recorded, from the calendar."
    )
    gong_connect: CaptureChoice | None = Field(default=None, description="Use Gong Connect.")
    record_interviews: CaptureChoice | None = Field(default=None, description="Record interviews.")


class EngageGroup(Section):
    """The group of an Engage feature, kept as the member's request."""

    group: NameChoice = Field(description="Name of the group.", examples=["UK Field Force"])


class Assignment(Section):
    """What the users that match a filter get. The uppermost assignment that matches decides."""

    name: Name = Field(description="Its name, once in the list.")
    formerly: Annotated[Listed[Name], AfterValidator(no_duplicates)] = Field(
        default=(),
        max_length=MOST_FORMER_NAMES,
        description=(
            "Names that it had before: what belongs to them stays (edits by hand, managers' wishes). Not"
            " needed where the filter stays as it was."
        ),
        examples=[["Sales"]],
    )
    filter: Filter | None = Field(
        default=None,
        description=(
            "A SOQL condition on User, without WHERE, which Salesforce evaluates; left out, everyone matches."
        ),
    )
    update_mode: Literal["automatic", "manual"] = Field(
        default="automatic",
        description=(
            "automatic: seats, workspaces, data capture and groups follow Salesforce at every run."
            " manual: they are given once, then edited in Muster."
        ),
    )
    require_call_center: bool | None = Field(
        default=None, description="Overrides auto_provision.require_call_center for this assignment."
    )
    seats: Listed[SeatChoice] = Field(default=(), description="Seats its members get.", examples=[["gong"]])
    workspaces: Mapping[Name, NameChoice] = Field(
        default_factory=dict,
        description="Workspace → permission profile.",
        examples=[{"EMEA": "Team member"}],
        json_schema_extra={"additionalProperties": False},
    )
    data_capture: DataCapture = Field(default_factory=DataCapture, description="What is captured.")
    engage: EngageGroup | None = Field(default=None, description="Engage group of its members.")
    engage_connect: EngageGroup | None = Field(
        default=None, description="Engage Connect group of its members."
    )
