"""Starts a world: AWS from the template's own resources, sandboxes of Salesforce, Vault CRM and an app.

All in one process and without a socket. Whatever client the functions build is watched.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.retries.quota import RetryQuota
from moto import mock_aws

import deprovisioning
import group_assignment
import member_settings
import morning_digest
import organization_settings
import outbound_user_webhook
import roster_query
import scheduled_import
import scheduled_push
import user_change_worker
import webhook_setup
from muster.adapters.aws.login_journal import LoginJournal
from muster.adapters.scim.client import Scim
from muster.adapters.vault.client import Vault
from tests.doubles.aws import forget_clients, table_properties
from tests.doubles.salesforce_in_process import HOST, SalesforceInProcess, organization_in_process
from tests.doubles.scim_in_process import ScimInProcess, scim_in_process
from tests.doubles.vault_in_process import VaultInProcess, vault_in_process
from tests.examples import lambda_context
from tests.simulation.harness import salesforce_wire, scim_wire, vault_wire
from tests.simulation.harness.clock import Clock
from tests.simulation.harness.faults import Wire
from tests.simulation.harness.http_wire import HttpWire
from tests.simulation.harness.messages import ORGANIZATION_ID
from tests.simulation.harness.quick_archive import QuickArchive
from tests.simulation.harness.quick_calls import quick_calls
from tests.simulation.harness.strict_aws import strict
from tests.simulation.harness.world import World

SENDER = "muster@acme.example"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ROSTER_TABLE_NAME": "roster",
    "RUN_ARCHIVE_BUCKET_NAME": "archive",
    "MAIL_FROM": SENDER,
    "WEBHOOK_BASE_URL": "https://api.example.com/v2",
    "DASHBOARD_URL": "https://console.example/dashboard",
    "ON_LOCAL_STACK": "true",
    # Bodies go to S3 as they are.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}
HANDLERS = (
    deprovisioning,
    group_assignment,
    member_settings,
    morning_digest,
    organization_settings,
    outbound_user_webhook,
    roster_query,
    scheduled_import,
    scheduled_push,
    user_change_worker,
    webhook_setup,
)
# A handful of people is to need several pages, chunks and parts; in production it takes thousands.
SMALL = {
    "sandbox.salesforce.query.SMALLEST_PAGE": 3,
    "muster.adapters.salesforce.client.ROWS_A_PAGE": 3,
    "muster.imports.applying.LOOKED_UP_AT_ONCE": 2,
    "muster.imports.looking_up.LOOKED_UP_AT_ONCE": 2,
    "muster.imports.looking_up.USERS_A_PART": 3,
    "muster.runs.work.ITEMS_A_PART": 3,
    "muster.engage.steps.RECORDS_A_CALL": 2,
    "muster.provisioning.gathering_accounts.LOOKED_UP_AT_ONCE": 3,
    "muster.provisioning.looking.MANY": 3,
    "muster.provisioning.sending_accounts.AT_ONCE": 3,
}

QUEUES = {
    "CHANGE_QUEUE_URL": "changes",
    "CHANGE_DEAD_LETTER_QUEUE_URL": "changes-given-up",
    "SCHEDULE_DEAD_LETTER_QUEUE_URL": "starts-given-up",
    "MEMBER_EVENTS_FAILURE_QUEUE_URL": "events-given-up",
}


@contextmanager
def opened(template: Mapping[str, Any]) -> Iterator[World]:
    """Start a world, with the template's own table; one serves any number of runs, each after a `reset`."""
    clock = Clock()
    with (
        pytest.MonkeyPatch.context() as patch,
        mock_aws(),
        quick_calls(),
        strict() as rules,
        organization_in_process(clock.now, ORGANIZATION_ID) as salesforce,
        vault_in_process(clock=clock) as vault,
        scim_in_process(clock=clock) as scim,
    ):
        rules.archive = QuickArchive()
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        _hurry(patch, clock)
        for module in HANDLERS:
            patch.setattr(module, "datetime", clock)
        for name, size in SMALL.items():
            patch.setattr(name, size)
        _resources(template, salesforce, vault, scim)
        for variable, queue in QUEUES.items():
            patch.setenv(variable, boto3.client("sqs").create_queue(QueueName=queue)["QueueUrl"])
        boto3.client("events").create_event_bus(Name="members")
        patch.setenv("MEMBER_EVENTS_BUS", "members")
        patch.setenv("INFORM_TOPIC_ARN", boto3.client("sns").create_topic(Name="informs")["TopicArn"])
        wire = Wire()
        _watch_clients(patch, wire)
        sites = {
            HOST: salesforce_wire.site(salesforce),
            vault_wire.HOST: vault_wire.site(vault),
            scim_wire.HOST: scim_wire.site(scim),
        }
        HttpWire(wire, sites).install(patch)
        forget_clients()
        world = World(wire, rules, lambda_context(), clock, salesforce, vault, scim)
        world.clear()
        yield world
    forget_clients()


def _hurry(patch: pytest.MonkeyPatch, clock: Clock) -> None:
    # botocore waits up to seconds before it tries again, and after many failures stops trying:
    # neither is what is tested, and the second would make a run depend on the ones before it.
    patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    patch.setattr(RetryQuota, "acquire", lambda *_: True)
    # Between two tries, and while others are at work, only the simulated time passes.
    patch.setitem(Vault.__init__.__kwdefaults__ or {}, "sleep", clock.pass_s)
    patch.setitem(Scim.__init__.__kwdefaults__ or {}, "sleep", clock.pass_s)
    patch.setitem(Scim.__init__.__kwdefaults__ or {}, "clock", lambda: clock.moment.timestamp())
    patch.setitem(LoginJournal.__init__.__kwdefaults__ or {}, "sleep", clock.pass_s)
    patch.setitem(LoginJournal.__init__.__kwdefaults__ or {}, "clock", lambda: clock.moment.timestamp())
    for module in (scheduled_push, webhook_setup):
        patch.setattr(module, "time", SimpleNamespace(sleep=clock.pass_s))


def _resources(
    template: Mapping[str, Any], salesforce: SalesforceInProcess, vault: VaultInProcess, scim: ScimInProcess
) -> None:
    """Make what the functions find in their account, but for queues."""
    boto3.client("dynamodb").create_table(TableName="roster", **table_properties(dict(template)))
    boto3.client("s3").create_bucket(Bucket="archive")
    boto3.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    token = json.dumps({"token": scim.app.token})
    secrets = {"salesforce": salesforce.secret, "vault_crm": vault.secret, "scim/app": token}
    for name, secret in secrets.items():
        boto3.client("secretsmanager").create_secret(Name=f"muster/acme/{name}", SecretString=secret)


def _watch_clients(patch: pytest.MonkeyPatch, wire: Wire) -> None:
    """Have every client that the functions build watched; one a service, for building it takes long."""
    build = boto3.client
    built: dict[str, BaseClient] = {}

    def client(service: str, **options: Any) -> BaseClient:
        if service not in built:
            built[service] = build(service, **options)  # type: ignore[call-overload]  # any of them
            wire.watch(built[service])
        return built[service]

    patch.setattr(boto3, "client", client)
