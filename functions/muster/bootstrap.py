"""The only builder of real clients; each builder is cached for the life of the execution environment.

Imports sit inside the builders so that a function pays only for what it uses: the webhook loads
neither pydantic nor the roster (`tests/unit/test_layers.py` holds that).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from muster import environment

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from muster.adapters.change_queue import ChangeQueue
    from muster.adapters.roster_table import RosterTable
    from muster.adapters.roster_views import RosterViews
    from muster.adapters.settings_table import SettingsTable
    from muster.adapters.webhook_registry import WebhookRegistry


@cache
def webhook_registry() -> WebhookRegistry:
    """Who may call the webhook, per organization."""
    from muster.adapters.webhook_registry import WebhookRegistry

    return WebhookRegistry(_dynamodb(), environment.roster_table_name())


@cache
def change_queue() -> ChangeQueue:
    """The queue between the webhook and the worker."""
    from muster.adapters.change_queue import ChangeQueue

    return ChangeQueue(_sqs(), environment.change_queue_url())


@cache
def settings_table() -> SettingsTable:
    """Every organization's settings, versioned."""
    from muster.adapters.settings_table import SettingsTable

    return SettingsTable(_dynamodb(), environment.roster_table_name())


@cache
def roster_table() -> RosterTable:
    """The roster as the worker writes it."""
    from muster.adapters.roster_table import RosterTable

    return RosterTable(_dynamodb(), environment.roster_table_name())


@cache
def roster_views() -> RosterViews:
    """The roster as people read it."""
    from muster.adapters.roster_views import RosterViews

    return RosterViews(_dynamodb(), environment.roster_table_name())


@cache
def _dynamodb() -> DynamoDBClient:
    import boto3

    return boto3.client("dynamodb", config=_client_config())


@cache
def _sqs() -> SQSClient:
    import boto3

    return boto3.client("sqs", config=_client_config())


def _client_config() -> Config:
    from botocore.config import Config

    # Table and queue answer within milliseconds. Fail soon enough for the webhook to say `Ack false`, and
    # leave further tries to Salesforce and the queue: one layer retries, not three.
    return Config(connect_timeout=1, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})
