"""What setting up the webhook needs of the outside world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.webhook.ports import Registry
from muster.webhook_setup.metadata import Deployment, InstalledFlow, InstalledMessage, SalesforceUser
from muster.webhook_setup.setup_record import Setup


class Salesforce(Protocol):
    """A Salesforce org's metadata; implemented by `adapters.salesforce.metadata_client`."""

    def me(self) -> SalesforceUser:
        """Return the user who is logged in."""

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
        """Return the state of a deployment; raises `NotFound`."""

    def cancel(self, deployment_id: str) -> None:
        """Request the cancellation of a deployment."""

    def activate(self, flow_id: str, version: int) -> None:
        """Activate a version of a flow; 0 deactivates it."""


class Journal(Protocol):
    """The stored records; implemented by `adapters.aws.webhook_journal`."""

    def setup(self, organization: str) -> Setup | None:
        """Return the latest set-up."""

    def replace(self, organization: str, was: Setup | None, becomes: Setup) -> None:
        """Replace a set-up record; raises `Stale` if it is no longer `was`."""

    def received_at(self, organization: str) -> str | None:
        """Return when a message last arrived."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of a set-up; `wait` sleeps for a number of seconds."""

    salesforce: Salesforce
    webhooks: Registry
    journal: Journal
    wait: Callable[[float], None]
