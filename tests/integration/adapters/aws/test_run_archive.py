"""The run archive: what is put in comes out as it was, in order, whole or not at all."""

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from muster.adapters.aws.run_archive import RunArchive
from muster.errors import Misconfigured, MusterError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = "20261120T081532Z-jane"
PAGE = '{"records": [{"Name": "Zoë"}],\r\n "done": true}'.encode()


@pytest.fixture(scope="module")
def s3() -> Iterator["S3Client"]:
    """Return a client to S3 whose listings come in pages of two; one for all tests, for speed."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
        yield boto3.client("s3", "us-east-1")


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    """Return the name of an empty bucket."""
    name = f"runs-{uuid4()}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def archive(s3: "S3Client", bucket: str) -> RunArchive:
    """Return the archive in that bucket."""
    return RunArchive(s3, bucket)


def put(archive: RunArchive, name: str, *numbers: int, attempt: int = 1, run: str = RUN) -> None:
    """Put parts whose bodies are their numbers."""
    for number in numbers:
        archive.put("acme", run, attempt, name, number, str(number).encode())


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_part_comes_back_byte_for_byte(archive: RunArchive) -> None:
    archive.put("acme", RUN, 1, "users", 1, PAGE)
    assert archive.part("acme", RUN, 1, "users", 1) == PAGE


@pytest.mark.parametrize(
    ("name", "number", "key"),
    [
        ("users", 1, f"acme/{RUN}/2/users/00001.json"),
        ("filters/3", 12, f"acme/{RUN}/2/filters/3/00012.json"),
        ("plan", 99_999, f"acme/{RUN}/2/plan/99999.json"),
    ],
)
def test_a_part_lies_where_an_admin_finds_it(
    s3: "S3Client", bucket: str, archive: RunArchive, name: str, number: int, key: str
) -> None:
    archive.put("acme", RUN, 2, name, number, PAGE)
    stored = s3.get_object(Bucket=bucket, Key=key)
    assert stored["ContentType"] == "application/json"
    assert stored["Body"].read() == PAGE


def test_a_part_put_again_is_replaced(archive: RunArchive) -> None:
    put(archive, "users", 1, 2)
    archive.put("acme", RUN, 1, "users", 2, PAGE)
    assert list(archive.parts("acme", RUN, 1, "users")) == [b"1", PAGE]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_parts_are_counted_and_come_in_order(archive: RunArchive, count: int) -> None:
    put(archive, "users", *reversed(range(1, count + 1)))
    assert archive.count("acme", RUN, 1, "users") == count
    assert list(archive.parts("acme", RUN, 1, "users")) == [str(n).encode() for n in range(1, count + 1)]


def test_a_part_beyond_five_digits_is_counted_too(archive: RunArchive) -> None:
    put(archive, "users", *range(1, 4), 100_000)
    with pytest.raises(Unavailable, match=f"acme/{RUN}/1/users/00004.json is missing"):
        archive.count("acme", RUN, 1, "users")


def test_parts_are_not_mixed_up_with_their_neighbours(archive: RunArchive) -> None:
    put(archive, "filters/1", 1, 2)
    put(archive, "filters/10", 1, 2, 3)
    put(archive, "filters/1", 1, 2, 3, 4, attempt=10)
    put(archive, "filters/1", 1, run=f"{RUN}0")
    put(archive, "filters", 1)
    archive.put("acme0", RUN, 1, "filters/1", 3, PAGE)
    archive.put_document("acme", RUN, 1, "filters", {})
    assert archive.count("acme", RUN, 1, "filters/1") == 2
    assert archive.count("acme", RUN, 1, "filters/10") == 3
    assert archive.count("acme", RUN, 1, "filters") == 1
    assert archive.count("acme", RUN, 10, "filters/1") == 4


@pytest.mark.parametrize(("there", "missing"), [((2,), 1), ((1, 3), 2), ((1, 2, 4, 6), 3)])
def test_a_gap_stops_whoever_counts_or_reads(
    archive: RunArchive, there: tuple[int, ...], missing: int
) -> None:
    put(archive, "users", *there)
    with pytest.raises(Unavailable, match=f"acme/{RUN}/1/users/0000{missing}.json is missing"):
        archive.count("acme", RUN, 1, "users")
    with pytest.raises(Unavailable):
        next(archive.parts("acme", RUN, 1, "users"))


def test_a_part_is_read_only_when_it_is_asked_for(s3: "S3Client", bucket: str, archive: RunArchive) -> None:
    put(archive, "users", 1, 2, 3)
    parts = archive.parts("acme", RUN, 1, "users")
    assert next(parts) == b"1"
    s3.delete_object(Bucket=bucket, Key=f"acme/{RUN}/1/users/00002.json")
    with pytest.raises(Unavailable, match=r"00002\.json is missing"):
        next(parts)


def test_a_part_that_is_missing_is_said_to_be(archive: RunArchive) -> None:
    with pytest.raises(Unavailable, match=f"acme/{RUN}/1/users/00001.json is missing from the run archive"):
        archive.part("acme", RUN, 1, "users", 1)


# ── Documents ─────────────────────────────────────────────────────────────────────────────────────


def test_a_document_comes_back_as_it_was(s3: "S3Client", bucket: str, archive: RunArchive) -> None:
    document = {"counts": {"create": 2}, "named": ["Zoë"], "guard": None}
    archive.put_document("acme", RUN, 1, "plan", document)
    assert archive.document("acme", RUN, 1, "plan") == document
    stored = s3.get_object(Bucket=bucket, Key=f"acme/{RUN}/1/plan.json")
    assert stored["ContentType"] == "application/json"


def test_a_document_that_is_missing_is_said_to_be(archive: RunArchive) -> None:
    put(archive, "plan", 1)
    with pytest.raises(Unavailable, match=f"acme/{RUN}/1/plan.json is missing"):
        archive.document("acme", RUN, 1, "plan")


# ── A bucket that fails ───────────────────────────────────────────────────────────────────────────

CALLS: dict[str, Callable[[RunArchive], object]] = {
    "put_object": lambda archive: put(archive, "users", 1),
    "list_objects_v2": lambda archive: archive.count("acme", RUN, 1, "users"),
    "get_object": lambda archive: archive.part("acme", RUN, 1, "users", 1),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_bucket_that_does_not_exist_is_a_matter_for_an_admin(s3: "S3Client", operation: str) -> None:
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        CALLS[operation](RunArchive(s3, "no-such-bucket"))


@pytest.fixture
def stub(s3: "S3Client") -> Iterator[Stubber]:
    """Answer in S3's place."""
    with Stubber(s3) as stub:
        yield stub


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, Misconfigured),
        ("SlowDown", 503, Unavailable),
        ("InternalError", 500, Unavailable),
    ],
)
def test_what_s3_refuses_is_told_apart(
    archive: RunArchive, stub: Stubber, operation: str, code: str, status: int, error: type[MusterError]
) -> None:
    stub.add_client_error(operation, code, http_status_code=status)
    with pytest.raises(error, match=code):
        CALLS[operation](archive)


def test_a_body_that_breaks_off_is_no_part(archive: RunArchive, stub: Stubber) -> None:
    stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(PAGE[:10]), len(PAGE))})
    with pytest.raises(Unavailable, match="IncompleteReadError"):
        archive.part("acme", RUN, 1, "users", 1)


def test_a_bucket_out_of_reach_is_tried_later(s3: "S3Client", archive: RunArchive) -> None:
    def refuse(**_: object) -> None:
        s3.meta.events.unregister("before-call", refuse)
        raise EndpointConnectionError(endpoint_url="https://s3.example")

    s3.meta.events.register("before-call", refuse)
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        archive.part("acme", RUN, 1, "users", 1)
