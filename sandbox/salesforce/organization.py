"""One organization: its data, its settings and the thread that sends its outbound messages."""

import json
import secrets
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.salesforce import ids, metadata_flows
from sandbox.salesforce.access import Access
from sandbox.salesforce.access_objects import ACCESS_OBJECTS
from sandbox.salesforce.api_limit import ApiLimit
from sandbox.salesforce.delivery import DeliverySettings, Sender
from sandbox.salesforce.jwt_bearer import public_key
from sandbox.salesforce.metadata_deploying import Deployer
from sandbox.salesforce.metadata_deploys import Deploys
from sandbox.salesforce.metadata_objects import FLOW_DEFINITION_VIEW, Setup, make_views, tooling_schema
from sandbox.salesforce.metadata_settings import (
    DeploySettings,
    OrganizationSettings,
    changed,
    settings_as_json,
)
from sandbox.salesforce.oauth import Client, Sessions
from sandbox.salesforce.outbound_messages import OutboundMessages
from sandbox.salesforce.query import Queries
from sandbox.salesforce.schema import Field
from sandbox.salesforce.setup_records import setup_records
from sandbox.salesforce.standard_objects import standard_schema
from sandbox.salesforce.store import Store, find, insert, next_id
from sandbox.salesforce.users import Record, Users, created

TOKEN_LIFE_S = 30 * 60


class Organization:
    """A Salesforce organization on an SQLite file (or `:memory:`).

    What is not given is taken from the file, else made up: a restart on the file goes on where it stopped.
    """

    def __init__(
        self,
        *,
        data: str = ":memory:",
        client_id: str | None = None,
        client_secret: str | None = None,
        organization_id: str | None = None,
        token_life_s: float = TOKEN_LIFE_S,
        delivery: DeliverySettings | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Open or make the organization; nothing is sent before `sender.start()`."""
        self.clock = clock or (lambda: datetime.now(UTC))
        self.store = Store(data)
        self.schema = standard_schema(FLOW_DEFINITION_VIEW, *ACCESS_OBJECTS)
        self.tooling = tooling_schema()
        self.store.load_custom_fields(self.schema)
        self._make_tables()
        made_up = ids.numbered(ids.PREFIX["Organization"], _letters(3), secrets.randbelow(62**9))
        given = ids.canonical(organization_id) if organization_id else None
        self.id = self.store.setting("organization_id", given, made_up)
        # The organization's own part of the ids that it hands out, as the instance is in real ones.
        pod = self.id[3:6]
        with self.store.transaction() as db:
            run_as = next_id(db, "User", pod)
        self.client = Client(
            self.store.setting("client_id", client_id, f"3MVG9{secrets.token_urlsafe(40)}"),
            self.store.setting("client_secret", client_secret, secrets.token_hex(32)),
            self.id,
            self.store.setting("run_as_user_id", None, run_as),
            f"integration@{self.id.lower()}.example",
        )
        self._jwt_key = self.store.setting("jwt_public_key", None, "")
        self.sessions = Sessions(self.id, token_life_s, self.clock)
        self.queries = Queries(self.store, self.schema, self.clock, pod)
        self.tooling_queries = Queries(self.store, self.tooling, self.clock, pod, "/tooling")
        setup = Setup(self.schema, self.clock, pod, self.client.user_id, self.client.username)
        self._deployer = Deployer(self.store, setup)
        self.deploys = self._open_deploys(setup)
        self.outbound_messages = OutboundMessages(self.store, self.schema, pod, setup)
        self.sender = Sender(self.outbound_messages, self.id, delivery)
        author = (self.client.user_id, self.client.username)
        self.access = Access(self.store, self.clock, pod, self.client.user_id)
        self.users = Users(
            self.store, self.schema, self.clock, pod, author, self._notify, self.access.open_login
        )
        self.api_limit = ApiLimit()
        self.settings = OrganizationSettings(**self._stored_settings("organization"))
        self.deploy_settings = DeploySettings(**self._stored_settings("deploys"))
        self._hide()
        self._make_setup_records()

    def close(self) -> None:
        """Stop sending and close the database."""
        self.sender.stop()
        self.store.close()

    def reset(self) -> None:
        """Remove the users and what waits to be sent or deployed; put the settings of deployments back.

        Credentials, custom fields and what is deployed stay.
        """
        with self.store.transaction() as db:
            db.execute("DELETE FROM notification")
            db.execute('DELETE FROM "User"')
            self.access.reset()
        self.sender.reset()  # after the data, so that nothing of it is counted again
        self.queries.reset()
        self.tooling_queries.reset()
        self.api_limit.reset()
        self.deploys.reset()
        self._keep_settings(OrganizationSettings(), DeploySettings())

    @property
    def jwt_key(self) -> str | None:
        """The public key of the certificate uploaded to the client app, as PEM; None before an upload."""
        return self._jwt_key or None

    def upload_jwt_key(self, pem: object) -> None:
        """Take a certificate or a public key. Raises ValueError, saying what is allowed."""
        self._jwt_key = self.store.setting("jwt_public_key", public_key(pem), "")

    def define_custom_field(self, custom: Field) -> None:
        """Add a custom field to User. Raises ValueError if a different one has its name."""
        self.schema.add("User", custom)
        self.store.make_tables(self.schema)
        self.store.save_custom_field("User", custom)

    def resend(self, record_ids: list[str]) -> int:
        """Queue notifications for users that did not change. Raises ValueError for an unknown one."""
        settings = self.sender.settings
        queued = self.outbound_messages.resend(
            [ids.canonical(each) for each in record_ids],
            window_s=settings.window_s,
            snapshot=settings.snapshot,
        )
        self.sender.wake()
        return queued

    def change_settings(self, body: object) -> OrganizationSettings:
        """Change what kind of organization it is. Raises ValueError, saying what is allowed."""
        self._keep_settings(changed(self.settings, body), self.deploy_settings)
        return self.settings

    def change_deploy_settings(self, body: object) -> DeploySettings:
        """Change how deployments go. Raises ValueError, saying what is allowed."""
        self._keep_settings(self.settings, changed(self.deploy_settings, body))
        self.deploys.settle()
        return self.deploy_settings

    def activate_flow(self, name: str, number: object, *, by_admin: bool = False) -> None:
        """Make a version of a flow the active one, 0 for none. Raises Problem.

        An admin, in Setup, may do so where the API may not.
        """
        settings = OrganizationSettings() if by_admin else self.settings
        with self.store.transaction() as db:
            self._deployer.activate(db, name, number, settings)

    def _notify(self, db: sqlite3.Connection, before: Record | None, after: Record) -> None:
        messages = [each.partition(".")[2] for each in metadata_flows.sent_by(db, before, after)]
        if not messages:
            return
        settings = self.sender.settings
        self.outbound_messages.queue(
            db, str(after["Id"]), messages, window_s=settings.window_s, snapshot=settings.snapshot
        )
        self.sender.wake()

    def _open_deploys(self, setup: Setup) -> Deploys:
        return Deploys(self.store, self._deployer, setup, lambda: self.settings, lambda: self.deploy_settings)

    def _stored_settings(self, name: str) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self.store.setting(f"{name}_settings", None, "{}"))
        return stored

    def _keep_settings(self, settings: OrganizationSettings, deploy_settings: DeploySettings) -> None:
        self.settings, self.deploy_settings = settings, deploy_settings
        self._hide()
        self.store.setting("organization_settings", json.dumps(settings_as_json(settings)), "{}")
        self.store.setting("deploys_settings", json.dumps(settings_as_json(deploy_settings)), "{}")

    def _hide(self) -> None:
        """Hide what the integration user may not see."""
        self.schema.hidden = frozenset(() if self.settings.manage_users else ("userlogin",))

    def _make_tables(self) -> None:
        self.store.make_tables(self.tooling)
        with self.store.transaction() as db:
            make_views(db)
        self.store.make_tables(self.schema)

    def _make_setup_records(self) -> None:
        with self.store.transaction() as db:
            for object_name, records in setup_records().items():
                sobject = self.schema.object(object_name)
                stamps = created(self.clock(), self.client.user_id)
                for record in records:
                    values = {
                        name: stamps[name] for name in stamps if sobject and sobject.field(name)
                    } | record
                    if find(db, object_name, str(record["Id"])) is None:
                        insert(db, object_name, values)


def _letters(count: int) -> str:
    return "".join(
        secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") for _ in range(count)
    )
