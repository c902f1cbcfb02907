"""The part of Salesforce's Metadata and Tooling APIs that installs an outbound message and a flow (U7).

Reads are retried. A deployment is sent once: if its answer is lost or unclear that is `OutcomeUnknown`,
and the caller reads back what is installed before it sends anything again.

The address of the outbound message holds the webhook's token (T6), and Salesforce quotes a wrong address in
its errors. So all of Salesforce's words that are passed on go through `redacted`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote_plus

import orjson
from urllib3 import encode_multipart_formdata
from urllib3.fields import RequestField

from muster.adapters.http_calls import HttpAnswer, decoded, retry_after
from muster.adapters.salesforce.calls import SalesforceCalls, fault_of, first_error
from muster.adapters.salesforce.setup_answers import (
    read_deployment,
    read_flow,
    read_message,
    read_user,
    redacted,
)
from muster.crm import salesforce_ids
from muster.crm.pages import salesforce_page_of
from muster.errors import (
    Misconfigured,
    MusterError,
    NotFound,
    NotServed,
    OutcomeUnknown,
    Problem,
    Rejected,
    TooLarge,
    Unavailable,
)
from muster.webhook_setup.metadata import Deployment, InstalledFlow, InstalledMessage, SalesforceUser

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_DEPLOYMENT_ID = re.compile(r"0Af[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_JSON = {"Content-Type": "application/json"}
_OPTIONS = {
    "allowMissingFiles": False,
    # A warning means that something to delete does not exist, which a removal does not mind.
    "ignoreWarnings": True,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": True,  # all or nothing; production orgs allow no other way
    "singlePackage": True,
    # No testLevel: each kind of org has its own default, and production takes no NoTestRun.
}
_PERMISSIONS = "Setup > Permission Sets > the integration user's > System Permissions: tick"
_MAY_DEPLOY = (
    f"{_PERMISSIONS} Modify Metadata Through Metadata API Functions, Customize Application, Manage Flow and"
    " View Setup and Configuration"
)
_MAY_READ = f"{_PERMISSIONS} View Setup and Configuration"
_BY_HAND = (
    "Activate it by hand: Setup > Flows > the flow > View Details and Versions > Activate; or tick Setup >"
    " Process Automation Settings > Deploy processes and flows as active."
)
# For objects and fields that the user may not see, the Tooling API answers that they do not exist.
_HIDDEN = frozenset({"INVALID_TYPE", "INVALID_FIELD"})


class SalesforceMetadata(SalesforceCalls):
    """Reads and writes the part of an org's setup that sends users to Muster.

    Every method raises `Rejected` for what Salesforce refuses as wrong, `Misconfigured` where the
    connection's settings, credentials or permissions are wrong, and `Unavailable` for the rest.
    """

    _retried: ClassVar = ("GET",)

    def me(self) -> SalesforceUser:
        """Return the user who is logged in."""
        user_id = self._login.user_id()
        if not salesforce_ids.is_valid(user_id):
            raise Unavailable("Salesforce answered a login with something that is no user's id")
        return read_user(self._get(f"sobjects/User/{user_id}?fields=Id,Username,IsActive"))

    def described(self) -> Sequence[Mapping[str, Any]]:
        """Return the fields of User, as Salesforce describes them."""
        fields: Sequence[Mapping[str, Any]] = self.describe()["fields"]
        return fields

    def message(self, name: str) -> InstalledMessage | None:
        """Return the outbound message of User with this name, `None` where there is none."""
        # Metadata can be read of one row at a time, and messages of other objects may have the same name.
        for found in self._rows("Id", "WorkflowOutboundMessage", f"Name = '{_checked(name)}'"):
            whole = self._one("WorkflowOutboundMessage", "Id, FullName, Metadata", found)
            if whole is not None and str(whole.get("FullName")).lower() == f"user.{name}".lower():
                return read_message(whole)
        return None

    def messages(self) -> list[str]:
        """Return the names of all outbound messages of User, without `User.`."""
        rows = self._rows("Id, Name", "WorkflowOutboundMessage", "EntityDefinitionId = 'User'")
        return [str(row.get("Name")) for row in rows]

    def flow(self, name: str) -> InstalledFlow | None:
        """Return the flow with this name, `None` where there is none."""
        definitions = self._rows(
            "Id, DeveloperName, ActiveVersionId, NamespacePrefix",
            "FlowDefinition",
            f"DeveloperName = '{_checked(name)}'",
        )
        # A flow of an installed package has a namespace, and may have the same name.
        own = [each for each in definitions if not each.get("NamespacePrefix")]
        if not own:
            return None
        flow_id = _id_of(own[0])
        versions = self._rows("Id, VersionNumber", "Flow", f"DefinitionId = '{flow_id}'")
        return read_flow(own[0], versions, lambda version: self._one("Flow", "Id, Metadata", version))

    def deploy(self, package: bytes, *, check_only: bool = False) -> str:
        """Queue the deployment of a zip and return its id; `deployment` returns its state.

        With `check_only` Salesforce validates it and changes nothing. Raises `OutcomeUnknown` where it may
        or may not be queued; every other error means that it is not.
        """
        options = orjson.dumps({"deployOptions": _OPTIONS | {"checkOnly": check_only}})
        parts = RequestField("json", options), RequestField("file", package, "deploy.zip")
        for part, kind in zip(parts, ("json", "zip"), strict=True):
            part.make_multipart(content_type=f"application/{kind}")
        body, content_type = encode_multipart_formdata(parts)
        path = "metadata/deployRequest"
        answer = self._write("POST", path, {"Content-Type": content_type}, body, "deployment", _MAY_DEPLOY)
        match decoded(answer.content):
            case {"id": str(deployment_id)} if _DEPLOYMENT_ID.fullmatch(deployment_id):
                return deployment_id
        raise OutcomeUnknown("Salesforce answered a deployment with something that is not its id")

    def deployment(self, deployment_id: str) -> Deployment:
        """Return the state of a deployment; raises `NotFound` if Salesforce does not know it."""
        path = f"{_path_of(deployment_id)}?includeDetails=true"
        return read_deployment(deployment_id, self._get(path, "deployment", _MAY_DEPLOY, named=True))

    def cancel(self, deployment_id: str) -> None:
        """Request the cancellation of a deployment; `deployment` returns whether it took effect.

        Raises `Rejected` if it is already done, `NotFound` if Salesforce does not know it.
        """
        path, body = _path_of(deployment_id), orjson.dumps({"deployResult": {"status": "Canceling"}})
        answer = self._write("PATCH", path, _JSON, body, "deployment", _MAY_DEPLOY, named=True)
        match decoded(answer.content):
            case {"deployResult": {"status": str()}}:
                return
        raise OutcomeUnknown("Salesforce answered a cancellation with something that is not its state")

    def activate(self, flow_id: str, version: int) -> None:
        """Activate a version of a flow, or none with 0; `flow_id` is that of the FlowDefinition.

        Retried once if the answer is lost, since it is idempotent. Raises `Rejected` if the org leaves
        activation to its admins, `NotFound` if the flow is gone.
        """
        try:
            self._activate(flow_id, version)
        except OutcomeUnknown as lost:
            try:
                self._activate(flow_id, version)
            except Unavailable as again:
                raise lost from again

    def _activate(self, flow_id: str, version: int) -> None:
        if not salesforce_ids.is_valid(flow_id):
            raise Rejected(Problem("flow", "is not the id of a flow", "Read the flow again."))
        path = f"tooling/sobjects/FlowDefinition/{flow_id}"
        body = orjson.dumps({"Metadata": {"activeVersionNumber": version}})
        answer = self._write("PATCH", path, _JSON, body, "flow", _MAY_DEPLOY, _BY_HAND, named=True)
        if answer.status_code != HTTPStatus.NO_CONTENT:
            raise OutcomeUnknown("Salesforce answered an activation with something else than that it is done")

    def _one(self, of: str, fields: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a whole row, `None` if it is gone."""
        found = self._rows(fields, of, f"Id = '{_id_of(row)}'")
        return found[0] if found else None

    def _rows(self, fields: str, of: str, where: str) -> list[dict[str, Any]]:
        """Return all rows that a query of the Tooling API finds, in no particular order."""
        soql = f"SELECT {fields} FROM {of} WHERE {where}"  # noqa: S608 - names and ids that are checked
        page = salesforce_page_of(self._get(f"tooling/query?q={quote_plus(soql)}"))
        if page.next is not None or len(page.records) != page.total:
            raise Unavailable("Salesforce answered a part of what its setup holds")
        return page.records

    def _get(
        self, path: str, where: str = "setup", permission: str = _MAY_READ, *, named: bool = False
    ) -> object:
        answer = self._answer("GET", self._path(path), {})
        if answer.status_code != HTTPStatus.OK:
            raise _fault(answer, where, permission, "", named=named)
        return decoded(answer.content)

    def _write(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        where: str,
        permission: str,
        remedy: str = "",
        *,
        named: bool = False,
    ) -> HttpAnswer:
        """Send a call once and return its answer, of status 200 to 299, unparsed."""
        answer = self._answer(method, self._path(path), headers, body, writes=True)
        status = answer.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            raise OutcomeUnknown(
                f"Salesforce answered {status}; what was sent may have taken effect", retry_after(answer)
            )
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise _fault(answer, where, permission, remedy, named=named)
        return answer

    def _path(self, rest: str) -> str:
        return f"/services/data/v{self._version}/{rest}"


def _fault(answer: HttpAnswer, where: str, permission: str, remedy: str, *, named: bool) -> MusterError:
    """Return the error for a refused call; `named`: its path names one thing by its id."""
    status, content = answer.status_code, decoded(answer.content)
    code, message = first_error(content)
    fault = fault_of(status, content, where, retry_after(answer))
    hidden = status == HTTPStatus.BAD_REQUEST and code in _HIDDEN
    # API_DISABLED_FOR_ORG and the like concern every call, and `fault_of` covers them.
    refused = isinstance(fault, Misconfigured) and status == HTTPStatus.FORBIDDEN and "API_" not in code
    if hidden or refused or code.startswith("INSUFFICIENT_ACCESS"):
        return Misconfigured(f"Salesforce answered {status} {code}: {permission}")
    if isinstance(fault, NotServed) and named and code == "NOT_FOUND":
        return NotFound(Problem(where, "is not known to Salesforce", "Read what is there, and start again."))
    if isinstance(fault, Rejected) and not isinstance(fault, TooLarge):
        explanation = redacted(message) or f"is refused with {code}"
        return Rejected(Problem(where, explanation, remedy or "Correct what Salesforce names."))
    return fault


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Rejected(
            Problem("name", "is not an API name", "Use letters, digits and _, and begin with a letter.")
        )
    return name


def _path_of(deployment_id: str) -> str:
    if not _DEPLOYMENT_ID.fullmatch(deployment_id):
        raise Rejected(Problem("deployment", "is not the id of a deployment", "It begins with 0Af."))
    return f"metadata/deployRequest/{deployment_id}"


def _id_of(row: Mapping[str, Any]) -> str:
    match row.get("Id"):
        case str(found) if salesforce_ids.is_valid(found):
            return found
    raise Unavailable("Salesforce answered a row of its setup without an id")
