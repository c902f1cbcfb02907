"""Lambda: the outbound message and the flow that send Salesforce's users here, set up in Salesforce (U7).

    {"organization", "action": "status"}
    {"organization", "action": "install" | "refresh" | "rotate_token" | "remove", "by", "check_only"?}

`install` and `refresh` do the same: what is missing or differs is deployed, and nothing else. An answer
with the status `continue` is not the end: Salesforce is still at it; send the same event again.
`docs/operations.md` has the links of the chain, `events/webhook_setup_*.json` one event of each kind.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap, environment
from muster.admin_requests import Action, Request, SignedRequest, answer, settings_of
from muster.errors import Problem, Rejected
from muster.observability import logger
from muster.presentation import checks
from muster.presentation.answers import Layout
from muster.webhook_setup.ports import Ports
from muster.webhook_setup.setting_up import SettingUp

_LAYOUT = Layout(checks.setup, only_in_detail=frozenset({"checks", "setup", "changed"}))


class Status(Request):
    """Which link of the chain from Salesforce to Muster is broken, if any; changes nothing."""

    check_only: bool = False


class Change(SignedRequest):
    """Something to do in Salesforce; with `check_only` nothing is deployed."""

    check_only: bool = False


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Answer one admin request."""

    def setting_up(organization: str) -> SettingUp:
        return _setting_up(organization, lambda: context.get_remaining_time_in_millis() / 1000)

    def reconcile(to: Change) -> dict[str, Any]:
        rotate = to.action == "rotate_token"
        setting = setting_up(to.organization)
        return setting.reconcile(to.action, to.by, rotate=rotate, check_only=to.check_only)

    return answer(
        event,
        {
            "status": Action(Status, lambda to: setting_up(to.organization).status(), layout=_LAYOUT),
            "install": Action(Change, reconcile, layout=_LAYOUT),
            "refresh": Action(Change, reconcile, layout=_LAYOUT),
            "rotate_token": Action(Change, reconcile, layout=_LAYOUT),
            "remove": Action(
                Change, lambda to: setting_up(to.organization).remove(to.by, check_only=to.check_only)
            ),
        },
    )


def _setting_up(organization: str, remaining: Callable[[], float]) -> SettingUp:
    stored = settings_of(organization)
    connection = stored.settings.connections.salesforce
    if connection is None:
        remedy = "Add it to the settings: host, organization_id and the name of the secret."
        raise Rejected(Problem("connections.salesforce", "is not in the settings", remedy))
    ports = Ports(
        salesforce=bootstrap.salesforce_metadata(connection),
        webhooks=bootstrap.webhook_registry(),
        journal=bootstrap.webhook_journal(),
        wait=time.sleep,
    )
    return SettingUp(stored.settings, connection, environment.webhook_base_url(), ports, _now, remaining)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
