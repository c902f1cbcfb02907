"""Files for people to fetch, in the bucket of the run archive: by a link of an hour, kept for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING

from muster.adapters.aws.aws_errors import translated
from muster.times import timestamp

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SYSTEM = "the run archive"
# No organization has this name, so that what is to be forgotten sooner is nobody's runs; the template has it.
FOLDER = "_exports/"
LINK = timedelta(hours=1)


class ExportFiles:
    """Keeps files in one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, organization: str, name: str, file: IO[bytes], now: datetime) -> tuple[str, str]:
        """Store a file, CSV in UTF-8; returns a link to it, and until when that works (ISO 8601).

        Raises `Misconfigured` or `Unavailable`.
        """
        key = f"{FOLDER}{organization}/{name}"
        with translated(_SYSTEM):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=file, ContentType="text/csv; charset=utf-8"
            )
            link = self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": f'attachment; filename="{name}"',
                },
                ExpiresIn=int(LINK.total_seconds()),
            )
        return link, timestamp(now + LINK, to="seconds")
