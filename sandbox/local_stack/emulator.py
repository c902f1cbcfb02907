"""MiniStack as a program of its own, put right where it differs from AWS in a way that matters here.

Run with the environment that `launching` gives it; it serves until it is told to end.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from ministack import app  # type: ignore[import-untyped]  # ministack ships no types
from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-untyped]  # likewise
from ministack.services import apigateway_v1  # type: ignore[import-untyped]  # likewise


def main() -> None:
    """Serve."""
    _find_packages_only_in_the_layer()
    _enforce_roles_for_functions_only()
    _tell_policies_the_leading_keys()
    _unescape_media_types()
    app.main()


def _find_packages_only_in_the_layer() -> None:
    # Functions run on this interpreter. Outside the virtual environment it has the standard library only, so
    # a package that the layer lacks is missed here as it would be on AWS.
    sys.executable = os.path.realpath(sys.executable)


def _enforce_roles_for_functions_only() -> None:
    # With AUTH=true each function may do what its role in the template allows and nothing else. Everybody
    # else is the account's owner, whatever made-up key they sign with: no credentials are handed round.
    iam_evaluator.is_root_access_key = lambda key: not key.startswith("ASIA")


def _tell_policies_the_leading_keys() -> None:
    # A condition on keys that the emulator does not know would hold for every request.
    context_of = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        return {**context_of(body), "dynamodb:LeadingKeys": [*_partitions(json.loads(body or b"{}"))]}

    iam_actions.dynamodb_service_context = with_leading_keys


def _partitions(request: Any) -> Iterator[str]:
    """Yield the partition keys (`pk`) that a DynamoDB request names: in keys, items, a query's condition."""
    match request:
        case list():
            for each in request:
                yield from _partitions(each)
        case {"KeyConditionExpression": str(condition), "ExpressionAttributeValues": dict(values)}:
            names = request.get("ExpressionAttributeNames", {})
            for name, placeholder in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
                if names.get(name, name) == "pk":
                    yield values[placeholder]["S"]
        case {"pk": {"S": str(partition)}}:
            yield partition
        case dict():
            yield from _partitions([*request.values()])


def _unescape_media_types() -> None:
    # CloudFormation has the slash of BinaryMediaTypes written as ~1; MiniStack compares it unread, and so
    # would hand bodies to the webhook as repaired text where AWS hands over the bytes.
    matches = apigateway_v1._media_type_matches

    def matches_unescaped(media_type: str, binary_media_types: list[str] | None) -> bool:
        return bool(matches(media_type, [kind.replace("~1", "/") for kind in binary_media_types or ()]))

    apigateway_v1._media_type_matches = matches_unescaped


if __name__ == "__main__":
    main()
