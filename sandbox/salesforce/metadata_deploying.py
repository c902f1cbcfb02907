"""Carries out a deployment: deletions, outbound messages, flows and flow definitions, in this order.

Each component is installed or refused on its own; what the refusals mean for the whole, the options say.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.salesforce import metadata_flows, metadata_outbound_messages
from sandbox.salesforce.metadata_objects import Problem, Saved, Setup
from sandbox.salesforce.metadata_package import MANIFEST, BadPackage, Member, Package, read_package
from sandbox.salesforce.metadata_settings import DeploySettings, OrganizationSettings
from sandbox.salesforce.metadata_xml import Element, Metadata, read, root_of
from sandbox.salesforce.store import Store

TEST_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
# The types in the order in which they are deployed.
FILES = {
    "WorkflowOutboundMessage": "workflows/{object}.workflow",
    "Flow": "flows/{name}.flow",
    "FlowDefinition": "flowDefinitions/{name}.flowDefinition",
}
_FLOW_DEFINITION: Mapping[str, Element] = {
    "activeVersionNumber": Element("int"),
    "description": Element(),
    "masterLabel": Element(),
}


@dataclass(frozen=True)
class Outcome:
    """What a deployment did with one component. A `problem` that is no warning is a failure."""

    type: str
    full_name: str
    file_name: str
    id: str = ""
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None
    is_warning: bool = False
    is_failure: bool = False


class _Undo(Exception):
    """What was written is not to stay."""


class Deployer:
    """Deploys packages into an organization."""

    def __init__(self, store: Store, setup: Setup) -> None:
        """Take where metadata is kept."""
        self._store = store
        self._setup = setup

    def deploy(
        self,
        archive: bytes,
        options: Mapping[str, Any],
        organization: OrganizationSettings,
        settings: DeploySettings,
    ) -> list[Outcome]:
        """Deploy a zip and return what became of its components.

        Nothing stays written where `checkOnly` says so, or where `rollbackOnError` does and something failed.
        """
        try:
            package = read_package(archive)
        except BadPackage as bad:
            return [Outcome("", bad.file_name, bad.file_name, problem=bad.problem, is_failure=True)]
        outcomes: list[Outcome] = []
        try:
            with self._store.transaction() as db:
                for outcome in self._outcomes(db, package, organization, settings.problem):
                    warned = outcome.is_warning and not options["ignoreWarnings"]
                    outcomes.append(replace(outcome, is_failure=outcome.is_failure or warned))
                failed = any(each.is_failure for each in outcomes)
                if options["checkOnly"] or (failed and options["rollbackOnError"]):
                    raise _Undo
        except _Undo:
            # Ids of what is not there, and may be given to something else, say nothing.
            return [replace(each, id="") if each.created else each for each in outcomes]
        return outcomes

    def _outcomes(
        self, db: sqlite3.Connection, package: Package, organization: OrganizationSettings, told: str
    ) -> Iterator[Outcome]:
        yield Outcome("", MANIFEST, MANIFEST, changed=True)
        for member in package.deletions:
            yield self._attempt(member, lambda each: self._delete(db, each))
        unknown = [each for each in package.members if each.type not in FILES]
        for member in unknown:
            problem = f"Unknown type name '{member.type}' specified in package.xml"
            yield Outcome("", member.name, MANIFEST, problem=problem, is_failure=True)
        for type_name in FILES:
            for member in dict.fromkeys(each for each in package.members if each.type == type_name):
                yield self._attempt(member, lambda each: self._deploy(db, package, each, organization, told))
        yield from _unnamed(package)
        for member in package.late_deletions:
            yield self._attempt(member, lambda each: self._delete(db, each))

    def _attempt(self, member: Member, act: Callable[[Member], Outcome]) -> Outcome:
        try:
            with self._store.transaction():
                return act(member)
        except Problem as problem:
            file_name = _file_name(member) if member.manifest == MANIFEST else member.manifest
            return Outcome(member.type, member.name, file_name, problem=str(problem), is_failure=True)

    def _deploy(
        self,
        db: sqlite3.Connection,
        package: Package,
        member: Member,
        organization: OrganizationSettings,
        told: str,
    ) -> Outcome:
        found = _component(package.files, member)
        if found is None:
            problem = (
                f"An object '{member.name}' of type {member.type} was named in package.xml, but was not"
                " found in zipped directory"
            )
            return Outcome("", member.name, MANIFEST, problem=problem, is_failure=True)
        if told:
            raise Problem(told)
        match member.type:
            case "WorkflowOutboundMessage":
                saved = metadata_outbound_messages.save(db, self._setup, member.name, found)
            case "Flow":
                if found["status"] == "Active" and not organization.lands_flows_active:
                    found = found | {"status": "Draft"}
                saved = metadata_flows.save(db, self._setup, member.name, found)
            case _:
                saved = self.activate(db, member.name, found["activeVersionNumber"] or 0, organization)
        return Outcome(
            member.type,
            member.name,
            _file_name(member),
            id=saved.id,
            created=saved.created,
            changed=saved.changed,
        )

    def activate(
        self, db: sqlite3.Connection, name: str, number: object, organization: OrganizationSettings
    ) -> Saved:
        """Make a version of a flow the active one, 0 for none, as far as the API may. Raises Problem."""
        if type(number) is not int or number < 0:
            raise Problem("activeVersionNumber is a whole number of at least 0")
        if number and not organization.may_activate_flows:
            raise Problem(f"You can't activate the flow {name} through the API in this organization.")
        return metadata_flows.activate(db, self._setup, name, number)

    def _delete(self, db: sqlite3.Connection, member: Member) -> Outcome:
        match member.type:
            case "WorkflowOutboundMessage":
                gone = metadata_outbound_messages.delete(db, member.name)
            case "Flow":
                gone = metadata_flows.delete(db, self._setup, member.name)
            case _:
                raise Problem(f"The sandbox does not delete components of type {member.type}")
        if gone is None:
            problem = f"No {member.type} named: {member.name} found"
            return Outcome("", member.manifest, member.manifest, problem=problem, is_warning=True)
        return Outcome(member.type, member.name, member.manifest, id=gone, changed=True, deleted=True)


def _component(files: Mapping[str, bytes], member: Member) -> Metadata | None:
    match member.type:
        case "WorkflowOutboundMessage":
            return metadata_outbound_messages.read_workflow(files, member.name)
        case "Flow":
            return metadata_flows.read_flow(files, member.name)
    data = files.get(_file_name(member))
    return None if data is None else read(root_of(data, member.type), member.type, _FLOW_DEFINITION)


def _unnamed(package: Package) -> Iterator[Outcome]:
    """Yield a failure for each file that belongs to no component of package.xml."""
    named = {_file_name(member) for member in package.members if member.type in FILES}
    for file_name in package.files:
        if file_name not in named and "/" in file_name:
            name = file_name.rpartition("/")[2].partition(".")[0]
            yield Outcome("", name, file_name, problem="Not in package.xml", is_failure=True)


def _file_name(member: Member) -> str:
    on, _, _ = member.name.partition(".")
    return FILES.get(member.type, "").format(object=on, name=member.name)
