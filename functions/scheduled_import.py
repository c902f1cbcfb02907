"""Lambda: imports of one organization; started by a schedule, a workflow or an admin (I1 to I12).

    {"organization", "mode": "full" | "incremental", "by", "preview"?}
    {"organization", "members": [id, e-mail address, username or CRM id, …], "by", "preview"?}   these people
    any of them with "start": true                   answers the run's id at once; a workflow goes on with it
    {"organization", "run_id"}                       goes on with a run that answered `continue`
    {"organization", "approve": run id, "by", "plan_hash"?} | {"organization", "reject": run id, "by"}
    {"organization", "undo": run id, "by", "preview"?, "start"?}    puts back what an import changed (Q2)

`by` says who asks; `schedule` is the schedules' own, who begin runs of everyone and decide about none.
`docs/operations.md` has the answers, `events/scheduled_import_*.json` one event of each kind to paste.
"""

import gc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AfterValidator, Field, model_validator

from muster import bootstrap
from muster.admin_requests import RunRequest, answer_run, settings_of
from muster.engage.ports import Vault
from muster.errors import MusterError, Problem, Rejected
from muster.imports.importing import Importing
from muster.imports.notifying_managers import MailSummary, ManagerNotifier
from muster.imports.ports import Ports
from muster.observability import emit, logger, metrics
from muster.presentation import plans
from muster.presentation.answers import Layout
from muster.references import Reference
from muster.reporting import run_metrics
from muster.roster import refuted_messages
from muster.roster.finding import find_named
from muster.roster.taking_snapshots import SnapshotTaker
from muster.runs.answer import Ended, RunAnswer
from muster.settings import Settings
from muster.settings.values import Listed
from muster.settings.versions import StoredSettings
from muster.undo.undoing import Undoing
from muster.validation import refused


def _some(members: tuple[str, ...]) -> tuple[str, ...]:
    if not members:
        raise refused("is empty", "Name somebody; without the key, mode is about everyone.")
    return members


# Pages of a hundred thousand users are many objects and no cycles: looking for some among them took a fifth
# of an import's processor time.
gc.set_threshold(1_000_000)

_EVERYONE = frozenset({"full", "incremental"})
_LAYOUT = Layout(
    plans.lines,
    only_in_detail=frozenset({"changes", "tally", "seats", "plan", "read", "frozen", "vault_crm", "align"}),
)


class Import(RunRequest):
    """One event: what to import, or what to do with a run."""

    mode: Literal["full", "incremental"] | None = None
    members: Annotated[Listed[Reference], AfterValidator(_some)] = Field(default=(), max_length=500)

    @property
    def is_for_people(self) -> bool:
        """Whether no schedule asks for this."""
        return bool(super().is_for_people or self.members)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(map(bool, [self.mode or self.members, self.undo, self.names_a_run])) != 1:
            raise refused(
                "asks for nothing, or for several things at once",
                "Say one of mode (full or incremental), members, run_id, approve, reject and undo.",
            )
        return self


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Work on one organization's import until it ends, parks, or the time is nearly up."""
    try:
        said, answer = answer_run(
            event,
            Import,
            lambda asked: _import(
                asked, lambda: context.get_remaining_time_in_millis() / 1000, context.aws_request_id
            ),
            _LAYOUT,
        )
    except MusterError as error:
        logger.error("import failed", error=type(error).__name__, reason=str(error))
        metrics.add_metric("RunsFailed", MetricUnit.Count, 1)
        raise
    # Only a plan that was not waiting already is news.
    parked = answer is not None and answer.ended is Ended.PARKED and answer.is_news
    metrics.add_metric("RunsParked", MetricUnit.Count, int(parked))
    # Previews and rejections succeed too, but bring nothing in.
    if answer is not None and answer.ended is Ended.APPLIED:
        _count_applied(answer)
    return said


def _count_applied(answer: RunAnswer) -> None:
    # Some people are not everyone.
    if answer.mode in _EVERYONE:
        metrics.add_metric("RunsSucceeded", MetricUnit.Count, 1)
    if refuted := (answer.counts or {}).get(refuted_messages.CODE):
        metrics.add_metric("MessagesRefuted", MetricUnit.Count, refuted)


def _import(asked: Import, remaining: Callable[[], float], request_id: str) -> RunAnswer:
    stored = settings_of(asked.organization)

    def work() -> RunAnswer:
        scheduled, left_alone = asked.is_begun_by_schedule, list[str]()
        with (
            bootstrap.lent_vault_crm(
                stored, _now, scheduled=scheduled, left_alone=left_alone.append
            ) as vault,
            bootstrap.lent_align(stored, _now, scheduled=scheduled, left_alone=left_alone.append) as align,
        ):
            ports = _ports(stored, vault, align, remaining, left_alone)
            importing = Importing(stored, ports, _now, remaining, asked.hand_over, request_id)
            undoing = Undoing(importing.runs, bootstrap.undo_ports(ports.salesforce))
            if asked.undo:
                return undoing.start(asked.undo, asked.signer, preview=asked.preview)
            return asked.done_with(undoing.runs) or _started(asked, importing)

    reporter = bootstrap.run_reporter(stored, "import", _now)
    answer = reporter.around(work, scheduled=asked.is_begun_by_schedule, daily=asked.mode == "full")
    if answer.ended is Ended.APPLIED and answer.mode == "full" and answer.run_id:
        _take_snapshot(asked.organization, answer.run_id, remaining)
    return answer


def _take_snapshot(organization: str, run: str, remaining: Callable[[], float]) -> None:
    """Take the day's snapshot of the roster, for questions about the past; the import has ended already."""
    taker = SnapshotTaker(
        organization,
        bootstrap.roster_views(),
        bootstrap.snapshot_files(),
        bootstrap.roster_table(),
        _now,
        remaining,
    )
    try:
        taken = taker.take(run)
    except MusterError as error:
        logger.error("snapshot failed", run=run, error=type(error).__name__, reason=str(error))
        return
    if taken:
        logger.info("snapshot taken", run=run, members=taken.members, parts=len(taken.parts))
        for reading in run_metrics.accounts(organization, taken.accounts):
            emit(reading, run_metrics.UNITS)


def _started(asked: Import, importing: Importing) -> RunAnswer:
    if asked.members:
        named = find_named(
            asked.members, asked.organization, bootstrap.roster_views(), importing.ports.salesforce
        )
        return importing.start("members", asked.signer, preview=asked.preview, named=named)
    return importing.start(asked.mode or "incremental", asked.signer, preview=asked.preview)


def _ports(
    stored: StoredSettings,
    vault: Vault | None,
    align: Vault | None,
    remaining: Callable[[], float],
    left_alone: Sequence[str],
) -> Ports:
    connection = stored.settings.connections.salesforce
    if connection is None:
        remedy = "Add it to the settings: host, organization_id and the name of the secret."
        raise Rejected(Problem("connections.salesforce", "is not in the settings", remedy))
    vault_crm = stored.settings.connections.vault_crm
    return Ports(
        runs=bootstrap.run_table(),
        archive=bootstrap.run_archive(),
        roster=bootstrap.roster_table(),
        salesforce=bootstrap.salesforce(connection),
        notify=lambda settings, run, new_since: _tell_managers(settings, run, remaining, new_since),
        holders=bootstrap.unlinked_holder_table(),
        # Past the tracking of health: a vault that does not tell this works all the same.
        base_licences=bootstrap.vault(vault_crm).base_licences if vault_crm else tuple,
        vault=vault,
        align=align,
        align_preflight=partial(bootstrap.failed_align_checks, stored),
        left_alone=left_alone,
        users=lambda: bootstrap.integration_users(
            stored.settings,
            ["salesforce", *(["vault_crm"] if vault else []), *(["align"] if align else [])],
        ),
    )


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock


def _tell_managers(
    settings: Settings, run: str, remaining: Callable[[], float], new_since: float | None
) -> None:
    """Mail managers about their new members (N1); a mail that fails is counted, and tried by the next run."""
    mail = bootstrap.mail()
    if settings.managers.notify and mail is None:
        logger.warning("managers.notify is on, but the template's MailFrom is empty: no mail is sent")
    notifying = ManagerNotifier(bootstrap.mail_outbox(), mail, bootstrap.roster_table(), _now(), remaining)
    mails = notifying.notify(settings, run, new_since)
    if mails != MailSummary():
        logger.info(
            "managers told",
            run=run,
            sent=mails.sent,
            waiting=mails.waiting,
            given_up=mails.given_up,
            failures=dict(mails.failures),
        )
    for name, count in (("MailsSent", mails.sent), ("MailsFailed", mails.failures.total())):
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)
