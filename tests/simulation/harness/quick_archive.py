"""S3 as far as the run archive needs it: a bucket that is a dictionary, forty times as quick as moto's.

`test_strict_aws` compares it with moto. What it does not know is left to moto.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest

type Answer = tuple[int, Mapping[str, str], str | bytes]

_LISTED = "<Contents><Key>{}</Key></Contents>"
_LIST = (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<IsTruncated>false</IsTruncated>{}</ListBucketResult>"
)
_NO_SUCH_KEY = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


class QuickArchive:
    """The objects of the bucket `archive` by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def answer(self, request: AWSPreparedRequest) -> Answer | None:
        """Return what S3 answers to a request, `None` where moto has to be asked."""
        url = urlsplit(request.url)
        if not url.netloc.startswith("archive.s3."):
            return None
        key, query = unquote(url.path[1:]), parse_qs(url.query)
        match request.method:
            case "PUT" if key and not query:
                self.objects[key] = _body(request)
                return 200, {"ETag": '"etag"'}, ""
            case "GET" if key and not query:
                found = self.objects.get(key)
                return (404, {}, _NO_SUCH_KEY) if found is None else (200, {"ETag": '"etag"'}, found)
            case "GET" if not key and set(query) <= {"list-type", "prefix", "delimiter", "encoding-type"}:
                names = self._directly_in(query["prefix"][0])
                return 200, {}, _LIST.format("".join(_LISTED.format(escape(name)) for name in names))
        return None

    def _directly_in(self, folder: str) -> list[str]:
        return sorted(
            name for name in self.objects if name.startswith(folder) and "/" not in name.removeprefix(folder)
        )


def _body(request: AWSPreparedRequest) -> bytes:
    # Bytes, or a stream of them that has been read before, for its length.
    body: Any = request.body
    if not isinstance(body, bytes):
        body.seek(0)
        body = body.read()
    return bytes(body)
