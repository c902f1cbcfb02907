"""The delivery chain from a user's change in Salesforce to a message at Muster: which links work (U7).

differences    what has to be deployed so that Salesforce has the desired setup
checks         each link of the chain as a check, with the remedy for a broken one
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.checks import Check, NotAsked, Read, Result, judged, unread
from muster.crm import salesforce_ids
from muster.errors import MusterError
from muster.settings import Settings
from muster.webhook import tokens
from muster.webhook.tokens import Token, WebhookRegistration
from muster.webhook_setup.metadata import InstalledFlow, InstalledMessage
from muster.webhook_setup.package import DesiredSetup, watched_in

_REFRESH = "Run WebhookSetupFunction with the action refresh."
_DELIVERIES = (
    "Change a user in Salesforce, a title say, and ask again a minute later. If nothing arrives: Setup >"
    " Outbound Messages > View Message Delivery Status says why."
)
# Ours need no quoting in a URL.
_TOKEN = re.compile(r"(?:^|&)token=([A-Za-z0-9_-]+)(?:&|$)")
_AFTER_SAVE = ("User", "CreateAndUpdate", "RecordAfterSave")


@dataclass(frozen=True, slots=True)
class Installed:
    """What Salesforce has: our message and flow, and the names of other organizations' messages."""

    message: InstalledMessage | None
    flow: InstalledFlow | None
    others: tuple[str, ...] = ()

    def listing(self) -> str:
        """Return our message and flow in words, or "nothing"."""
        found = [f"the outbound message {self.message.name}"] if self.message else []
        found += [f"the flow {self.flow.name}"] if self.flow else []
        return " and ".join(found) or "nothing"


@dataclass(frozen=True, slots=True)
class Differences:
    """What to do: deploy the message, with a new token or not; deploy the flow; activate a version of it."""

    message: bool
    token: bool
    flow: bool
    activate: int | None

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return self.message or self.flow or self.activate is not None

    def names(self) -> list[str]:
        """Return the names of the parts to deploy."""
        return [name for name, wanted in (("outbound message", self.message), ("flow", self.flow)) if wanted]


def differences(
    installed: Installed,
    desired: DesiredSetup,
    registration: WebhookRegistration,
    now: datetime,
    *,
    rotate: bool = False,
) -> Differences:
    """Return how Salesforce differs from the desired setup; `rotate` requires a new token in any case."""
    message = installed.message
    token = rotate or (message is None) or _permanent_token(message, registration, now) is None
    flow = installed.flow
    right = None if flow is None else _right_version(flow, desired)
    return Differences(
        message=token or message is None or bool(list(_message_faults(message, desired))),
        token=token,
        flow=right is None,
        activate=right if flow is not None and right != flow.active_version else None,
    )


def address_of(url: str) -> tuple[str, str]:
    """Return an endpoint URL without its query, and its token (empty: none)."""
    base, _, query = url.partition("?")
    found = _TOKEN.search(query)
    return base, found[1] if found else ""


def token_in_use(message: InstalledMessage, registration: WebhookRegistration, now: datetime) -> Token | None:
    """Return the token in the message's endpoint, if it is valid."""
    return tokens.find(address_of(message.endpoint_url)[1], registration.tokens, now)


def checks(
    settings: Settings,
    desired: DesiredSetup,
    installed: Read[Installed],
    registration: WebhookRegistration,
    received_at: str | None,
    now: datetime,
) -> Iterator[Check]:
    """Yield a check per link of the chain, in the order in which a change passes them."""
    flow: Read[InstalledFlow | None] = installed if isinstance(installed, MusterError) else installed.flow
    message: Read[InstalledMessage | None] = (
        installed if isinstance(installed, MusterError) else installed.message
    )
    yield _flow(flow, desired)
    yield _flow_is_active(flow, desired)
    yield _message_is_there(message, desired)
    yield from _of_message(message, settings, desired, registration, now)
    yield _switched_on(settings)
    yield _received(received_at)
    if not isinstance(installed, MusterError) and installed.others:
        yield _others(installed.others)


# ── The flow ─────────────────────────────────────────────────────────────────────────────────────────


def _right_version(flow: InstalledFlow, desired: DesiredSetup) -> int | None:
    """Return a version that is correct: the active one if it is, else the latest, else `None`."""
    if flow.active is not None and not list(_flow_faults(flow.active, desired)):
        return flow.active_version
    return flow.versions[-1] if flow.versions and not list(_flow_faults(flow.latest, desired)) else None


def _flow_faults(metadata: Mapping[str, Any], desired: DesiredSetup) -> Iterator[str]:
    start = metadata.get("start") or {}
    if not any(_sends(action, desired) for action in metadata.get("actionCalls") or ()):
        yield f"does not send {desired.message}"
    if tuple(start.get(name) for name in ("object", "recordTriggerType", "triggerType")) != _AFTER_SAVE:
        yield "does not run after a user is created or changed"
    condition = start.get("filterFormula")
    if condition is not None and (
        start.get("doesRequireRecordChangedToMeetCriteria") or "ISNEW()" not in condition.upper()
    ):
        yield "leaves some changes out by its condition"
    watched = watched_in(condition)
    if watched is None:
        return
    if desired.watched is None:
        yield "watches some fields only, where there are too many to name"
    elif missing := [name for name in desired.watched if name.lower() not in watched]:
        yield f"does not watch {_shortened(missing)}"


def _sends(action: Mapping[str, Any], desired: DesiredSetup) -> bool:
    return action.get("actionType") == "outboundMessage" and action.get("actionName") == desired.message


def _flow(flow: Read[InstalledFlow | None], desired: DesiredSetup) -> Check:
    if isinstance(flow, MusterError):
        return _unknown("flow", flow)
    if flow is None:
        return Check("flow", Result.FAILED, f"Salesforce has no flow {desired.name}", _REFRESH)
    number = _right_version(flow, desired)
    if number is not None:
        watched = "any field" if desired.watched is None else f"{len(desired.watched)} fields"
        return Check("flow", Result.PASSED, f"version {number} of {desired.name} watches {watched} of User")
    faults = _flow_faults(flow.active if flow.active is not None else flow.latest, desired)
    return Check("flow", Result.FAILED, f"the flow {desired.name} {', and '.join(faults)}", _REFRESH)


def _flow_is_active(flow: Read[InstalledFlow | None], desired: DesiredSetup) -> Check:
    name = "flow active"
    if isinstance(flow, MusterError):
        return _unknown(name, flow)
    if flow is None:
        return _unknown(name, NotAsked("there is no flow that could be active"))
    right = _right_version(flow, desired)
    if right is not None and right == flow.active_version:
        return Check(name, Result.PASSED, f"version {right} is active")
    runs = f"version {flow.active_version} runs instead" if flow.active_version else "none is active"
    if right is None:
        return judged(name, f"{runs}, and none does what it should", _REFRESH, holds=False)
    remedy = (
        f"{_REFRESH} Where the org leaves that to people, as production orgs do:"
        f" Setup > Flows > Muster {desired.organization} > version {right}: Activate. Or tick Setup > Process"
        " Automation Settings > Deploy processes and flows as active, and refresh again."
    )
    return Check(name, Result.FAILED, f"version {right} is not active; {runs}", remedy)


# ── The outbound message ─────────────────────────────────────────────────────────────────────────────


def _message_is_there(message: Read[InstalledMessage | None], desired: DesiredSetup) -> Check:
    name = "outbound message"
    if isinstance(message, MusterError):
        return _unknown(name, message)
    found = f"Salesforce has {'the' if message else 'no'} outbound message {desired.name}"
    return judged(name, found, _REFRESH, holds=message is not None)


def _of_message(
    message: Read[InstalledMessage | None],
    settings: Settings,
    desired: DesiredSetup,
    registration: WebhookRegistration,
    now: datetime,
) -> Iterator[Check]:
    names = ("endpoint", "token", "fields", "integration user", "ActionId")
    if isinstance(message, MusterError) or message is None:
        yield from (_unknown(name, message or NotAsked("there is no outbound message")) for name in names)
        return
    faults = dict(_message_faults(message, desired))
    passed = {
        "endpoint": "it sends to this stack",
        "fields": f"it carries all {len(desired.fields)} fields that the settings list",
        "integration user": f"it shows what {desired.username} may see",
    }
    for name in names:
        if name == "token":
            yield _token(message, registration, now)
        elif name == "ActionId":
            yield _action_id(message, settings)
        elif name in faults:
            yield Check(name, Result.FAILED, faults[name], _REFRESH)
        else:
            yield Check(name, Result.PASSED, passed[name])


def _message_faults(message: InstalledMessage, desired: DesiredSetup) -> Iterator[tuple[str, str]]:
    if address_of(message.endpoint_url)[0] != desired.endpoint:
        yield "endpoint", "it sends to another address than this stack's"
    missing = _missing_from(desired.fields, message.fields)
    extra = _missing_from(message.fields, desired.fields)
    if missing or extra:
        found = [f"lacks {_shortened(missing)}"] if missing else []
        found += [f"has {_shortened(extra)} beyond them"] if extra else []
        yield "fields", f"of the fields that the settings list it {' and '.join(found)}"
    if message.integration_user.lower() != desired.username.lower():
        yield "integration user", f"it shows what {message.integration_user} may see, not {desired.username}"


def _token(message: InstalledMessage, registration: WebhookRegistration, now: datetime) -> Check:
    used = token_in_use(message, registration, now)
    if used is None:
        return Check("token", Result.FAILED, "the token in its endpoint is not valid", _REFRESH)
    if used.expires_at is not None:
        found = f"the token in its endpoint is only valid until {used.expires_at}"
        return Check("token", Result.FAILED, found, _REFRESH)
    return Check("token", Result.PASSED, "the token in its endpoint is valid")


def _permanent_token(
    message: InstalledMessage | None, registration: WebhookRegistration, now: datetime
) -> Token | None:
    """Return the token in use, if it never expires."""
    used = None if message is None else token_in_use(message, registration, now)
    return used if used is not None and used.expires_at is None else None


def _action_id(message: InstalledMessage, settings: Settings) -> Check:
    connection = settings.connections.salesforce
    allowed = connection.action_ids if connection else ()
    if not allowed:
        return Check(
            "ActionId",
            Result.WARNING,
            f"any outbound message of the org may call; this one is {message.id}",
            f'Set action_ids: ["{message.id}"] in connections.salesforce, with OrganizationSettingsFunction;'
            " messages of any other one are refused from then on.",
        )
    known = any(salesforce_ids.same(message.id, each) for each in allowed)
    found = "is allowed to call" if known else "is not among connections.salesforce.action_ids"
    return judged(
        "ActionId",
        f"{message.id} {found}",
        f"Add {message.id} to connections.salesforce.action_ids, with OrganizationSettingsFunction.",
        holds=known,
    )


# ── At Muster's end ──────────────────────────────────────────────────────────────────────────────────


def _switched_on(settings: Settings) -> Check:
    on = settings.auto_provision.enabled
    return judged(
        "auto-provisioning",
        "it is switched on" if on else "auto_provision.enabled is off: what arrives is counted and dropped",
        "Set auto_provision.enabled to true, with OrganizationSettingsFunction.",
        holds=on,
    )


def _received(received_at: str | None) -> Check:
    if received_at is None:
        return Check("last message", Result.WARNING, "none has arrived yet", _DELIVERIES)
    return Check("last message", Result.PASSED, f"one arrived at {received_at}")


def _others(names: Sequence[str]) -> Check:
    return Check(
        "other organizations",
        Result.WARNING,
        f"the same Salesforce org also sends its users to {_shortened(names)}",
        "If that organization of Muster is not in use any more, run the action remove for it; or delete its"
        " flow and outbound message in Setup.",
    )


def _unknown(name: str, why: MusterError) -> Check:
    return unread(name, why, "ask for the status again")


def _missing_from(some: Sequence[str], others: Sequence[str]) -> list[str]:
    known = {name.lower() for name in others}
    return [name for name in some if name.lower() not in known]


def _shortened(names: Sequence[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
