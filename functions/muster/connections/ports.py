"""What checking connections, and tracking their health, needs of the world outside."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.crm.pages import Page
from muster.crm.vault_records import Field, IntegrationUser, SecurityPolicy
from muster.runs.ports import Runs
from muster.settings.sections import AlignConnection, SalesforceConnection, VaultCrmConnection


class Secrets(Protocol):
    """Where credentials are; `adapters.aws.secrets` is the real one."""

    def get(self, name: str) -> dict[str, str]:
        """Return a secret, as remembered or read anew."""

    def refetch(self, name: str) -> dict[str, str]:
        """Return the secret as it is now."""


class Salesforce(Protocol):
    """An org as preflight reads it; `adapters.salesforce.client` is the real one."""

    calls_used: tuple[int, int] | None

    def log_in(self) -> None:
        """Log in anew."""

    def versions(self) -> list[str]:
        """Return the versions of the API."""

    def describe(self) -> dict[str, Any]:
        """Return the description of User."""

    def refusals(self, queries: Sequence[str]) -> list[str | None]:
        """Return per query why it is refused."""

    def query(self, soql: str) -> Iterator[Page]:
        """Yield the pages of a query."""


class VaultMetadata(Protocol):
    """What a vault says of its objects, and of who is logged in; `adapters.vault.client` is the real one."""

    def me(self) -> IntegrationUser:
        """Return who is logged in."""

    def fields(self, object_name: str) -> list[Field]:
        """Return the fields of an object."""


class Vault(VaultMetadata, Protocol):
    """A vault as preflight reads it; `adapters.vault.client` is the real one."""

    @property
    def calls_left(self) -> tuple[int, int] | None:
        """How many calls are left of how many."""

    def log_in(self) -> None:
        """Log in anew."""

    def versions(self) -> list[str]:
        """Return the versions of the API."""

    def security_policy(self, policy_id: int) -> SecurityPolicy:
        """Return a security policy."""

    def permissions(self, object_name: str) -> frozenset[str]:
        """Return what may be done with an object."""

    def picklist(self, name: str) -> dict[str, str]:
        """Return the values of a picklist."""

    def query(self, vql: str) -> Iterator[Page]:
        """Yield the pages of a query."""


class HealthStore(Protocol):
    """Where the health of connections is kept; `adapters.aws.run_table` is the real one."""

    def health(self, organization: str, connection: str) -> Mapping[str, Any]:
        """Return a connection's recent failures; empty: nothing is known."""

    def save_health(self, organization: str, connection: str, health: Mapping[str, Any]) -> None:
        """Keep a connection's recent failures."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world outside; the client of a connection is built when it is checked."""

    secrets: Secrets
    runs: Runs
    salesforce: Callable[[SalesforceConnection], Salesforce]
    vault_crm: Callable[[VaultCrmConnection], Vault]
    align: Callable[[AlignConnection], Vault]
