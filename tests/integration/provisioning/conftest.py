"""A SCIM app over HTTP, for each test as good as new."""

import json
from collections.abc import Iterator
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from requests.adapters import BaseAdapter

from muster.adapters.scim.client import Scim
from sandbox import scim
from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_in_process import ScimInProcess, scim_in_process
from tests.doubles.scim_target import ScimTarget
from tests.integration.company import Company
from tests.integration.provisioning.apps import APP_HOST, Apps
from tests.integration.provisioning.provisioned import Provisioned


@pytest.fixture(scope="session")
def _target() -> Iterator[ScimTarget]:
    with scim.running() as app:
        yield ScimTarget(app)


@pytest.fixture
def app(_target: ScimTarget) -> Provisioned:
    control(_target.url, "POST", "reset")
    return Provisioned(_target)


@pytest.fixture(scope="module")
def _scim() -> Iterator[ScimInProcess]:
    with scim_in_process() as app:
        yield app


@pytest.fixture
def apps(company: Company, _scim: ScimInProcess) -> Iterator[Apps]:
    """Return Acme with an app connected, in which everybody is to be; nobody works there yet."""
    wire = InProcess(_scim.http.application)
    others = requests.Session.get_adapter

    def adapter(session: requests.Session, url: str) -> BaseAdapter:
        return wire if urlsplit(url).netloc == APP_HOST else others(session, url)

    # What waits between tries of a call is tested with the client.
    impatient = patch.dict(Scim.__init__.__kwdefaults__ or {}, {"sleep": lambda _: None})
    with patch.object(requests.Session, "get_adapter", adapter), impatient:
        _scim.control("POST", "reset")
        secret = json.dumps({"token": _scim.app.token})
        boto3.client("secretsmanager").create_secret(Name="muster/acme/scim/app", SecretString=secret)
        apps = Apps(company, _scim, wire)
        assert apps.connect()["status"] == "succeeded"
        yield apps
