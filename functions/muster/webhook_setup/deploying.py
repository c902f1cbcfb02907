"""One set-up of a webhook at a time, and what it deploys to Salesforce: once, and waited for (U7)."""

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

# What is left for reading back and telling, when Salesforce takes longer than there is time.
RESERVE_S = 60
_LONGEST_WAIT_S = 8.0
_STATUS = "Setup > Deployment Status"


class Unfinished(Exception):
    """Salesforce has not finished a deployment, or has not said whether it has begun; says what to do."""


@dataclass(slots=True)
class Claim:
    """The right of one set-up to be the organization's only one; `before` is the one before it."""

    journal: Journal
    organization: str
    setup: Setup
    before: Setup | None

    @property
    def goes_on(self) -> bool:
        """Whether this is the same action as the one before, which may not have come to its end."""
        return self.before is not None and self.before.action == self.setup.action

    def record(self, **changes: Any) -> None:
        """Record how far it is; raises `Rejected` once another has taken its place."""
        becomes = replace(self.setup, **changes)
        try:
            self.journal.replace(self.organization, self.setup, becomes)
        except Stale as error:
            remedy = "See with the action status what Salesforce has by now."
            problem = Problem("organization", "is being set up by someone else by now", remedy)
            raise Rejected(problem) from error
        self.setup = becomes


@contextmanager
def claimed(
    journal: Journal, organization: str, action: str, by: str, now: datetime, seconds: float
) -> Iterator[Claim]:
    """Be the organization's only set-up, for so many seconds at most.

    Raises `Rejected` while another is at work.
    """
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
        # Why it failed is what matters; left as it is, the claim ends by itself.
        with suppress(MusterError):
            claim.record(outcome=Outcome.FAILED)
        raise


@dataclass(frozen=True, slots=True)
class Deploying:
    """Deploys within one invocation; `remaining` answers the seconds that are left of it."""

    ports: Ports
    remaining: Callable[[], float]

    def deployed(self, claim: Claim, content: bytes, undo: Callable[[], Iterable[Problem]]) -> None:
        """Deploy a package once and wait for the end; raises `Unfinished`, and `Rejected` where it fails.

        Where it is certain that Salesforce does not take it, `undo` undoes what was done for it before,
        and yields what an admin has to undo.
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
        deployment = self.awaited(deployment_id)
        if not deployment.success:
            raise Rejected(*refusals(deployment), *undo())

    def checked(self, content: bytes) -> Deployment:
        """Have Salesforce check a package without deploying it; raises `Unfinished`."""
        return self.awaited(self.ports.salesforce.deploy(content, check_only=True))

    def awaited(self, deployment_id: str) -> Deployment:
        """Return a deployment once it is done; raises `Unfinished` when there is no time left to wait."""
        status, seconds = "not known", 0.5
        while True:
            try:
                deployment = self.ports.salesforce.deployment(deployment_id)
                if deployment.done:
                    return deployment
                status = deployment.status
            except Unavailable:
                pass  # it goes on all the same
            if self.remaining() < RESERVE_S + seconds:
                raise Unfinished(
                    f"Salesforce has not finished deployment {deployment_id} yet ({status}). Send the same"
                    f" event again in some minutes; {_STATUS} shows it, and can cancel it."
                )
            self.ports.wait(seconds)
            seconds = min(2 * seconds, _LONGEST_WAIT_S)

    def finish_earlier(self, claim: Claim, *, cancel: bool = False) -> None:
        """Wait for what a set-up before has deployed, or cancel it; raises `Unfinished`."""
        earlier = claim.setup.deployment
        if earlier is None:
            return
        # So old that Salesforce has forgotten it: then it is done.
        with suppress(NotFound):
            if cancel and not self.ports.salesforce.deployment(earlier).done:
                # Where it is done by now, or nobody can tell, it is waited for.
                with suppress(Rejected, OutcomeUnknown):
                    self.ports.salesforce.cancel(earlier)
            self.awaited(earlier)


def refusals(deployment: Deployment) -> Iterator[Problem]:
    """Yield what Salesforce has against a deployment that failed."""
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
