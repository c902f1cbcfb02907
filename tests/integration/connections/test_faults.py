"""Whatever is wrong with a connection: a sentence says what to mend, and the roster stays as it was (I4)."""

import json
import re
import ssl
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError

import roster_query
import scheduled_import
import scheduled_push
from muster import bootstrap
from muster.adapters.vault import login
from muster.errors import Misconfigured, Unavailable
from tests.doubles.acme import Acme
from tests.doubles.salesforce_in_process import InProcess
from tests.simulation.harness.strict_aws import strict

METADATA = "http://169.254.169.254/latest/meta-data/"
POOL = HTTPConnectionPool("127.0.0.1")

type Fault = Callable[[Acme, str], None]


def write(text: Callable[[dict[str, str]], str]) -> Fault:
    """Return a fault: the secret holds what `text` makes of the right credentials."""

    def put(acme: Acme, connection: str) -> None:
        acme.write_secret(connection, text(json.loads(getattr(acme, connection).secret)))

    return put


def delete(acme: Acme, connection: str) -> None:
    acme.manager.delete_secret(SecretId=f"muster/acme/{connection}")


def rotate_there(acme: Acme, connection: str) -> None:
    if connection == "salesforce":
        acme.change_client_secret("rotated")
    else:
        getattr(acme, connection).vault.change_password("rotated")


def fail(error: Exception) -> Fault:
    """Return a fault: no call comes through, for this reason."""

    def raised(_: requests.PreparedRequest) -> None:
        raise error

    def put(acme: Acme, connection: str) -> None:
        acme.wires[connection].before = raised

    return put


def never_connected() -> Exception:
    reason = NewConnectionError(POOL, "Connection refused")  # type: ignore[arg-type]  # it only keeps it
    return requests.ConnectionError(MaxRetryError(POOL, "/", reason))


def expired_certificate() -> Exception:
    refused = ssl.SSLCertVerificationError()
    refused.verify_code = 10
    return requests.exceptions.SSLError(MaxRetryError(POOL, "/", SSLError(refused)))


def redirect(status: int, location: str) -> Fault:
    """Return a fault: every call is answered with a redirect."""

    def answered(_: requests.PreparedRequest, answer: requests.Response) -> None:
        answer.status_code = status
        answer.headers["Location"] = location

    def put(acme: Acme, connection: str) -> None:
        acme.wires[connection].after = answered

    return put


def old_version(acme: Acme, connection: str) -> None:
    settings(acme, **{connection: {"api_version": "59.0" if connection == "salesforce" else "v22.3"}})


def elsewhere(acme: Acme, connection: str) -> None:
    if connection == "salesforce":
        settings(acme, salesforce={"organization_id": "00D000000000062EAA"})
    else:
        getattr(acme, connection).control("PUT", "vault", {"wrong_vault": True})


QUERY = "/services/data/v66.0/query?q=SELECT+Id+FROM+User+WHERE+Department='Sales'"


def settings(acme: Acme, **connections: Any) -> None:
    """Store settings that let everyone in, with changes to the connections."""
    acme.put(
        connections=acme.connections(**connections),
        domains={"primary": "acme.example", "company": ["acme.example"]},
        auto_provision={"require_call_center": False},
    )


def run(acme: Acme, connection: str) -> dict[str, Any]:
    """Run what rests on a connection as its schedule does: an import, or a push for Align."""
    handler = scheduled_push.handler if connection == "align" else scheduled_import.handler
    event = {"organization": "acme", "by": "schedule"} | ({} if connection == "align" else {"mode": "full"})
    said: dict[str, Any] = handler(event, acme.context)
    return said


def told(acme: Acme, connection: str) -> str:
    """Return what is said where a run fails; what does not fail a run is in the error log."""
    if connection == "salesforce":
        with pytest.raises((Misconfigured, Unavailable)) as error:
            run(acme, connection)
        return str(error.value)
    assert run(acme, connection)["status"] == "succeeded_with_errors"
    listed = roster_query.handler({"organization": "acme", "action": "errors", "limit": 1}, acme.context)
    [entry] = listed["log"]
    assert entry["remedy"]
    return str(entry["message"])


def mend(acme: Acme, connection: str) -> None:
    """Put right whatever is wrong with a connection."""
    acme.wires[connection] = InProcess(acme.wires[connection].application)
    settings(acme)
    if connection != "salesforce":
        getattr(acme, connection).control("PUT", "vault", {"wrong_vault": False})
    acme.manager.restore_secret(SecretId=f"muster/acme/{connection}")
    acme.write_secret(connection, getattr(acme, connection).secret)


def roster(aws: SimpleNamespace) -> list[str]:
    """Return members and history, as they are stored."""
    items = aws.dynamodb.scan(TableName="roster")["Items"]
    return sorted(json.dumps(item) for item in items if "#MEMBER#" in item["pk"]["S"])


@pytest.fixture
def acme(acme: Acme) -> Iterator[Acme]:
    """Acme after an import of everyone, on a moto as strict as AWS, which is quicker, too."""
    with strict() as rules:
        rules.page_size = 1_000
        settings(acme)
        assert run(acme, "salesforce")["status"] == "succeeded"
        yield acme


def begin_anew(acme: Acme) -> None:
    """Begin in a new execution environment: nothing is remembered, nobody is logged in."""
    for builder in (bootstrap._secrets, bootstrap.salesforce, bootstrap.vault, bootstrap.align):
        builder.cache_clear()
    login.OF_THIS_PROCESS._slots.clear()
    for wire in acme.wires.values():
        wire.calls.clear()


@pytest.mark.parametrize("connection", ["salesforce", "vault_crm", "align"])
@pytest.mark.parametrize(
    "faults",
    # What is done to the connection, and what is said of it; SECRET and HOST are those of the connection.
    [
        pytest.param(
            {
                "not JSON": (
                    write(lambda _: "user: x"),
                    r"SECRET is not a JSON object of texts: it is not JSON\. Write",
                ),
                "a list": (
                    write(lambda secret: json.dumps([secret])),
                    r"SECRET .* it is a list or a single value\. Write",
                ),
                "a number": (
                    write(lambda secret: json.dumps(secret | {"x": 5})),
                    r"SECRET .* that is no text\. Write",
                ),
                "empty": (write(lambda _: "{}"), r"SECRET .* it is empty\. Write"),
                "other keys": (
                    write(lambda _: '{"user": "x"}'),
                    "SECRET lacks (client_id, client_secret|username, password);",
                ),
                "blank values": (
                    write(lambda secret: json.dumps(dict.fromkeys(secret, " "))),
                    "SECRET lacks (client_id, client_secret|username, password); write",
                ),
                "about to be deleted": (delete, "SECRET is scheduled for deletion .* restore it"),
                "refused": (rotate_there, "SECRET.*(copy it into the secret again|password into the secret)"),
            },
            id="secret",
        ),
        pytest.param(
            {
                "no connection": (
                    fail(never_connected()),
                    "took no connection .* check HOST, and whether a firewall",
                ),
                "expired certificate": (
                    fail(expired_certificate()),
                    "the certificate of the host in HOST has expired; who",
                ),
                "no answer": (fail(requests.ConnectionError("reset")), "gave no whole answer .* check HOST"),
                "a lasting redirect": (
                    redirect(301, METADATA),
                    "answered 301, a redirect, which is not followed; .* HOST",
                ),
                "a passing redirect": (
                    redirect(302, METADATA),
                    "answered 302, a redirect, which is not followed; .* HOST",
                ),
                "a redirect of a form": (
                    redirect(307, METADATA),
                    "answered 307, a redirect, which is not followed; .* HOST",
                ),
                "version not served": (old_version, "api_version"),
                "another place": (elsewhere, "SECRET (belong|was let into another vault than HOST)"),
            },
            id="host",
        ),
    ],
)
def test_a_fault_is_told_in_a_sentence_and_changes_nothing_until_it_is_mended(
    acme: Acme, aws: SimpleNamespace, faults: dict[str, tuple[Fault, str]], connection: str
) -> None:
    """All of a kind in one organization, for making one takes longer than all of them."""
    before = roster(aws)
    assert len(before) == 6  # three members, and that each was created
    [ada, *_] = [row["Id"] for row in acme.salesforce.call("GET", QUERY)["records"]]
    if connection == "salesforce":
        # Something is to be done, and an import that read nobody, or half of them, would be seen.
        acme.salesforce.update(ada, IsActive=False)
    unclear = {}
    for fault, (put, says) in faults.items():
        begin_anew(acme)
        put(acme, connection)
        said = told(acme, connection)
        words = says.replace("SECRET", f"secret muster/acme/{connection}")
        words = words.replace("HOST", rf"connections\.{connection}\.host")
        if not re.search(words, said) or "169.254" in said:
            unclear[fault] = said
        assert roster(aws) == before, fault
        mend(acme, connection)
        if connection != "salesforce":
            assert run(acme, connection)["status"] == "succeeded", fault
    assert unclear == {}
    begin_anew(acme)
    assert run(acme, connection)["counts"] == ({"deactivated": 1} if connection == "salesforce" else {})
