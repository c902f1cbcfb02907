"""What a Salesforce org holds for us: the outbound message, the flow that sends it, a deployment.

Never log these as a whole: the address of an outbound message holds a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SalesforceUser:
    """The user who is logged in to Salesforce."""

    id: str
    username: str
    active: bool


@dataclass(frozen=True, slots=True)
class InstalledMessage:
    """An outbound message of User.

    `name` is its API name without `User.`; `endpoint_url` holds the webhook's token, so it does not
    show in a repr; `fields` are API names, in Salesforce's order; `integration_user` is the username of
    the user whose permissions decide what it carries; `api_version` is like 66.0.
    """

    id: str
    name: str
    endpoint_url: str = field(repr=False)
    fields: tuple[str, ...]
    integration_user: str
    api_version: str
    include_session_id: bool


@dataclass(frozen=True, slots=True)
class InstalledFlow:
    """A flow and its versions.

    `id` is that of the FlowDefinition; `versions` are all version numbers, ascending. `latest` and `active`
    are the Metadata of those versions as the Tooling API shows it; `active` is None if no version is
    active, `latest` is empty if the flow has no version.
    """

    id: str
    name: str
    active_version: int | None
    versions: tuple[int, ...]
    latest: Mapping[str, Any]
    active: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """The state of a deployment.

    `status` is Salesforce's word, like `InProgress`; `success` can only be true once it is `done`.
    `problems` say what is wrong, each like `Flow Muster_acme: …`, with tokens removed.
    """

    id: str
    status: str
    done: bool
    success: bool
    problems: tuple[str, ...]
