"""What reading users needs of Salesforce, Vault CRM and the run archive."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from muster.crm.pages import Page
from muster.errors import Rejected

type Matches = Mapping[str, frozenset[str]]


class Salesforce(Protocol):
    """Salesforce, to read users from; the adapter is `adapters.salesforce.client`."""

    def batch(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return the rows of each query, all of them; raises `Rejected`, `Unavailable`, `Misconfigured`."""

    def tried(self, queries: Sequence[str]) -> list[list[dict[str, Any]] | Rejected]:
        """Return the rows of each query, or why it is refused."""

    def query(self, soql: str) -> Iterator[Page]:
        """Yield the pages of a query."""

    def more(self, next_url: str) -> Iterator[Page]:
        """Yield the pages from this one on."""


class Parts(Protocol):
    """Numbered parts of the run archive, of one attempt of one run: `runs.archive.AttemptParts`."""

    def put(self, name: str, number: int, body: bytes) -> None:
        """Store a part."""

    def parts(self, name: str) -> Iterator[bytes]:
        """Yield the stored parts in order."""


class Vault(Protocol):
    """Vault CRM, to read users from; the adapter is `adapters.vault.client`."""

    def query(self, vql: str) -> Iterator[Page]:
        """Yield the pages of a query."""

    def more(self, next_url: str) -> Iterator[Page]:
        """Yield the pages from this one on."""
