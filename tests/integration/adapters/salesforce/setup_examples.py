"""What tests of Salesforce's setup share: a package whose message goes to an address with a token."""

from muster.adapters.salesforce.metadata_client import SalesforceMetadata
from muster.webhook_setup.metadata import Deployment, InstalledFlow
from tests.doubles.metadata_packages import NAME, Metadata, zipped
from tests.doubles.salesforce_over_http import Organization

TOKEN = "t0k3n-0f-th3-w3bh00k"  # noqa: S105 - made up
URL = f"https://api.example.com/webhook?token={TOKEN}"
DEPLOYMENT = "0Af000000000001AAA"
REQUESTS = "/services/data/v66.0/metadata/deployRequest"


def package(org: Organization, **files: str | None) -> bytes:
    """Return a whole package whose message is sent to the URL with the token."""
    return zipped(Metadata(org, URL).package(**files))


def installed(client: SalesforceMetadata, archive: bytes) -> Deployment:
    """Deploy a package, which succeeds."""
    deployment = client.deployment(client.deploy(archive))
    assert deployment.success, deployment
    return deployment


def flow_of(client: SalesforceMetadata) -> InstalledFlow:
    """Return the flow, which is there."""
    found = client.flow(NAME)
    assert found is not None
    return found
