"""Allow one set-up of a webhook at a time; deploy its package once and wait for the result (U7)."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from muster.errors import MusterError, NotFound, OutcomeUnknown, Problem, Rejected, Stale, Unavailable
from muster.times import timestamp
from muster.webhook_setup.metadata import Deployment
from muster.webhook_setup.ports import Journal, Ports
from muster.webhook_setup.setup_record import Outcome, Setup

# Time reserved for reading back and answering, when Salesforce takes longer than the invocation has.
RESERVE_S = 60
_LONGEST_WAIT_S = 8.0
_STATUS = "Setup > Deployment Status"


class Unfinished(Exception):
    """A deployment is not finished, or may not even have begun; the text says what to do."""


@dataclass(slots=True)
class Claim:
    """The exclusive claim of one set-up on its organization; `before` is the previous set-up."""

    journal: Journal
    organization: str
    setup: Setup
    before: Setup | None

    @property
    def is_resumed(self) -> bool:
        """Whether this repeats the previous action, which may not have finished."""
        return self.before is not None and self.before.action == self.setup.action

    def record(self, **changes: Any) -> None:
        """Record progress; raises `Rejected` once another set-up has taken over."""
        becomes = replace(self.setup, **changes)
        try:
            self.journal.replace(self.organization, self.setup, becomes)
        except Stale as error:
            remedy = "See with the action status what Salesforce has now."
            problem = Problem("organization", "is now being set up by someone else", remedy)
            raise Rejected(problem) from error
        self.setup = becomes


@contextmanager
def claimed(
    journal: Journal, organization: str, action: str, by: str, now: datetime, seconds: float
) -> Iterator[Claim]:
    """Claim the organization for one set-up, for `seconds` at most; raises `Rejected` while another works."""
    before = journal.setup(organization)
    if before is not None and before.is_at_work(now):
        raise Rejected(_busy(before))
    until = now + timedelta(seconds=seconds)
    setup = Setup(action, by, timestamp(now), timestamp(until), secrets.token_hex(8)).after(before)
    try:
        journal.replace(organization, before, setup)
    except Stale as error:
        raise Rejected(_busy(journal.setup(organization))) from error
    claim = Claim(journal, organization, setup, before)
    try:
        yield claim
    except MusterError:
        # The original error matters more; an unreleased claim expires by itself.
        with suppress(MusterError):
            claim.record(outcome=Outcome.FAILED)
        raise


@dataclass(frozen=True, slots=True)
class Deploying:
    """Deploys within one invocation; `remaining` returns the seconds left of it."""

    ports: Ports
    remaining: Callable[[], float]

    def deployed(self, claim: Claim, content: bytes, undo: Callable[[], Iterable[Problem]]) -> None:
        """Deploy a package once and wait for it; raises `Unfinished`, or `Rejected` where it fails.

        Where the deployment certainly failed, `undo` reverts what was prepared for it and yields what an
        admin has to revert.
        """
        try:
            deployment_id = self.ports.salesforce.deploy(content)
        except OutcomeUnknown as error:
            raise Unfinished(
                "Salesforce did not say whether it has taken the deployment. Send the same event again in"
                " some minutes: what Salesforce has by then is read first."
            ) from error
        except MusterError:
            tuple(undo())
            raise
        claim.record(deployment=deployment_id)
        deployment = self.wait_for(deployment_id)
        if not deployment.success:
            raise Rejected(*refusals(deployment), *undo())

    def check(self, content: bytes) -> Deployment:
        """Have Salesforce check a package without deploying it; raises `Unfinished`."""
        return self.wait_for(self.ports.salesforce.deploy(content, check_only=True))

    def wait_for(self, deployment_id: str) -> Deployment:
        """Wait until a deployment is done and return it; raises `Unfinished` when the time is up."""
        status, seconds = "not known", 0.5
        while True:
            try:
                deployment = self.ports.salesforce.deployment(deployment_id)
                if deployment.done:
                    return deployment
                status = deployment.status
            except Unavailable:
                pass  # the deployment continues regardless
            if self.remaining() < RESERVE_S + seconds:
                raise Unfinished(
                    f"Salesforce has not finished deployment {deployment_id} yet ({status}). Send the same"
                    f" event again in some minutes; {_STATUS} shows it, and can cancel it."
                )
            self.ports.wait(seconds)
            seconds = min(2 * seconds, _LONGEST_WAIT_S)

    def finish_earlier(self, claim: Claim, *, cancel: bool = False) -> None:
        """Wait for the deployment of the previous set-up, or cancel it; raises `Unfinished`."""
        earlier = claim.setup.deployment
        if earlier is None:
            return
        # Not found: so old that Salesforce has forgotten it, so it is done.
        with suppress(NotFound):
            if cancel and not self.ports.salesforce.deployment(earlier).done:
                # If it has finished meanwhile, or the outcome is unknown, wait for it.
                with suppress(Rejected, OutcomeUnknown):
                    self.ports.salesforce.cancel(earlier)
            self.wait_for(earlier)


def refusals(deployment: Deployment) -> Iterator[Problem]:
    """Yield the reasons why a deployment failed."""
    for problem in deployment.problems or (f"the deployment ended as {deployment.status}",):
        yield Problem(
            "Salesforce",
            f"did not deploy it, and nothing was changed: {problem}",
            f"Correct what it names, then send the event again; {_STATUS} has deployment {deployment.id}. A"
            " field that it does not know: take it out of auto_provision, or let the integration user read"
            " it.",
        )


def _busy(other: Setup | None) -> Problem:
    who = f", by {other.by} since {other.at}" if other else ""
    return Problem(
        "organization",
        f"is being set up already{who}",
        "Wait for its answer, or see with the action status how it went. One that died is out of the way"
        " after six minutes.",
    )
