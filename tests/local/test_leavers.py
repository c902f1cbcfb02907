"""Who leaves is closed in an app and signed out of a user pool within a minute of the message (O4, W10)."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.local_stack import filling
from sandbox.local_stack.app_admin import AppAdmin
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import APP, POOL, LocalStack
from sandbox.local_stack.user_pool import People as PoolPeople
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster

MEDIAN_S = 60


@pytest.fixture
def app(stack: LocalStack) -> Iterator[AppAdmin]:
    """Return the app, connected beside the pool."""
    settings = stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
    connected = settings["connections"] | filling.connections(stack)
    _put(stack, settings | {"connections": connected})
    yield AppAdmin(stack)
    _put(stack, settings)


def _put(stack: LocalStack, settings: dict[str, Any]) -> None:
    """Save settings; to take an app out in which accounts stay open waits for approval."""
    said = stack.invoke("OrganizationSettingsFunction", action="put", by="test", settings=settings)
    if said["status"] == "parked":
        run = said["run_id"]
        said = stack.invoke("OrganizationSettingsFunction", action="approve", by="test", run_id=run)
    assert said["status"] == "succeeded", said


def test_a_message_of_salesforce_closes_accounts_and_sessions(
    stack: LocalStack, salesforce: SalesforceAdmin, people: People, roster: Roster, app: AppAdmin
) -> None:
    leaver, colleague = people.new(), people.new()
    pool = PoolPeople(stack)
    pool.add([leaver.username, colleague.username])
    sessions = {each.username: pool.sign_in(each.username) for each in (leaver, colleague)}
    for each in (leaver, colleague):
        assert roster.once_settled(each.username, active=True)
    for connection in (f"scim.{APP}", f"cognito.{POOL}"):
        said = stack.invoke("ScheduledPushFunction", connections=[connection], by="test")
        assert said["status"].startswith("succeeded"), said
    assert app.is_active(leaver.username)
    assert app.is_active(colleague.username)

    salesforce.change_user(leaver.id, IsActive=False)
    wait_until(
        lambda: not app.is_active(leaver.username) and not pool.is_enabled(leaver.username),
        "the leaver is closed in both, without a push",
        seconds=min(PATIENCE_S, MEDIAN_S),
    )
    assert not sessions[leaver.username].is_renewed()
    assert app.is_active(colleague.username)
    assert sessions[colleague.username].is_renewed()
    wait_until(lambda: _states(roster, leaver.username) == {"inactive"}, "it is recorded", seconds=PATIENCE_S)


def test_nothing_was_given_up(stack: LocalStack) -> None:
    found = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.resource("DeprovisioningFailureQueue"),
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "0"


def _states(roster: Roster, username: str) -> set[str]:
    [member] = roster.people(username)
    return {each["state"] for each in member.get("accounts", {}).values()}
