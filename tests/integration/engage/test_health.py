"""`health`: one answer about an organization, its connections asked, worst first (Q3, Q5)."""

from typing import Any

import boto3
import pytest

import roster_query
from muster.errors import MusterError
from tests.integration.beginnings import Built, begin
from tests.integration.engage.licences import Licences

# Answers as people get them who do not ask for detail.
pytestmark = pytest.mark.usefixtures("on_a_screen")


def ask(licences: Licences, **more: Any) -> dict[str, Any]:
    event = {"organization": "acme", "action": "health", **more}
    said: dict[str, Any] = roster_query.handler(event, licences.company.context)
    assert said["status"] == "succeeded", said
    return said


def whats(said: dict[str, Any]) -> list[str]:
    return [finding["what"] for finding in said["findings"]]


def start(licences: Licences) -> list[str]:
    licences.vault.group("UK", 1)
    people = licences.people(3)
    licences.imported()
    licences.ask(*people)
    return people


@pytest.fixture
def people(licences: Licences, built: Built) -> list[str]:
    """Return three people who have asked for a group with room for one."""
    return begin(licences, built, start)


def test_it_says_whether_it_is_safe_to_push_and_about_whom(licences: Licences, people: list[str]) -> None:
    said = ask(licences)
    assert said["push"] == "It is safe to push now: 3 people, nothing blocks."
    assert said["message"].endswith(said["push"])
    assert list(said)[:4] == ["status", "organization", "message", "summary"]
    assert "findings" not in said
    licences.push()
    said = ask(licences, detail=True)
    assert said["push"] == "It is safe to push now: nobody is due, nothing blocks."
    assert "2 people in line for a licence of Engage." in whats(said)


def test_a_push_that_the_guard_would_hold_is_said_to_wait(licences: Licences, people: list[str]) -> None:
    licences.push()
    [holder] = [person for person in people if licences.status(person)[1] == "success"]
    user = licences.member(holder)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(user, IsActive=False)
    licences.imported("incremental")
    assert ask(licences)["push"] == "It is safe to push now: 1 person, nothing blocks."
    licences.company.put(guard={"floor": 0, "count": 0, "percent": 0})
    preview = licences.push(preview=True)
    first, *_ = preview["guard"]
    assert ask(licences)["push"] == (
        f"A push now would wait for approval: {'; '.join(preview['guard'])} (1 person, nothing else blocks)."
    )
    assert first.startswith("revoke: 1 of ")


def test_a_password_that_is_refused_blocks_and_asking_sends_it_once(
    licences: Licences, people: list[str]
) -> None:
    licences.vault.control("PUT", "vault", {"password": "changed meanwhile"})
    for _ in range(3):
        said = ask(licences, detail=True)
        assert not said["healthy"]
        assert any("Vault CRM, login" in what for what in whats(said))
    assert licences.vault.vault.wrong_passwords == 1
    with pytest.raises(MusterError):
        licences.push()
    said = ask(licences, live=False, detail=True)
    assert said["push"].startswith("Do not push now: the password of Vault CRM was refused")
    assert said["checks"] is None


def test_what_blocks_a_push_is_said_in_the_same_sentence(licences: Licences, people: list[str]) -> None:
    licences.vault.control("PUT", "permissions", {"objects": {"user__sys": {"edit": False}}})
    said = ask(licences, detail=True)
    assert said["push"].startswith("Do not push now: a push is blocked before the first write")
    assert said["healthy"] is False
    assert said["findings"][0]["level"] == "broken"


def test_what_was_given_up_is_counted(
    licences: Licences, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="given-up")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    monkeypatch.setenv("CHANGE_DEAD_LETTER_QUEUE_URL", url)
    said = ask(licences, detail=True)
    assert whats(said)[0] == "1 message could not be applied (of all organizations of this stack)."
