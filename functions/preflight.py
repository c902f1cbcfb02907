"""Lambda: checks an organization's connections, from the secret to the last permission; changes nothing (U1).

    {"organization"}                                    every connection of the settings
    {"organization", "connections": ["vault_crm", …]}   only these; an app is named like scim.gong
    {"organization", "candidates": true}                also who may be Align's integration user

Answers `checks`, each with what was found and what to do; `docs/operations.md` has them all,
`events/preflight_*.json` one event of each kind to paste.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AfterValidator

from muster import bootstrap
from muster.admin_requests import Event, answer_one, settings_of
from muster.connections.checking import Checking
from muster.connections.ports import Ports
from muster.observability import logger
from muster.presentation import checks
from muster.presentation.answers import Layout
from muster.settings.values import Listed
from muster.validation import did_you_mean, refused

_CONNECTIONS = ("salesforce", "vault_crm", "align")


def _some(connections: tuple[str, ...]) -> tuple[str, ...]:
    if not connections:
        raise refused("is empty", "Name some connections, or leave the key out for all.")
    return connections


def _connection(name: str) -> str:
    if name not in _CONNECTIONS and not re.fullmatch(r"(scim|cognito)\.[a-z][a-z0-9_-]{0,39}", name):
        raise refused(
            f"is {name[:80]!r}, which is no connection",
            f"{did_you_mean(name, _CONNECTIONS)} An app is named like scim.gong or cognito.portal.",
        )
    return name


class Preflight(Event):
    """One event: which connections to check, all of them where none is named."""

    connections: Annotated[Listed[Annotated[str, AfterValidator(_connection)]], AfterValidator(_some)] = ()
    candidates: bool = False


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Check the connections; what is wrong with them is in the answer."""
    return answer_one(
        event,
        Preflight,
        lambda asked: _checked(asked, lambda: context.get_remaining_time_in_millis() / 1000),
        Layout(checks.lines, only_in_detail=frozenset({"checks", "candidates"})),
    )


def _checked(asked: Preflight, remaining: Callable[[], float]) -> dict[str, Any]:
    stored = settings_of(asked.organization)
    ports = Ports(
        secrets=bootstrap.secrets(asked.organization),
        runs=bootstrap.run_table(),
        salesforce=bootstrap.brisk_salesforce,
        vault_crm=bootstrap.brisk_vault,
        align=bootstrap.align,
        scim=bootstrap.brisk_scim,
        user_pool=bootstrap.user_pool,
    )
    today = datetime.now(UTC).date()  # noqa: TID251 - a handler is who asks the clock
    checking = Checking(stored.settings, ports, remaining, today)
    return checking.check(asked.connections or None, candidates=asked.candidates)
