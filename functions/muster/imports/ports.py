"""What imports need of the world outside."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from muster.imports.manager_mails import PendingMail
from muster.roster.ports import Roster
from muster.runs.ports import Archive, Runs
from muster.settings import Settings
from muster.sources.ports import Salesforce, Vault


class Outbox(Protocol):
    """Newcomers and unsent mails; `adapters.aws.mail_outbox` is the real one."""

    def newcomers(self, organization: str) -> dict[str, float]:
        """Return the members whose managers have not been told: id → when it was created."""

    def has_recorded_team(self, organization: str, manager: str) -> bool:
        """Tell whether any active direct report is recorded."""

    def put(self, organization: str, run: str, manager: str, newcomers: Sequence[str], now: float) -> None:
        """Move newcomers into the mail of that run to that manager."""

    def forget(self, organization: str, newcomers: Iterable[str]) -> None:
        """Let newcomers be newcomers no more."""

    def mails(self, organization: str) -> list[PendingMail]:
        """Return the mails that have not been sent."""

    def remove(self, organization: str, mail: PendingMail) -> None:
        """Take a mail out."""


class Mail(Protocol):
    """Whoever sends mails; `adapters.aws.mail` is the real one."""

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        """Send a mail to one address; raises `Rejected` where only this mail is refused."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside of imports. `notify` tells managers about new members, as many as it can (N1).

    `vault` is Vault CRM, where there is one.
    """

    runs: Runs
    archive: Archive
    roster: Roster
    salesforce: Salesforce
    notify: Callable[[Settings, str], None]
    vault: Vault | None = None
