"""The only builder of real clients; each builder is cached for the life of the execution environment.

Imports sit inside the builders so that a function pays only for what it uses: the webhook loads
neither pydantic nor the roster (`tests/unit/test_rooms.py` holds that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Literal

from muster import environment
from muster.errors import Misconfigured

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

    from muster.adapters.aws.app_table import AppTable
    from muster.adapters.aws.change_queue import ChangeQueue
    from muster.adapters.aws.delivery_journal import DeliveryJournal
    from muster.adapters.aws.digest_note import DigestNote
    from muster.adapters.aws.event_bus import EventBus
    from muster.adapters.aws.export_files import ExportFiles
    from muster.adapters.aws.failure_queue import FailureQueue
    from muster.adapters.aws.inform_topic import InformTopic
    from muster.adapters.aws.journal import Journal
    from muster.adapters.aws.login_journal import LoginJournal
    from muster.adapters.aws.loss_table import LossTable
    from muster.adapters.aws.mail import Mail
    from muster.adapters.aws.mail_outbox import MailOutbox
    from muster.adapters.aws.queue_counts import QueueCounts
    from muster.adapters.aws.roster_table import RosterTable
    from muster.adapters.aws.roster_views import RosterViews
    from muster.adapters.aws.run_archive import RunArchive
    from muster.adapters.aws.run_table import RunTable
    from muster.adapters.aws.secrets import Secrets
    from muster.adapters.aws.settings_table import SettingsTable
    from muster.adapters.aws.snapshot_files import SnapshotFiles
    from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
    from muster.adapters.aws.user_pool import UserPool
    from muster.adapters.aws.webhook_journal import WebhookJournal
    from muster.adapters.aws.webhook_registry import WebhookRegistry
    from muster.adapters.aws.workflow import Workflow
    from muster.adapters.salesforce.client import Salesforce
    from muster.adapters.salesforce.metadata_client import SalesforceMetadata
    from muster.adapters.scim.client import Scim
    from muster.adapters.vault.client import Vault
    from muster.checks import Check
    from muster.connections.tracking_health import HealthTracker
    from muster.engage.ports import Vault as PushVault
    from muster.provisioning.ports import App, AppPorts, Target
    from muster.provisioning.steps import AppTarget
    from muster.reporting.reporting_runs import RunReporter
    from muster.runs.clock import RunClock
    from muster.settings import Settings
    from muster.settings.scim_connection import ScimConnection
    from muster.settings.sections import (
        AlignConnection,
        SalesforceConnection,
        SystemConnection,
        VaultCrmConnection,
    )
    from muster.settings.target_connection import TargetConnection
    from muster.settings.user_pool_connection import UserPoolConnection
    from muster.settings.versions import StoredSettings
    from muster.sources.ports import Salesforce as SalesforceUsers
    from muster.undo.ports import Ports as UndoPorts


@cache
def webhook_registry() -> WebhookRegistry:
    """Who may call the webhook, per organization."""
    from muster.adapters.aws.webhook_registry import WebhookRegistry

    return WebhookRegistry(_dynamodb(), environment.roster_table_name())


@cache
def webhook_journal() -> WebhookJournal:
    """When the webhook was set up, and when a message last arrived."""
    from muster.adapters.aws.webhook_journal import WebhookJournal

    return WebhookJournal(_dynamodb(), environment.roster_table_name())


@cache
def delivery_journal() -> DeliveryJournal:
    """Which notifications were followed, and how many API calls are used."""
    from muster.adapters.aws.delivery_journal import DeliveryJournal

    return DeliveryJournal(_dynamodb(), environment.roster_table_name())


@cache
def change_queue() -> ChangeQueue:
    """The queue between the webhook and the worker."""
    from muster.adapters.aws.change_queue import ChangeQueue

    return ChangeQueue(_sqs(), environment.change_queue_url())


@cache
def queue_counts() -> QueueCounts:
    """How many messages wait on the queues."""
    from muster.adapters.aws.queue_counts import QueueCounts

    events = environment.member_events_failure_queue_url()
    given_up = (*environment.dead_letter_queue_urls(), events)
    return QueueCounts(_sqs(), environment.change_queue_url(), given_up)


@cache
def settings_table() -> SettingsTable:
    """Every organization's settings, versioned."""
    from muster.adapters.aws.settings_table import SettingsTable

    return SettingsTable(_dynamodb(), environment.roster_table_name())


@cache
def roster_table() -> RosterTable:
    """The roster as the worker writes it."""
    from muster.adapters.aws.roster_table import RosterTable

    return RosterTable(_dynamodb(), environment.roster_table_name())


@cache
def loss_table() -> LossTable:
    """What messages took from members in the last hour."""
    from muster.adapters.aws.loss_table import LossTable

    return LossTable(_dynamodb(), environment.roster_table_name())


@cache
def roster_views() -> RosterViews:
    """The roster as people read it."""
    from muster.adapters.aws.roster_views import RosterViews

    return RosterViews(_dynamodb(), environment.roster_table_name())


@cache
def unlinked_holder_table() -> UnlinkedHolderTable:
    """Users of Vault CRM who have a group and are linked to nobody."""
    from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable

    return UnlinkedHolderTable(_dynamodb(), environment.roster_table_name())


@cache
def journal() -> Journal:
    """What happened in an organization, by time."""
    from muster.adapters.aws.journal import Journal

    return Journal(_dynamodb(), environment.roster_table_name())


@cache
def event_bus() -> EventBus | None:
    """The bus that member events go on; None where the template's MemberEvents is DISABLED."""
    import boto3

    from muster.adapters.aws.event_bus import EventBus

    name = environment.member_events_bus()
    if name is None:
        return None
    client = boto3.client("events", config=_client_config())
    return EventBus(client, name, environment.stack_name())


@cache
def failure_queue() -> FailureQueue:
    """Where history entries are kept that nobody can read."""
    from muster.adapters.aws.failure_queue import FailureQueue

    return FailureQueue(_sqs(), environment.member_events_failure_queue_url())


@cache
def run_table() -> RunTable:
    """The runs and the lease that each organization has for one of them."""
    from muster.adapters.aws.run_table import RunTable

    return RunTable(_dynamodb(), environment.roster_table_name())


@cache
def app_table() -> AppTable:
    """What pushes remember of apps."""
    from muster.adapters.aws.app_table import AppTable

    return AppTable(_dynamodb(), environment.roster_table_name())


@cache
def run_archive() -> RunArchive:
    """What runs read and planned."""
    from muster.adapters.aws.run_archive import RunArchive

    return RunArchive(_s3(), environment.run_archive_bucket_name())


@cache
def export_files() -> ExportFiles:
    """Files for people to fetch."""
    import boto3
    from botocore.config import Config

    from muster.adapters.aws.export_files import ExportFiles

    # A roster of a hundred thousand takes longer than an item; without version 4 links are refused.
    config = Config(connect_timeout=2, read_timeout=30, signature_version="s3v4")
    return ExportFiles(boto3.client("s3", config=config), environment.run_archive_bucket_name())


@cache
def snapshot_files() -> SnapshotFiles:
    """The snapshots of the roster."""
    from muster.adapters.aws.snapshot_files import SnapshotFiles

    return SnapshotFiles(_s3(), environment.run_archive_bucket_name())


@cache
def workflow() -> Workflow:
    """The state machine that goes on with this function's runs."""
    import boto3

    from muster.adapters.aws.workflow import Workflow

    return Workflow(boto3.client("stepfunctions", config=_client_config()), environment.workflow_arn())


def health_tracker(organization: str, connection: str, now: Callable[[], datetime]) -> HealthTracker:
    """Tracks the health of a connection; its failures and notices are counted as metrics."""
    from aws_lambda_powertools.metrics import MetricUnit

    from muster.connections.tracking_health import HealthTracker
    from muster.observability import emit, metrics
    from muster.reporting.run_metrics import UNITS, connection_failure

    def count(event: str) -> None:
        if event == "failed":
            emit(connection_failure(organization, connection), UNITS)
            return
        metrics.add_metric(f"Connections{event.capitalize()}", MetricUnit.Count, 1)

    return HealthTracker(organization, connection, run_table(), roster_table(), now, count)


def lent_vault_crm(
    stored: StoredSettings,
    now: Callable[[], datetime],
    *,
    scheduled: bool,
    left_alone: Callable[[str], object] = bool,
) -> AbstractContextManager[PushVault | None]:
    """The organization's Vault CRM for one run, if it has one that may be tried now (P6)."""
    connection = stored.settings.connections.vault_crm
    if connection is None:
        return nullcontext()
    tracker = health_tracker(stored.organization, "vault_crm", now)
    connected = vault(connection)
    return tracker.lent(connected, connected.refusal, scheduled=scheduled, left_alone=left_alone)


def lent_align(
    stored: StoredSettings,
    now: Callable[[], datetime],
    *,
    scheduled: bool,
    left_alone: Callable[[str], object] = bool,
) -> AbstractContextManager[PushVault | None]:
    """The organization's Align for one run, if it has one that may be tried now (P6)."""
    connection = stored.settings.connections.align
    if connection is None:
        return nullcontext()
    tracker = health_tracker(stored.organization, "align", now)
    connected = align(connection)
    return tracker.lent(connected, connected.refusal, scheduled=scheduled, left_alone=left_alone)


def failed_align_checks(stored: StoredSettings) -> list[Check]:
    """The failed ones of the checks that reading from and writing to Align depends on (U6)."""
    from muster.connections import checking
    from muster.settings.mappings import align_connection

    return checking.failed_align_checks(stored.settings, align(align_connection(stored.settings)))


def run_reporter(
    stored: StoredSettings,
    kind: Literal["import", "push"],
    now: Callable[[], datetime],
    pushed_to: str | None = None,
) -> RunReporter:
    """Reports an organization's runs to the alarms and the dashboard; pushes with the connection."""
    from functools import partial

    from muster import observability
    from muster.reporting.reporting_runs import RunReporter
    from muster.reporting.run_metrics import UNITS

    return RunReporter(
        stored,
        kind,
        run_table(),
        roster_table(),
        _secrets(stored.organization),
        now,
        partial(observability.emit, unit_of=UNITS),
        observability.warn_of_gauge,
        run_table(),
        pushed_to,
    )


def app_ports(app: Target, preflight: Callable[[], Sequence[Check]]) -> AppPorts:
    """The outside world of a push to an app, which is `app`; pushes to Vault CRM start without that."""
    from muster.provisioning.ports import AppPorts

    return AppPorts(
        runs=run_table(),
        archive=run_archive(),
        roster=roster_table(),
        states=app_table(),
        app=app,
        preflight=preflight,
    )


def app_target(
    ports: AppPorts, clock: RunClock, settings: Settings, connection: TargetConnection
) -> AppTarget:
    """An app in one invocation of a push."""
    from muster.provisioning.steps import AppTarget

    return AppTarget(ports, clock, settings, connection)


def undo_ports(salesforce: SalesforceUsers | None = None) -> UndoPorts:
    """The outside world of an organization's undos; without Salesforce, for those of pushes."""
    from muster.undo.ports import Ports

    return Ports(
        runs=run_table(),
        archive=run_archive(),
        roster=roster_table(),
        views=roster_views(),
        journal=journal(),
        salesforce=salesforce,
    )


def digest_note() -> DigestNote:
    """The note of the last digest, for one invocation."""
    from muster.adapters.aws.digest_note import DigestNote

    return DigestNote(_dynamodb(), environment.roster_table_name())


@cache
def inform_topic() -> InformTopic:
    """Who is informed of what can wait until the next morning."""
    import boto3
    from botocore.config import Config

    from muster.adapters.aws.inform_topic import InformTopic

    # Waiting long for an answer beats mailing twice; Lambda tries again.
    config = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1})
    return InformTopic(boto3.client("sns", config=config), environment.inform_topic_arn())


@cache
def mail_outbox() -> MailOutbox:
    """New members, and the mails about them that have not been sent."""
    from muster.adapters.aws.mail_outbox import MailOutbox

    return MailOutbox(_dynamodb(), environment.roster_table_name())


@cache
def mail() -> Mail | None:
    """Mails from the template's MailFrom; None where that is empty."""
    import boto3
    from botocore.config import Config

    from muster.adapters.aws.mail import Mail

    sender = environment.mail_from()
    if sender is None:
        return None
    # Waiting long for an answer beats sending twice; the tries are for a sending rate that is used up.
    config = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
    return Mail(boto3.client("sesv2", config=config), sender)


@cache
def salesforce(connection: SalesforceConnection) -> Salesforce:
    """The Salesforce org of a connection, with its session; as patient as an import of everyone needs."""
    from muster.adapters.salesforce.client import Salesforce

    return Salesforce(connection, _reachable(connection))


@cache
def brisk_salesforce(connection: SalesforceConnection, usage_limit: float = 0.95) -> Salesforce:
    """The same for a function of 90 seconds: three tries and their waits are over before it is.

    It calls nothing while more than `usage_limit` of the org's API calls are used.
    """
    from muster.adapters.salesforce.client import Salesforce

    return Salesforce(
        connection, _reachable(connection), timeout=(5, 15), longest_wait_s=5, usage_limit=usage_limit
    )


@cache
def salesforce_metadata(connection: SalesforceConnection) -> SalesforceMetadata:
    """The setup of a connection's Salesforce org, for putting the webhook's sender there."""
    from muster.adapters.salesforce.metadata_client import SalesforceMetadata

    return SalesforceMetadata(connection, _reachable(connection), timeout=(5, 20), longest_wait_s=5)


@cache
def vault(connection: VaultCrmConnection) -> Vault:
    """The Vault CRM of a connection, with its session."""
    from muster.adapters.vault.client import Vault

    return Vault(connection, _reachable(connection), _login_journal(), client_id=connection.client_id)


@cache
def align(connection: AlignConnection) -> Vault:
    """The Align vault of a connection, with its session; less patient, for a push does not depend on it."""
    from muster.adapters.vault.client import Vault

    return Vault(
        connection, _reachable(connection), _login_journal(), "align", timeout=(5, 20), longest_wait_s=5
    )


@cache
def brisk_vault(connection: VaultCrmConnection) -> Vault:
    """The Vault CRM of a connection for somebody who waits for the answer: not as patient as `vault`."""
    from muster.adapters.vault.client import Vault

    return Vault(
        connection,
        _reachable(connection),
        _login_journal(),
        client_id=connection.client_id,
        timeout=(5, 20),
        longest_wait_s=5,
    )


def app(connection: TargetConnection) -> App:
    """The app of a connection, whatever kind it is, with the patience of a push."""
    from muster.settings.scim_connection import ScimConnection
    from muster.settings.user_pool_connection import UserPoolConnection

    match connection:
        case ScimConnection():
            return scim(connection)
        case UserPoolConnection():
            return user_pool(connection)
    raise AssertionError(connection.kind)


def brisk_app(connection: TargetConnection) -> App:
    """The same for who leaves: an app that does not answer soon holds up others who leave."""
    from muster.adapters.scim.client import Scim
    from muster.settings.scim_connection import ScimConnection

    if isinstance(connection, ScimConnection):
        return Scim(connection, _reachable(connection), _login_journal(), timeout=(3, 10), longest_wait_s=5)
    return app(connection)


def scim(connection: ScimConnection) -> Scim:
    """A SCIM target, with the patience of a push: it waits for a minute where it is told to."""
    from muster.adapters.scim.client import Scim

    return Scim(connection, _reachable(connection), _login_journal(), longest_wait_s=65)


def brisk_scim(connection: ScimConnection) -> Scim:
    """A SCIM target for somebody who waits for the answer."""
    from muster.adapters.scim.client import Scim

    return Scim(connection, _reachable(connection), _login_journal(), timeout=(5, 20), longest_wait_s=5)


def user_pool(connection: UserPoolConnection) -> UserPool:
    """A Cognito user pool, called in its own region by the function's role."""
    import boto3
    from botocore.config import Config

    from muster.adapters.aws.user_pool import UserPool

    # What is asked may be asked again, so the client's own tries are enough.
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    client = boto3.client("cognito-idp", region_name=connection.region, config=config)
    return UserPool(client, connection)


def integration_users(settings: Settings, names: Iterable[str]) -> dict[str, str]:
    """The ids of the users in whose name these connections have been called, as far as they have (U5)."""
    connections = settings.connections
    clients = {
        "salesforce": salesforce(connections.salesforce) if connections.salesforce else None,
        "vault_crm": vault(connections.vault_crm) if connections.vault_crm else None,
        "align": align(connections.align) if connections.align else None,
    }
    return {name: user for name in names if (client := clients[name]) and (user := client.user_id)}


def secrets(organization: str) -> Secrets:
    """An organization's credentials, for checks that report what is wrong with them."""
    return _secrets(organization)


def _reachable(connection: SystemConnection) -> Secrets:
    """Return what opens a connection; raises `Misconfigured` if it leads to this very machine on AWS (T2)."""
    from muster.settings.values import is_loopback

    if is_loopback(connection.host) and not environment.on_local_stack():
        raise Misconfigured(
            f"the host {connection.host} is for the local stack, and nothing is called there; put settings"
            " with the host of the real system"
        )
    return _secrets(connection.organization)


@cache
def _login_journal() -> LoginJournal:
    from muster.adapters.aws.login_journal import LoginJournal

    return LoginJournal(_dynamodb(), environment.roster_table_name())


@cache
def _secrets(organization: str) -> Secrets:
    from muster.adapters.aws.secrets import Secrets

    return Secrets(_secrets_manager(), organization)


@cache
def _secrets_manager() -> SecretsManagerClient:
    import boto3

    return boto3.client("secretsmanager", config=_client_config())


@cache
def _dynamodb() -> DynamoDBClient:
    import boto3

    return boto3.client("dynamodb", config=_client_config())


@cache
def _s3() -> S3Client:
    import boto3

    return boto3.client("s3", config=_client_config())


@cache
def _sqs() -> SQSClient:
    import boto3

    return boto3.client("sqs", config=_client_config())


def _client_config() -> Config:
    from botocore.config import Config

    # Table and queue answer within milliseconds. Fail soon enough for the webhook to say `Ack false`, and
    # leave further tries to Salesforce and the queue: one layer retries, not three.
    return Config(connect_timeout=1, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})
