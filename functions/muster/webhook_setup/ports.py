"""What setting up the webhook needs of the world outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.webhook.ports import Registry
from muster.webhook_setup.metadata import Deployment, InstalledFlow, InstalledMessage, SalesforceUser
from muster.webhook_setup.setup_record import Setup


class Salesforce(Protocol):
    """What is asked of an org; `adapters.salesforce.metadata_client` is the real one."""

    def me(self) -> SalesforceUser:
        """Return who is logged in."""

    def described(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of User."""

    def message(self, name: str) -> InstalledMessage | None:
        """Return the outbound message of User with this name."""

    def messages(self) -> Sequence[str]:
        """Return the names of all outbound messages of User."""

    def flow(self, name: str) -> InstalledFlow | None:
        """Return the flow with this name."""

    def deploy(self, package: bytes, *, check_only: bool = False) -> str:
        """Queue a deployment and return its id; raises `OutcomeUnknown`."""

    def deployment(self, deployment_id: str) -> Deployment:
        """Return how a deployment stands; raises `NotFound`."""

    def cancel(self, deployment_id: str) -> None:
        """Ask that a deployment be cancelled."""

    def activate(self, flow_id: str, version: int) -> None:
        """Make a version of a flow the active one, 0 for none."""


class Journal(Protocol):
    """What is remembered; `adapters.aws.webhook_journal` is the real one."""

    def setup(self, organization: str) -> Setup | None:
        """Return the latest set-up."""

    def replace(self, organization: str, was: Setup | None, becomes: Setup) -> None:
        """Put a set-up in the place of another; raises `Stale`."""

    def received_at(self, organization: str) -> str | None:
        """Return when a message last arrived."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside of a set-up; `wait` lets so many seconds go by."""

    salesforce: Salesforce
    webhooks: Registry
    journal: Journal
    wait: Callable[[float], None]
