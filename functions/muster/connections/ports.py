"""What checking connections and tracking their health need from the outside world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.crm.pages import Page
from muster.crm.scim_attributes import Json
from muster.crm.scim_resources import Kind, Resource
from muster.crm.vault_records import BaseLicence, Field, IntegrationUser, SecurityPolicy
from muster.runs.ports import Runs
from muster.settings.scim_connection import ScimConnection
from muster.settings.sections import AlignConnection, SalesforceConnection, VaultCrmConnection
from muster.settings.user_pool_connection import UserPoolConnection


class Secrets(Protocol):
    """The store of credentials; `adapters.aws.secrets` is the real one."""

    def get(self, name: str) -> dict[str, str]:
        """Return a secret, which may be cached."""

    def refetch(self, name: str) -> dict[str, str]:
        """Return a secret as it is now, past the cache."""


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
        """Return, for each query, why it is refused; `None` for one that is accepted."""

    def query(self, soql: str) -> Iterator[Page]:
        """Yield the pages of a query."""


class VaultMetadata(Protocol):
    """A vault's objects and the user who is logged in; `adapters.vault.client` is the real one."""

    def me(self) -> IntegrationUser:
        """Return the user who is logged in."""

    def fields(self, object_name: str) -> list[Field]:
        """Return the fields of an object."""


class Vault(VaultMetadata, Protocol):
    """A vault as preflight reads it; `adapters.vault.client` is the real one."""

    @property
    def calls_left(self) -> tuple[int, int] | None:
        """The calls left in the burst window, and its limit; `None` if not known yet."""

    def log_in(self) -> None:
        """Log in anew."""

    def versions(self) -> list[str]:
        """Return the versions of the API."""

    def security_policy(self, policy_id: int) -> SecurityPolicy:
        """Return a security policy."""

    def base_licences(self) -> list[BaseLicence]:
        """Return how many full users the vault may have, and has."""

    def permissions(self, object_name: str) -> frozenset[str]:
        """Return the actions allowed on an object."""

    def picklist(self, name: str) -> dict[str, str]:
        """Return the values of a picklist."""

    def query(self, vql: str) -> Iterator[Page]:
        """Yield the pages of a query."""


class App(Protocol):
    """An app as the checks before a push read it."""

    def first_page(self, kind: Kind) -> int:
        """Return how many users or groups the first page of a list shows."""


class Scim(App, Protocol):
    """A SCIM target as preflight reads it; `adapters.scim.client` is the real one."""

    def overlooks(self, attribute: str, value: str) -> bool:
        """Whether a filter for users that fits nobody shows somebody; raises `FilterRefused`."""

    def discovery(self) -> Json | None:
        """Return what the target says of itself, `None` if nothing."""


class UserPool(Protocol):
    """A Cognito user pool as preflight reads it; `adapters.aws.user_pool` is the real one."""

    def first_users(self) -> tuple[int, int]:
        """Return how many users a page shows, and how many have what members are known by."""

    def overlooks(self, attribute: str, value: str) -> bool:
        """Whether a filter for users that fits nobody shows somebody; raises `FilterRefused`."""

    def get(self, kind: Kind, resource_id: str) -> Resource | None:
        """Return a user, `None` if the pool has none of that name."""


class HealthStore(Protocol):
    """The store of connections' health; `adapters.aws.run_table` is the real one."""

    def health(self, organization: str, connection: str) -> Mapping[str, Any]:
        """Return the fields of a connection's `Health`; empty if none is stored."""

    def save_health(self, organization: str, connection: str, health: Mapping[str, Any]) -> None:
        """Store the fields of a connection's `Health`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of preflight; each connection's client is built when it is checked."""

    secrets: Secrets
    runs: Runs
    salesforce: Callable[[SalesforceConnection], Salesforce]
    vault_crm: Callable[[VaultCrmConnection], Vault]
    align: Callable[[AlignConnection], Vault]
    scim: Callable[[ScimConnection], Scim]
    user_pool: Callable[[UserPoolConnection], UserPool]
