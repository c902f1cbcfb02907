"""What imports need from the outside world."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from muster.checks import Check
from muster.crm.vault_records import BaseLicence
from muster.engage import ports as pushes_ports
from muster.imports.manager_mails import PendingMail
from muster.roster.ports import Roster, UnlinkedHolders
from muster.runs.ports import Archive, RunPorts, Runs
from muster.settings import Settings
from muster.sources.ports import Salesforce, Vault


class Outbox(Protocol):
    """Newcomers and unsent mails; `adapters.aws.mail_outbox` is the real one."""

    def newcomers(self, organization: str) -> dict[str, float]:
        """Return the members whose managers have not been notified: id → time of creation (epoch s)."""

    def has_recorded_team(self, organization: str, manager: str) -> bool:
        """Whether any active direct report of the manager is recorded."""

    def put(self, organization: str, run: str, manager: str, newcomers: Sequence[str], now: float) -> None:
        """Move newcomers into this run's mail to this manager."""

    def forget(self, organization: str, newcomers: Iterable[str]) -> None:
        """Drop newcomers without a mail."""

    def mails(self, organization: str) -> list[PendingMail]:
        """Return the unsent mails."""

    def remove(self, organization: str, mail: PendingMail) -> None:
        """Remove a mail from the outbox."""


class Mail(Protocol):
    """Sends mails; `adapters.aws.mail` is the real one."""

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        """Send a mail to one address; raises `Rejected` if only this mail is refused."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of an import.

    `notify(settings, run, new_since)` sends managers mails about new members, as many as there is time for
    (N1): about those who came after `new_since` (epoch seconds; `None`: nobody is new, I13).
    `holders` are the users of Vault CRM with a group that are linked to nobody (G10).
    `base_licences` returns how many users Vault CRM may have, and has, by application.
    `vault` is Vault CRM and `align` Align, `None` where they are not connected; `align_preflight` returns
    the failed ones of the checks that Align depends on (U6). `users` returns the ids of the integration users
    in whose name the connections have been called (U5). `left_alone` says, for each vault that a schedule may
    not try now, why (P6).
    """

    runs: Runs
    archive: Archive
    roster: Roster
    salesforce: Salesforce
    notify: Callable[[Settings, str, float | None], None]
    holders: UnlinkedHolders
    base_licences: Callable[[], Sequence[BaseLicence]] = tuple
    vault: Vault | None = None
    align: pushes_ports.Vault | None = None
    align_preflight: Callable[[], Sequence[Check]] = tuple
    users: Callable[[], Mapping[str, str]] = dict
    left_alone: Sequence[str] = ()

    @property
    def of_runs(self) -> RunPorts:
        """What any run needs of it."""
        return RunPorts(self.runs, self.archive, self.roster, self.users)
