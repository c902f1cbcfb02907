"""History entries as the table's stream hands them to Lambda.

{"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "111",
"Keys": {"pk": {"S": "ORG#acme#MEMBER#3"}, "sk": {"S": "HISTORY#7f3a…#00000007"}},
"NewImage": {"doc": {"S": "{…}"}, …}}}]}
"""

from collections.abc import Mapping
from typing import Any

from muster.events_out.publishing import Recorded


def recorded(event: Mapping[str, Any]) -> list[Recorded]:
    """Return the entries of a batch in its order; what the template's filter leaves out, this does, too.

    An entry without a document is one, with an empty text.
    """
    return [_recorded(record["dynamodb"]) for record in event["Records"] if _is_entry(record)]


def _is_entry(record: Mapping[str, Any]) -> bool:
    sort = record["dynamodb"]["Keys"]["sk"]["S"]
    return record["eventName"] == "INSERT" and bool(sort.startswith("HISTORY#"))


def _recorded(item: Mapping[str, Any]) -> Recorded:
    partition = item["Keys"]["pk"]["S"]
    return Recorded(
        number=item["SequenceNumber"],
        organization=partition.split("#")[1],
        key=item["Keys"]["sk"]["S"],
        document=item.get("NewImage", {}).get("doc", {}).get("S", ""),
    )
