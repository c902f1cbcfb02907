"""Members who have left, as the table's stream hands them to Lambda.

{"Records": [{"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "111",
"ApproximateCreationDateTime": 1764500000, "Keys": {"pk": {"S": "ORG#acme#MEMBER#3"},
"sk": {"S": "MEMBER#7f3a…"}}, "NewImage": {"active": {"BOOL": false}, …}}}]}
"""

from collections.abc import Mapping
from typing import Any

from muster.provisioning.closing_leavers import Leaver

_MEMBER = "MEMBER#"


def leavers(event: Mapping[str, Any]) -> list[Leaver]:
    """Return the members of a batch in its order; what the template's filter leaves out, this does, too."""
    return [_leaver(record["dynamodb"]) for record in event["Records"] if _has_left(record["dynamodb"])]


def _has_left(item: Mapping[str, Any]) -> bool:
    is_member = bool(item["Keys"]["sk"]["S"].startswith(_MEMBER))
    return is_member and item.get("NewImage", {}).get("active", {}).get("BOOL") is False


def _leaver(item: Mapping[str, Any]) -> Leaver:
    return Leaver(
        number=item["SequenceNumber"],
        organization=item["Keys"]["pk"]["S"].split("#")[1],
        member=item["Keys"]["sk"]["S"].removeprefix(_MEMBER),
        written_at=float(item["ApproximateCreationDateTime"]),
    )
