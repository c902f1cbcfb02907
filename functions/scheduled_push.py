"""Lambda: pushes of one organization to Vault CRM and to apps; started by a schedule, a workflow or an admin.

    {"organization", "by", "preview"?, "start"?}     "start": true answers the run's id at once
    {"organization", "by", "connections": ["scim.gong"], …}     to this app (O2); else to Vault CRM first
    {"organization", "by", "connections": ["scim.gong"], "compare": true, …}     what others did there
    {"organization", "by", "retry_login": true}      sends a password that was refused once more, then pushes
    {"organization", "run_id"}                       goes on with a run that answered `continue`
    {"organization", "approve": run id, "by", "plan_hash"?} | {"organization", "reject": run id, "by"}
    {"organization", "undo": run id, "by", "preview"?, "start"?}     asks back what a push has sent (Q2)

Each connection is a push of its own (P1 to P6): `connections_left` in an answer names those to come, and the
schedules' workflow goes on with them by `turn`. `by` says who asks; the schedules' own `schedule` begins
pushes and decides about none. `docs/operations.md` has the answers, `events/scheduled_push_*.json` one event
of each kind to paste.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AfterValidator, Field, model_validator

from muster import bootstrap
from muster.admin_requests import RunRequest, answer_run, settings_of
from muster.connections import checking
from muster.crm import vault_fields
from muster.crm.scim_resources import USERS
from muster.engage.ports import Ports
from muster.engage.steps import EngageTarget, require_something_to_push
from muster.errors import Downtime, MusterError, Problem, Rejected
from muster.observability import logger, metrics
from muster.presentation import plans, sendings
from muster.presentation.answers import Answer, Layout
from muster.pushes.pushing import Pushing
from muster.runs.answer import Ended, RunAnswer
from muster.runs.kinds import UNDO
from muster.runs.running import SCHEDULE
from muster.settings import mappings
from muster.settings.values import Listed
from muster.settings.versions import StoredSettings
from muster.undo.undoing import Undoing
from muster.validation import did_you_mean, refused

VAULT_CRM = "vault_crm"


def _lines(answer: Answer) -> Sequence[str]:
    """Return what a push sends, or what the undo of one asks for."""
    is_undo = answer.get("mode") == UNDO.name or "undoes" in answer
    return plans.lines(answer) if is_undo else sendings.lines(answer)


_LAYOUT = Layout(_lines, only_in_detail=frozenset({"changes", "tally", "plan", "blocked_by"}))


def _some(connections: tuple[str, ...]) -> tuple[str, ...]:
    if not connections:
        raise refused("is empty", "Name vault_crm or an app, or leave the key out.")
    return connections


class Push(RunRequest):
    """One event: push what is pending, or what to do with a run."""

    connections: Annotated[Listed[str], AfterValidator(_some)] = ()
    # How many of the connections the workflow has had pushed already.
    turn: Annotated[int, Field(ge=0, le=20)] = 0
    retry_login: bool = False
    compare: bool = False

    @model_validator(mode="after")
    def _retried_by_a_person(self) -> Self:
        if self.retry_login and self.by in (SCHEDULE, None):
            raise refused(
                "has retry_login without a person who asks",
                "Say who, in by: a wrong password may lock the user.",
            )
        return self

    @model_validator(mode="after")
    def _compared_anew(self) -> Self:
        if self.compare and (self.names_a_run or self.undo):
            raise refused("has compare for a run that is there", "Compare goes without one.")
        return self


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Work on one organization's push until it ends, parks, or the time is nearly up."""
    try:
        said, answer = answer_run(
            event,
            Push,
            lambda asked: _push(
                asked, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id
            ),
            _LAYOUT,
        )
    except MusterError as error:
        _count_failure(error)
        raise
    # Only a plan that was not waiting already is news.
    parked = answer is not None and answer.ended is Ended.PARKED and answer.is_news
    metrics.add_metric("PushesParked", MetricUnit.Count, int(parked))
    # An undo sends nothing: the next push does.
    if answer is not None and answer.ended is Ended.APPLIED and "undoes" not in answer.details:
        metrics.add_metric("PushesSucceeded", MetricUnit.Count, 1)
    return said


def _count_failure(error: MusterError) -> None:
    logger.error("push failed", error=type(error).__name__, reason=str(error))
    metrics.add_metric("PushesFailed", MetricUnit.Count, 1)


def _push(asked: Push, remaining: Callable[[], float], request_id: str) -> RunAnswer:
    stored = settings_of(asked.organization)
    name, more = _connection_of(asked, stored)
    if name is None:
        return RunAnswer(ended=Ended.SKIPPED, message="Everything is pushed.")
    reporter = bootstrap.run_reporter(stored, "push", _now, name)

    def work() -> RunAnswer:
        try:
            if name == VAULT_CRM:
                return _pushed(asked, stored, remaining, request_id)
            return _pushed_to_app(asked, stored, name, remaining, request_id)
        except Downtime as error:
            # Announced, and told: nobody need be alarmed. Workflows do not say who goes on with a run.
            if asked.by not in (SCHEDULE, None):
                raise
            return RunAnswer(ended=Ended.SKIPPED, message=f"{error}. The push is made after that.")

    try:
        answer = reporter.around(work, scheduled=asked.is_begun_by_schedule)
    except MusterError as error:
        if asked.by != SCHEDULE or not more:
            raise
        # One connection that fails stops no other (P6); the workflow ends red all the same.
        _count_failure(error)
        answer = RunAnswer(ended=Ended.FAILED, message=str(error))
    return _with_more(asked, answer, more) if more else answer


def _connection_of(asked: Push, stored: StoredSettings) -> tuple[str | None, tuple[str, ...]]:
    """Return which connection is pushed to, `None` for none that is left, and which come after it."""
    if run_id := asked.run_id or asked.approve or asked.reject or asked.undo:
        run = bootstrap.run_table().run(asked.organization, run_id)
        return (run.app if run else None) or VAULT_CRM, ()
    there = [VAULT_CRM, *(name for name, _ in stored.settings.connections.targets())]
    for index, name in enumerate(asked.connections):
        if name not in there:
            remedy = f"{did_you_mean(name, there)} Apps are named like scim.gong."
            raise Rejected(Problem(f"connections[{index}]", f"names {name}, which is not pushed to", remedy))
    # Where nothing is pushed, Vault CRM's push says what it lacks.
    wanted = asked.connections or mappings.pushed_to(stored.settings) or (VAULT_CRM,)
    turn, *more = wanted[asked.turn :] or (None,)
    return turn, tuple(more)


def _with_more(asked: Push, answer: RunAnswer, more: tuple[str, ...]) -> RunAnswer:
    """Return the answer, which says what else is to be pushed: the schedules' workflow goes on with it."""
    message = answer.message
    if asked.by != SCHEDULE:
        message += f" To come, each a push of its own: {', '.join(more)} (connections)."
    return replace(answer, message=message, details={**answer.details, "connections_left": list(more)})


def _pushed(
    asked: Push, stored: StoredSettings, remaining: Callable[[], float], request_id: str
) -> RunAnswer:
    if asked.compare:
        raise Rejected(
            Problem(
                "compare",
                "is about an app, and this push is to Vault CRM",
                "Name the app: connections: [scim.gong].",
            )
        )
    connection = stored.settings.connections.vault_crm
    if connection is None:
        remedy = "Add it to the settings: host, manage_features and the name of the secret."
        raise Rejected(Problem("connections.vault_crm", "is not in the settings", remedy))
    watching = bootstrap.health_tracker(asked.organization, VAULT_CRM, _now)
    connected = bootstrap.vault(connection)
    if asked.is_begun_by_schedule and (skipped := watching.skipped(connected.refusal)):
        return skipped
    if asked.retry_login:
        _retry_logins(stored, connected.retry_login)
    # Unwatched: who may not do something has a connection that works, and imports go on with it (P6).
    preflight = partial(checking.failed_push_checks, stored.settings, connected)
    with (
        watching.watched(connected) as vault,
        bootstrap.lent_align(stored, _now, scheduled=asked.is_begun_by_schedule) as align,
    ):
        if asked.by not in (SCHEDULE, None) and not asked.undo:
            watching.try_now(lambda: next(iter(vault.query(checking.HARMLESS_QUERY)), None))
        ports = Ports(
            runs=bootstrap.run_table(),
            archive=bootstrap.run_archive(),
            roster=bootstrap.roster_table(),
            vault=vault,
            preflight=preflight,
            fields=partial(connected.fields, vault_fields.OBJECT),
            wait=time.sleep,
            align=align,
            align_preflight=partial(bootstrap.failed_align_checks, stored),
            users=lambda: bootstrap.integration_users(
                stored.settings, [VAULT_CRM, *(["align"] if align else [])]
            ),
        )
        pushing = Pushing(
            stored,
            ports.of_runs,
            lambda clock: EngageTarget(ports, clock, stored.settings),
            _now,
            remaining,
            asked.hand_over,
            request_id,
        )
        undoing = Undoing(pushing.runs, bootstrap.undo_ports())
        if asked.undo:
            return undoing.start(asked.undo, asked.signer, preview=asked.preview)
        if said := asked.done_with(undoing.runs):
            return said
        require_something_to_push(stored.settings)
        return pushing.start(asked.signer, preview=asked.preview)


def _pushed_to_app(
    asked: Push, stored: StoredSettings, name: str, remaining: Callable[[], float], request_id: str
) -> RunAnswer:
    connection = dict(stored.settings.connections.targets()).get(name)
    if connection is None:
        remedy = "Put it back into the settings, or reject the run."
        raise Rejected(Problem(f"connections.{name}", "is not in the settings any more", remedy))
    if asked.undo:
        raise Rejected(
            Problem(
                "undo",
                f"is a push to {name}, which sent what the roster says",
                "Undo the import or the edit that led to it: the next push takes it back.",
            )
        )
    watching = bootstrap.health_tracker(asked.organization, name, _now)
    connected = bootstrap.app(connection)
    if asked.is_begun_by_schedule and (skipped := watching.skipped(connected.refusal)):
        return skipped
    if asked.retry_login:
        connected.retry_login()
    with watching.watched(connected) as app:
        if asked.by not in (SCHEDULE, None):
            watching.try_now(lambda: app.first_page(USERS))
        elif asked.is_begun_by_schedule:
            watching.probe(lambda: app.first_page(USERS))
        ports = bootstrap.app_ports(app, partial(checking.failed_app_checks, connection, connected))
        pushing = Pushing(
            stored,
            ports.of_runs,
            lambda clock: bootstrap.app_target(ports, clock, stored.settings, connection),
            _now,
            remaining,
            asked.hand_over,
            request_id,
            name,
        )
        if said := asked.done_with(pushing.runs):
            return said
        compares = asked.compare
        if asked.is_begun_by_schedule:
            # Once a week a scheduled push looks at all of the app; who has changed is pushed by the next.
            compares |= ports.states.state(asked.organization, name).is_to_be_compared(_now())
        return pushing.start(asked.signer, preview=asked.preview, compares=compares)


def _retry_logins(stored: StoredSettings, retry_vault_crm: Callable[[], None]) -> None:
    """Send passwords that were refused once more; raises what Vault CRM's login raises.

    An admin asks for it here, and not in preflight: whoever may only read could lock the users out (U8).
    """
    connection = stored.settings.connections.align
    if connection is not None:
        # A push does not depend on Align, and says itself that it was not reached.
        with suppress(MusterError):
            bootstrap.align(connection).retry_login()
    retry_vault_crm()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
