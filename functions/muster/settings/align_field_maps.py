"""`field_maps.align` in the document (G5): fields of Align's roster that members show beside their own.

    field_maps: {align: {inbound: {custom: {custom.Team: team__aln}}}}

How Align's own fields about Engage, status and end date are named, says `connections.align.fields`. Nothing
but these is written to Align: its admins keep the rest of the roster there.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from muster.crm.engage_features import FEATURES
from muster.settings.values import AlignField, Section
from muster.settings.vault_field_maps import CUSTOM_TARGET, MOST_CUSTOM
from muster.validation import closest, refused

# What `connections.align.fields` has the names of.
SYSTEM = frozenset(
    {
        *("crm_user_status", "end_date", "email", "username"),
        *(f"{feature}.{part}" for feature in FEATURES for part in ("request", "status", "group")),
    }
)


def _target(key: str) -> str:
    if key in SYSTEM:
        raise refused(
            "is a system mapping, which cannot be edited",
            f"Where Align names its field otherwise, write that as connections.align.fields.{key}.",
        )
    if not re.fullmatch(CUSTOM_TARGET, key):
        close = closest(key, SYSTEM)
        meant = f" The field of {close} is named in connections.align.fields." if close else ""
        raise refused(
            "is not what a field of Align can be mapped to",
            f"Write custom. and a name, like custom.Team.{meant}",
        )
    return key


def _by_name(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {f"^{CUSTOM_TARGET}$": schema.pop("additionalProperties")}
    schema["additionalProperties"] = False


class AlignInboundMap(Section):
    """What pushes and imports take over from Align, beside what admins ask for there."""

    custom: Mapping[Annotated[str, AfterValidator(_target)], AlignField] = Field(
        default_factory=dict,
        max_length=MOST_CUSTOM,
        description="Target → field of roster_member__aln, which the member then has under custom.",
        examples=[{"custom.Team": "team__aln"}],
        json_schema_extra=_by_name,
    )


class AlignMaps(Section):
    """From roster members in Align to members."""

    inbound: AlignInboundMap = Field(default_factory=AlignInboundMap, description="What is taken over.")
