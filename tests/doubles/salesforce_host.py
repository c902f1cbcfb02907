"""What tests of the Salesforce clients share: a host that answers as it is told, and clients."""

import json
from typing import Any

from werkzeug.wrappers import Request, Response

from muster.adapters.salesforce.client import Salesforce
from muster.adapters.salesforce.metadata_client import SalesforceMetadata
from muster.settings.sections import SalesforceConnection
from sandbox.salesforce import RunningSandbox
from tests.doubles.credentials import CANARY, Shelf
from tests.doubles.host import Host
from tests.doubles.salesforce_over_http import Organization

NAME = "muster/acme/salesforce"
ORGANIZATION = "00D000000000062EAA"
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
# Between two tries of a read nobody has to wait here.
AT_ONCE: dict[str, Any] = {"backoff_s": 0, "longest_wait_s": 0}


class SalesforceHost(Host):
    """A host in Salesforce's place; it logs everyone in, unless it is told what to answer to that as well."""

    def reset(self, *, logs_in: bool = True) -> None:
        """Forget everything; without `logs_in` a login is a call like any other."""
        super().reset()
        self.logs_in = logs_in

    def is_login(self, request: Request) -> bool:
        """Tell whether a request asks for a token."""
        return self.logs_in and request.path == TOKEN_PATH

    def let_in(self) -> Response:
        """Return an answer with a token that tells how many there were."""
        return self.granted(access_token=f"00D000000000062!AQ.token{len(self.logins)}")

    def granted(self, **changes: object) -> Response:
        """Return an answer with a token, with changes; None leaves a key out."""
        granted = {
            "access_token": "00D000000000062!AQ.token",
            "instance_url": self.url,
            "id": f"https://login.salesforce.com/id/{ORGANIZATION}/005000000000001AAA",
            "token_type": "Bearer",
        } | changes
        return Response(json.dumps({key: value for key, value in granted.items() if value is not None}))

    def grant(self, **changes: object) -> None:
        """Answer with a token from now on."""
        self.answers = [self.granted(**changes)]


def connection_to(url: str, organization_id: str = ORGANIZATION, **changes: Any) -> SalesforceConnection:
    """Return the section of the settings."""
    right = {"host": url.removeprefix("http://"), "organization_id": organization_id, "secret": NAME}
    return SalesforceConnection(**right | changes)


def shelf_of(sandbox: RunningSandbox) -> Shelf:
    """Return the secret that opens a sandbox."""
    return Shelf(NAME, client_id=sandbox.client_id, client_secret=sandbox.client_secret)


def client_of(org: Organization, **options: Any) -> Salesforce:
    """Return a client of a sandbox."""
    connection = connection_to(org.url, org.sandbox.organization_id)
    return Salesforce(connection, shelf_of(org.sandbox).secrets(), **AT_ONCE | options)


def client_at(host: SalesforceHost, **options: Any) -> Salesforce:
    """Return a client of a host."""
    shelf = Shelf(NAME, client_id="key", client_secret=CANARY)
    return Salesforce(connection_to(host.url), shelf.secrets(), **AT_ONCE | options)


def setup_client_of(org: Organization, **connection: Any) -> SalesforceMetadata:
    """Return a client of a sandbox's setup."""
    section = connection_to(org.url, org.sandbox.organization_id, **connection)
    return SalesforceMetadata(section, shelf_of(org.sandbox).secrets(), **AT_ONCE)


def setup_client_at(host: SalesforceHost, client_secret: str = CANARY) -> SalesforceMetadata:
    """Return a client of a host's setup."""
    shelf = Shelf(NAME, client_id="key", client_secret=client_secret)
    return SalesforceMetadata(connection_to(host.url), shelf.secrets(), **AT_ONCE)
