"""Credentials in Secrets Manager: remembered for a while, named when wrong, never told (U5, T21)."""

import json
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from muster.adapters.aws.secrets import LONGEST_OUTAGE_S, Secrets, require_keys
from muster.errors import Misconfigured, Unavailable
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import CANARY

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NAME = "muster/acme/salesforce"
CREDENTIALS = {"client_id": "key", "client_secret": CANARY}


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def client(session: boto3.Session) -> Iterator["SecretsManagerClient"]:
    """A client of its own for each test, with one secret."""
    session.client("secretsmanager").create_secret(Name=NAME, SecretString=json.dumps(CREDENTIALS))
    yield session.client("secretsmanager")
    manager = session.client("secretsmanager")
    for secret in manager.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        manager.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


@pytest.fixture
def reads(client: "SecretsManagerClient") -> list[str]:
    """The names asked for so far."""
    asked: list[str] = []
    client.meta.events.register(
        "provide-client-params.secrets-manager.GetSecretValue",
        lambda params, **_: asked.append(params["SecretId"]),
    )
    return asked


@pytest.fixture
def secrets(client: "SecretsManagerClient", clock: MonotonicClock) -> Secrets:
    return Secrets(client, "acme", clock=clock)


def rotate(client: "SecretsManagerClient", **credentials: str) -> None:
    client.put_secret_value(SecretId=NAME, SecretString=json.dumps(credentials))


def break_off(client: "SecretsManagerClient", fault: Exception) -> None:
    """Let every further call fail."""

    def fail(**_: Any) -> None:
        raise fault

    client.meta.events.register("before-call.secrets-manager.GetSecretValue", fail)


def throttled(client: "SecretsManagerClient") -> Exception:
    answer: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
    return client.exceptions.ClientError(answer, "GetSecretValue")


def test_a_secret_is_read_once_in_five_minutes(
    secrets: Secrets, reads: list[str], clock: MonotonicClock
) -> None:
    assert [secrets.get(NAME), secrets.get(NAME)] == [CREDENTIALS, CREDENTIALS]
    clock.now += 300
    secrets.get(NAME)
    assert reads == [NAME]
    clock.now += 1
    assert secrets.get(NAME) == CREDENTIALS
    assert reads == [NAME, NAME]


def test_a_changed_secret_is_picked_up(
    secrets: Secrets, client: "SecretsManagerClient", clock: MonotonicClock
) -> None:
    secrets.get(NAME)
    rotate(client, client_id="new")
    assert secrets.get(NAME) == CREDENTIALS
    clock.now += 301
    assert secrets.get(NAME) == {"client_id": "new"}


def test_a_refetch_goes_past_what_is_remembered_and_is_remembered(
    secrets: Secrets, client: "SecretsManagerClient", reads: list[str]
) -> None:
    secrets.get(NAME)
    rotate(client, client_id="new")
    assert secrets.refetch(NAME) == {"client_id": "new"}
    assert secrets.get(NAME) == {"client_id": "new"}
    assert reads == [NAME, NAME]


def test_what_a_caller_does_to_a_secret_stays_with_the_caller(secrets: Secrets) -> None:
    for read in (secrets.get, secrets.get, secrets.get, secrets.refetch, secrets.get):
        secret = read(NAME)
        assert secret == CREDENTIALS
        secret["client_id"] = "changed"


def test_secrets_are_kept_apart(secrets: Secrets, client: "SecretsManagerClient") -> None:
    client.create_secret(Name="muster/acme/other", SecretString='{"client_id": "other"}')
    assert secrets.get("muster/acme/other") == {"client_id": "other"}
    assert secrets.get(NAME) == CREDENTIALS


@pytest.mark.parametrize(
    "name",
    [
        "muster/globex/salesforce",
        "muster/globex",
        "muster/acme",
        "muster/acme/",
        "muster/acmes/salesforce",
        "muster/ACME/salesforce",
        "elsewhere/muster/acme/salesforce",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:muster/acme/salesforce-AbCdEf",
    ],
)
def test_no_secret_of_anybody_else_is_read(
    secrets: Secrets, client: "SecretsManagerClient", reads: list[str], name: str
) -> None:
    """An older Muster let settings name them, and such settings may still be stored (U5)."""
    if not name.startswith("arn:") and not name.endswith("/"):
        client.create_secret(Name=name, SecretString='{"client_id": "other"}')
    for read in (secrets.get, secrets.refetch):
        with pytest.raises(Misconfigured, match=r"is not one of acme's own, .* begins with muster/acme/"):
            read(name)
    assert reads == []


def test_nothing_is_read_for_nobody(client: "SecretsManagerClient") -> None:
    with pytest.raises(Misconfigured, match="own"):
        Secrets(client, "").get(NAME)


def test_a_secret_says_which_version_of_it_was_read(secrets: Secrets, client: "SecretsManagerClient") -> None:
    first = secrets.get(NAME).version
    assert first == secrets.get(NAME).version == client.get_secret_value(SecretId=NAME)["VersionId"]
    rotate(client, client_id="other")
    assert secrets.refetch(NAME).version not in ("", first)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (CANARY, "is not JSON"),
        (f"client_secret={CANARY}", "is not JSON"),
        (f"{{'client_secret': '{CANARY}'}}", "is not JSON"),
        (f"{{“client_secret”: “{CANARY}”}}", "is not JSON"),
        (f'{{"client_secret": "{CANARY}"', "is not JSON"),
        ("[" * 60_000, "is not JSON"),
        (" ", "is not JSON"),
        (f'"{CANARY}"', "is a list or a single value"),
        (f'["{CANARY}"]', "is a list or a single value"),
        ("[]", "is a list or a single value"),
        ("42", "is a list or a single value"),
        ("true", "is a list or a single value"),
        (f'{{"client_id": "key", "{CANARY}": 5}}', "has a value that is no text"),
        (f'{{"client_id": {{"{CANARY}": "x"}}}}', "has a value that is no text"),
        ('{"client_id": null}', "has a value that is no text"),
        ('{"client_id": "key", "expires_on": 20270131}', "has a value that is no text"),
        ("{}", "is empty"),
    ],
)
def test_another_shape_is_misconfigured_and_named_but_not_told(
    secrets: Secrets, client: "SecretsManagerClient", value: str, fault: str
) -> None:
    client.put_secret_value(SecretId=NAME, SecretString=value)
    words = rf"{NAME} is not a JSON object of texts: it {fault}\. Write it like .* keys and values in quotes"
    with pytest.raises(Misconfigured, match=words) as error:
        secrets.get(NAME)
    assert CANARY not in "".join(traceback.format_exception(error.value))
    assert error.value.__cause__ is None


def test_a_binary_secret_is_misconfigured(secrets: Secrets, client: "SecretsManagerClient") -> None:
    client.create_secret(Name="muster/acme/binary", SecretBinary=json.dumps(CREDENTIALS).encode())
    with pytest.raises(Misconfigured, match=r"binary is not a JSON object of texts: it is binary\. Write it"):
        secrets.get("muster/acme/binary")


def test_a_missing_secret_is_misconfigured_and_named(secrets: Secrets) -> None:
    with pytest.raises(Misconfigured, match="muster/acme/align does not exist"):
        secrets.get("muster/acme/align")


def test_a_secret_about_to_be_deleted_is_misconfigured_and_named(
    secrets: Secrets, client: "SecretsManagerClient"
) -> None:
    client.delete_secret(SecretId=NAME)
    with pytest.raises(Misconfigured, match=f"{NAME} is scheduled for deletion"):
        secrets.get(NAME)


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        ("AccessDeniedException", Misconfigured, "give it a name under muster/, .* let the role decrypt"),
        ("DecryptionFailure", Misconfigured, "let the function's role use the key"),
        ("InvalidRequestException", Misconfigured, "restore it or write its value"),
        ("InvalidParameterException", Misconfigured, "correct the connection's secret in the settings"),
        ("ValidationException", Misconfigured, "correct the connection's secret in the settings"),
        ("ResourceNotFoundException", Misconfigured, "create it, in this region"),
        ("InternalServiceError", Unavailable, ""),
        ("ThrottlingException", Unavailable, ""),
    ],
)
def test_a_refusal_names_the_secret_and_says_what_to_do(
    secrets: Secrets, client: "SecretsManagerClient", code: str, kind: type[Exception], remedy: str
) -> None:
    # What AWS says itself has the account's number and the role in it.
    answer: Any = {"Error": {"Code": code, "Message": f"User: arn:aws:sts::1:assumed-role/{CANARY}"}}
    break_off(client, client.exceptions.ClientError(answer, "GetSecretValue"))
    with pytest.raises(kind, match=f"{NAME}.*{remedy}") as error:
        secrets.get(NAME)
    assert CANARY not in str(error.value)


@pytest.mark.parametrize("value", ["", " ", "\t"])
@pytest.mark.parametrize("key", ["client_id", "client_secret"])
def test_what_is_missing_is_named_and_what_is_there_is_not_told(key: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"{NAME} lacks {key}; write what is missing") as error:
        require_keys(NAME, CREDENTIALS | {key: value}, "client_id", "client_secret")
    assert CANARY not in str(error.value)
    with pytest.raises(Misconfigured, match="lacks client_id, client_secret;"):
        require_keys(NAME, {"expires_on": "2027-01-31"}, "client_id", "client_secret")


def test_a_day_of_expiry_is_one_more_text_and_not_demanded(
    secrets: Secrets, client: "SecretsManagerClient"
) -> None:
    rotate(client, **CREDENTIALS, expires_on="2027-01-31")
    secret = secrets.refetch(NAME)
    assert secret == CREDENTIALS | {"expires_on": "2027-01-31"}
    require_keys(NAME, secret, "client_id", "client_secret")


def test_a_remembered_secret_is_used_while_there_is_no_answer_for_up_to_an_hour(
    secrets: Secrets, client: "SecretsManagerClient", clock: MonotonicClock
) -> None:
    secrets.get(NAME)
    break_off(client, throttled(client))
    clock.now += LONGEST_OUTAGE_S
    assert secrets.get(NAME) == CREDENTIALS
    with pytest.raises(Unavailable):
        secrets.refetch(NAME)
    assert secrets.get(NAME) == CREDENTIALS
    clock.now += 1
    with pytest.raises(Unavailable):
        secrets.get(NAME)


def test_a_secret_that_was_never_read_is_unavailable_while_there_is_no_answer(
    secrets: Secrets, client: "SecretsManagerClient"
) -> None:
    break_off(client, EndpointConnectionError(endpoint_url="https://secretsmanager"))
    with pytest.raises(Unavailable, match=NAME):
        secrets.get(NAME)


def test_a_secret_that_became_wrong_is_not_covered_up_by_the_remembered_one(
    secrets: Secrets, client: "SecretsManagerClient", clock: MonotonicClock
) -> None:
    secrets.get(NAME)
    client.put_secret_value(SecretId=NAME, SecretString="oops")
    clock.now += 301
    with pytest.raises(Misconfigured):
        secrets.get(NAME)


def test_no_secret_shows_in_the_adapter(secrets: Secrets) -> None:
    secrets.get(NAME)
    assert CANARY not in repr(secrets)
