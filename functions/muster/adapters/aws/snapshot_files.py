"""Snapshots of the roster in the bucket of the run archive, laid out for Athena (docs/operations.md).

    _snapshots/members/organization=acme/day=2026-11-30/part-00001.jsonl.gz    so many members, a line each
    _snapshots/manifests/organization=acme/2026-11-30.json                     written last

The template has this folder's days. No organization has its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from muster.adapters.aws.aws_errors import translated
from muster.errors import Unavailable
from muster.roster.snapshots import Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SYSTEM = "the archive of snapshots"
FOLDER = "_snapshots/"
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.json")


class SnapshotFiles:
    """Keeps snapshots in one bucket; every method raises `Misconfigured` or `Unavailable`."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def days(self, organization: str) -> list[str]:
        """Return the days of which there is a snapshot, in order."""
        folder = _manifests(organization)
        with translated(_SYSTEM):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder)
            names = [
                entry["Key"].removeprefix(folder) for page in pages for entry in page.get("Contents", ())
            ]
        return sorted(match[1] for name in names if (match := _DAY.fullmatch(name)))

    def manifest(self, organization: str, day: str) -> Manifest:
        """Return what the snapshot of a day consists of; raises `Unavailable` if there is none."""
        return Manifest.from_json(orjson.loads(self._get(_manifest_key(organization, day))))

    def part(self, organization: str, day: str, number: int) -> bytes:
        """Return a file of the snapshot of a day."""
        return self._get(_part_key(organization, day, number))

    def put_part(self, organization: str, day: str, number: int, body: bytes) -> None:
        """Store a file, in place of the one there is."""
        self._put(_part_key(organization, day, number), body, "application/gzip")

    def put_manifest(self, manifest: Manifest) -> None:
        """Store the manifest: from now on there is a snapshot of its day."""
        key = _manifest_key(manifest.organization, manifest.day)
        self._put(key, orjson.dumps(manifest.to_json()), "application/json")

    def _put(self, key: str, body: bytes, kind: str) -> None:
        with translated(_SYSTEM):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=kind)

    def _get(self, key: str) -> bytes:
        with translated(_SYSTEM):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey as error:
                raise Unavailable(f"{key} is missing from the bucket of the run archive") from error


def _manifests(organization: str) -> str:
    return f"{FOLDER}manifests/organization={organization}/"


def _manifest_key(organization: str, day: str) -> str:
    return f"{_manifests(organization)}{day}.json"


def _part_key(organization: str, day: str, number: int) -> str:
    return f"{FOLDER}members/organization={organization}/day={day}/part-{number:05}.jsonl.gz"
