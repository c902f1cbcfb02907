import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.salesforce import RunningSandbox
from tests.integration.sandbox.organization import Organization

ROOT = Path(__file__).parents[3]


@contextmanager
def started(*arguments: str) -> Iterator[RunningSandbox]:
    """Runs the command, and expects it to end cleanly, and silently, when told."""
    command = [sys.executable, "-W", "error", "-m", "sandbox.salesforce", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    try:
        assert process.stdout is not None
        yield RunningSandbox(**json.loads(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_says_where_it_is_and_goes_on_from_its_file(tmp_path: Path) -> None:
    data = str(tmp_path / "salesforce.sqlite")
    with started("--port", "0", "--data", data, "--delivery", '{"hold": true}') as first:
        org = Organization(first)
        org.control("POST", "custom-fields", {"name": "Shoe__c", "type": "Text"}, status=201)
        user = org.create(LastName="Hopper", Shoe__c="38")
        assert org.control("GET", "outbound-message/delivery")["hold"] is True
        org.http.close()
    with started("--data", data, "--client-secret", "changed") as second:
        assert (second.organization_id, second.client_id) == (first.organization_id, first.client_id)
        assert second.client_secret == "changed"  # noqa: S105  # a test's own
        org = Organization(second)
        read = org.user(user)
        assert (read["LastName"], read["Shoe__c"]) == ("Hopper", "38")
        assert org.create() > user
        org.http.close()


def test_wrong_delivery_settings_are_refused() -> None:
    command = [sys.executable, "-m", "sandbox.salesforce", "--delivery", '{"slow": true}']
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603  # our own command
    assert ended.returncode == 2
    assert "--delivery: the body is an object with some of hold, duplicate" in ended.stderr
