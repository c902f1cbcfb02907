"""Lambda: admins read, check and save an organization's settings, and get its webhook address.

`docs/settings.md` has the events and the answers, `events/organization_settings_*.json` one of each to paste.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AfterValidator, Field, model_validator

from muster import bootstrap, environment
from muster.admin_requests import Action, Line, Request, SignedRequest, answer
from muster.imports.ports import Ports
from muster.observability import logger, metrics
from muster.organization_settings.configuring import Configuring
from muster.organization_settings.listing_mappable_fields import ListingMappableFields
from muster.organization_settings.previewing import Previewing
from muster.organization_settings.saving import Signature
from muster.presentation import settings_differences
from muster.presentation.answers import Layout
from muster.references import RunId
from muster.settings.sections import SalesforceConnection
from muster.validation import refused


def _document(value: object) -> object:
    if not isinstance(value, str | dict):
        raise refused("is neither an object nor text", "Put the document here: JSON, or YAML as one text.")
    return value


type Document = Annotated[Any, AfterValidator(_document)]
type Version = Annotated[int, Field(ge=1, le=99_999_999)]


_PLAN = Layout(
    settings_differences.plan,
    only_in_detail=frozenset({"changes", "tally", "seats", "plan", "not_tried"}),
)
_VERSION = Layout(settings_differences.version, only_in_detail=frozenset({"effective", "not_tried"}))
_DIFFERENCES = Layout(settings_differences.lines, only_in_detail=frozenset({"changes", "not_tried"}))
_HISTORY = Layout(settings_differences.history, only_in_detail=frozenset({"versions"}))
_FIELDS = Layout(settings_differences.fields, only_in_detail=frozenset({"fields", "mappings"}))


class Get(Request):
    """The settings in force, or a version of them."""

    version: Version | None = None


class Validate(Request):
    """Check a document without saving it."""

    settings: Document


class Preview(SignedRequest):
    """Try a document on the roster without saving it."""

    settings: Document


class Describe(Request):
    """What of a connection can be mapped in `field_maps`."""

    connection: Literal["salesforce", "vault_crm", "align"]


class Approve(SignedRequest):
    """Save what a parked run keeps."""

    run_id: RunId
    why: Annotated[Line, Field(max_length=500)] | None = None


class Save(SignedRequest):
    """What saving takes, whatever is saved; `approve` is the run that was parked for it."""

    expected_version: int | None = Field(default=None, ge=0)
    why: Annotated[Line, Field(max_length=500)] | None = None
    approve: RunId | None = None

    def signature(self, request_id: str) -> Signature:
        """Return who saves, why, on which version it is based, and what is approved with it."""
        return Signature(self.by, self.why or "", self.expected_version, self.approve, request_id)


class Put(Save):
    """Save a document as the next version."""

    settings: Document


class Restore(Save):
    """Save an earlier version again, as the next one."""

    version: Version


class Undo(Save):
    """Save the version before one again: the one that `version` names, or that the run `undo` saved."""

    undo: RunId | None = None
    version: Version | None = None
    preview: bool = False

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.undo is None) == (self.version is None):
            raise refused(
                "names no version, or names it twice",
                "Say version, or undo with the id of the run that is to be undone.",
            )
        if self.preview and self.approve:
            raise refused("has preview with approve", "A preview approves nothing: leave one of them out.")
        return self


class History(Request):
    """Who saved which version, when and why; `cursor` comes from the page before."""

    limit: int = Field(default=20, ge=1, le=100)
    cursor: Annotated[str, Field(pattern="^[1-9][0-9]{0,7}$")] | None = None


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one admin request."""
    request_id = context.aws_request_id
    configuring = _configuring(lambda: context.get_remaining_time_in_millis() / 1000, request_id)
    said = answer(
        event,
        {
            "get": Action(Get, lambda to: configuring.get(to.organization, to.version), layout=_VERSION),
            "validate": Action(
                Validate,
                lambda to: configuring.validate(to.organization, to.settings),
                begins=True,
                layout=_DIFFERENCES,
            ),
            "describe": Action(Describe, _describe, layout=_FIELDS),
            "preview": Action(
                Preview,
                lambda to: configuring.preview(to.organization, to.settings, Signature(to.by)),
                begins=True,
                layout=_PLAN,
            ),
            "put": Action(
                Put,
                lambda to: configuring.put(to.organization, to.settings, to.signature(request_id)),
                begins=True,
                layout=_PLAN,
            ),
            "approve": Action(
                Approve,
                lambda to: configuring.approve(
                    to.organization, to.run_id, Signature(to.by, to.why or "", request_id=request_id)
                ),
                begins=True,
                layout=_PLAN,
            ),
            "restore": Action(
                Restore,
                lambda to: configuring.restore(to.organization, to.version, to.signature(request_id)),
                layout=_PLAN,
            ),
            "undo": Action(
                Undo,
                lambda to: configuring.undo(
                    to.organization,
                    to.signature(request_id),
                    run_id=to.undo,
                    version=to.version,
                    preview=to.preview,
                ),
                layout=_PLAN,
            ),
            "history": Action(
                History,
                lambda to: configuring.history(to.organization, to.limit, to.cursor),
                layout=_HISTORY,
            ),
            "rotate_token": Action(
                SignedRequest, lambda to: configuring.rotate_token(to.organization, to.by)
            ),
        },
    )
    if said.get("saved"):
        metrics.add_metric(name="SettingsSaved", unit=MetricUnit.Count, value=1)
        metrics.flush_metrics()
    return said


def _describe(to: Describe) -> dict[str, Any]:
    listing = ListingMappableFields(
        bootstrap.settings_table(), bootstrap.salesforce, bootstrap.vault, bootstrap.align
    )
    return listing.describe(to.organization, to.connection)


def _configuring(remaining: Callable[[], float], request_id: str) -> Configuring:
    return Configuring(
        store=bootstrap.settings_table(),
        webhooks=bootstrap.webhook_registry(),
        journal=bootstrap.webhook_journal(),
        previewing=Previewing(
            runs=bootstrap.run_table(),
            roster=bootstrap.roster_table(),
            archive=bootstrap.run_archive(),
            salesforce=bootstrap.salesforce,
            ports=_ports,
            now=_now,
            remaining=remaining,
            request_id=request_id,
        ),
        base_url=environment.webhook_base_url(),
        now=_now(),
        loopback_hosts=environment.on_local_stack(),
        sends_mail=environment.mail_from() is not None,
    )


def _ports(connection: SalesforceConnection) -> Ports:
    def users() -> dict[str, str]:
        user = bootstrap.salesforce(connection).user_id
        return {"salesforce": user} if user else {}

    return Ports(
        runs=bootstrap.run_table(),
        archive=bootstrap.run_archive(),
        roster=bootstrap.roster_table(),
        salesforce=bootstrap.salesforce(connection),
        # A preview ends before managers are notified.
        notify=lambda settings, run, new_since: None,
        holders=bootstrap.unlinked_holder_table(),
        users=users,
    )


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
