"""The run archive in S3: the pages that a run read, as received, and its plan (I1, Q4).

An attempt at a run has the folder `<organization>/<run>/<attempt>/`: lists as numbered parts
`<name>/00001.json`, `<name>/00002.json`, …, single documents as `<name>.json`. Writing an object again
replaces it as a whole, so a run that resumes after a crash can write its last part again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_SYSTEM = "the run archive"
_PART = re.compile(r"(\d{5,})\.json")


class RunArchive:
    """Keeps the parts and documents of runs in one bucket; `attempt` and part numbers count from 1.

    Every method raises `Misconfigured` or `Unavailable` where the bucket fails, and `Unavailable` for a
    missing object: nothing is ever decided from an incomplete read (I4).
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        """Use the bucket of that name."""
        self._client = client
        self._bucket = bucket

    def put(self, organization: str, run: str, attempt: int, name: str, number: int, body: bytes) -> None:
        """Store part `number` of `name`, such as `users` or `filters/3`: a page of JSON as received."""
        self._put(_part_key(organization, run, attempt, name, number), body)

    def count(self, organization: str, run: str, attempt: int, name: str) -> int:
        """Return the number of parts of `name`; raises `Unavailable` if one is missing in between."""
        folder = f"{_folder(organization, run, attempt)}{name}/"
        with translated(_SYSTEM):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder)
            names = [
                entry["Key"].removeprefix(folder) for page in pages for entry in page.get("Contents", ())
            ]
        numbers = {int(match[1]) for each in names if (match := _PART.fullmatch(each))}
        last = max(numbers, default=0)
        if missing := set(range(1, last + 1)) - numbers:
            raise _missing(_part_key(organization, run, attempt, name, min(missing)))
        return last

    def parts(self, organization: str, run: str, attempt: int, name: str) -> Iterator[bytes]:
        """Yield all parts of `name` in order: counted first, then read one by one."""
        for number in range(1, self.count(organization, run, attempt, name) + 1):
            yield self.part(organization, run, attempt, name, number)

    def part(self, organization: str, run: str, attempt: int, name: str, number: int) -> bytes:
        """Return one part."""
        return self._get(_part_key(organization, run, attempt, name, number))

    def put_document(
        self, organization: str, run: str, attempt: int, name: str, document: dict[str, Any]
    ) -> None:
        """Store a JSON object, such as `plan`, the summary of the plan."""
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        self._put(_document_key(organization, run, attempt, name), body)

    def document(self, organization: str, run: str, attempt: int, name: str) -> dict[str, Any]:
        """Return a JSON object that `put_document` stored."""
        document: dict[str, Any] = json.loads(self._get(_document_key(organization, run, attempt, name)))
        return document

    def _put(self, key: str, body: bytes) -> None:
        with translated(_SYSTEM):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def _get(self, key: str) -> bytes:
        with translated(_SYSTEM):
            try:
                # The body is downloaded as it is read, so reading it belongs inside.
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey as error:
                raise _missing(key) from error


def _folder(organization: str, run: str, attempt: int) -> str:
    return f"{organization}/{run}/{attempt}/"


def _part_key(organization: str, run: str, attempt: int, name: str, number: int) -> str:
    return f"{_folder(organization, run, attempt)}{name}/{number:05}.json"


def _document_key(organization: str, run: str, attempt: int, name: str) -> str:
    return f"{_folder(organization, run, attempt)}{name}.json"


def _missing(key: str) -> Unavailable:
    return Unavailable(f"{key} is missing from the run archive")
