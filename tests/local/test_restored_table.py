"""A table that was restored is given to a stack, here to a second one in the same account and region."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.local_stack.deploying import deploy
from sandbox.local_stack.stack import LocalStack
from tests.local.conftest import People, Roster

SECOND, RESTORED = "muster-again", "muster-restored"


@pytest.fixture
def table(stack: LocalStack) -> Iterator[str]:
    """Return the ARN of a table that was restored from the stack's, as it is by now."""
    dynamodb = stack.client("dynamodb")
    made = dynamodb.restore_table_to_point_in_time(
        SourceTableName=stack.facts["table"], TargetTableName=RESTORED, UseLatestRestorableTime=True
    )
    dynamodb.get_waiter("table_exists").wait(TableName=RESTORED)
    yield str(made["TableDescription"]["TableArn"])
    dynamodb.delete_table(TableName=RESTORED)


@pytest.fixture
def second(stack: LocalStack, table: str, tmp_path: Path) -> Iterator[LocalStack]:
    """Return a second stack that uses the restored table, and lets some addresses call."""
    made = deploy(
        stack.facts["endpoint_url"],
        tmp_path / "deploy.log",
        SECOND,
        RestoredTableArn=table,
        # A restored table has no stream.
        MemberEvents="DISABLED",
        WebhookAllowedAddresses="192.0.2.0/24,198.51.100.0/24",
        CreateApiGatewayLogRole="false",
    )
    own = {"functions": made.functions, "state_machines": made.state_machines, "table": made.table}
    yield replace(stack, facts=stack.facts | own)
    cloudformation = stack.client("cloudformation")
    cloudformation.delete_stack(StackName=SECOND)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=SECOND, WaiterConfig={"Delay": 1})
    # The stack leaves its own table, which nobody used.
    dynamodb = stack.client("dynamodb")
    assert dynamodb.scan(TableName=made.table)["Count"] == 0
    dynamodb.update_table(TableName=made.table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=made.table)


@pytest.fixture
def known(people: People, roster: Roster) -> str:
    """Return the member id of somebody who is in the first stack's roster when its table is restored."""
    [member] = roster.once_settled(people.new().username)
    return str(member["id"])


def test_a_second_stack_goes_on_with_a_restored_table(known: str, second: LocalStack, roster: Roster) -> None:
    again = Roster(second)
    assert again.ask("organizations")["organizations"] == roster.ask("organizations")["organizations"]
    assert again.ask("member", member=known)["member"] == roster.ask("member", member=known)["member"]
    edit = {"member": known, "end_date": "2031-12-31"}
    said = second.invoke("MemberSettingsFunction", by="jane@acme.example", changes=[edit])
    assert said["status"] == "succeeded", said
    # What is written there is written to the restored table, and the first stack's stays as it was.
    assert again.ask("member", member=known)["member"]["end_date"] == "2031-12-31"
    assert roster.ask("member", member=known)["member"]["end_date"] is None
    # The workflow looks for organizations there, too: it fails where it has no table.
    second.run_state_machine("ScheduledPush")
