"""Set up the webhook in Salesforce: deploy an outbound message and a flow, read them back, report (U7).

    status       report which link of the chain is broken; changes nothing
    reconcile    deploy what is missing or differs (`install`, `refresh`, `rotate_token`)
    remove       delete the flow and the message, and revoke the message's token

Safe to repeat and to interrupt. What Salesforce has is always read, never remembered, so the next set-up
finishes one that died or whose answer was lost. A new token is accepted beside the old one before it is
deployed, and the old one gets an expiry only once the new one is read back from Salesforce.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from muster.checks import Check, Read, Result
from muster.errors import Misconfigured, MusterError, NotFound, Problem, Rejected, Stale, Unavailable
from muster.settings import Settings
from muster.settings.sections import SalesforceConnection
from muster.webhook import tokens
from muster.webhook.tokens import Token, WebhookRegistration, webhook_address
from muster.webhook_setup.delivery_chain import (
    Differences,
    Installed,
    address_of,
    checks,
    differences,
    token_in_use,
)
from muster.webhook_setup.deploying import RESERVE_S, Claim, Deploying, Unfinished, claimed, refusals
from muster.webhook_setup.metadata import InstalledFlow
from muster.webhook_setup.package import PREFIX, DesiredSetup, desired_setup, name_of, package, removal
from muster.webhook_setup.ports import Ports
from muster.webhook_setup.setup_record import Outcome

type Answer = dict[str, Any]

_TRIES = 5


@dataclass(slots=True)
class SettingUp:
    """The webhook of one organization, with the settings in force.

    `base_url` is the URL of the API, its stage included; `now` is timezone-aware; `remaining` returns the
    seconds left of the invocation.
    """

    settings: Settings
    connection: SalesforceConnection
    base_url: str
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    _cached_desired: DesiredSetup | None = field(default=None, init=False)

    # ── Actions ──────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> Answer:
        """Return every link of the chain, whether it works, and what to do about the first that does not."""
        registration = self._registration()
        installed: Read[Installed]
        try:
            installed, desired = self._installed(), self._desired()
        except MusterError as error:
            installed, desired = error, self._desired_offline()
        last = self.ports.journal.setup(self._organization)
        return {**self._report(desired, installed, registration), "setup": last.shown() if last else None}

    def reconcile(self, action: str, by: str, *, rotate: bool = False, check_only: bool = False) -> Answer:
        """Deploy what is missing or differs, and report the state of the chain.

        `rotate` gives the message a new token in any case. Raises `Rejected` where Salesforce refuses the
        deployment, where another set-up is at work, and for a message of another organization.
        """
        if check_only:
            return self._dry_run(rotate=rotate)
        return self._claimed(action, by, lambda claim: self._reconcile(claim, rotate=rotate))

    def remove(self, by: str, *, check_only: bool = False) -> Answer:
        """Delete flow and message, so that nothing of Muster is left in Salesforce; raises `Rejected`."""
        if check_only:
            return {
                "message": f"It would remove {self._installed().listing()}; nothing was changed.",
                "changed": [],
            }
        return self._claimed("remove", by, self._remove)

    def _claimed(self, action: str, by: str, work: Callable[[Claim], Answer]) -> Answer:
        seconds = self.remaining() + RESERVE_S
        with claimed(self.ports.journal, self._organization, action, by, self.now(), seconds) as claim:
            try:
                return work(claim)
            except Unfinished as unfinished:
                claim.record(outcome=Outcome.CONTINUE)
                tokens_of_both = " Until then both tokens are accepted, the old and the new."
                return {
                    "status": "continue",
                    "message": f"{unfinished}{tokens_of_both if claim.setup.replaced else ''}",
                    "deployment": claim.setup.deployment,
                }

    # ── Reconcile ────────────────────────────────────────────────────────────────────────────────────

    def _reconcile(self, claim: Claim, *, rotate: bool) -> Answer:
        self._deploying.finish_earlier(claim)
        installed, desired = self._installed(), self._desired()
        rotate = rotate and not _has_arrived(claim, installed)
        todo = self._todo(installed, desired, rotate=rotate)
        done: list[str] = []
        if todo.message or todo.flow:
            self._deploy(claim, installed, desired, todo)
            done = todo.names()
            installed = self._installed()
            todo = differences(installed, desired, self._registration(), self.now())
        if todo.activate is not None and installed.flow is not None:
            done += self._activated(installed.flow, todo.activate)
            installed = replace(installed, flow=self.ports.salesforce.flow(desired.name))
        registration = self._promote_token(claim, installed)
        report = self._report(desired, installed, registration)
        # Last of all: repeating the event after this starts another rotation.
        claim.record(outcome=Outcome.SUCCEEDED)
        did = f"Changed and read back: {', '.join(done)}." if done else "There was nothing to change."
        return {
            **report,
            "message": f"{did} {report['message']}",
            "changed": done,
            "previous_token_valid_until": max(
                (token.expires_at for token in registration.tokens if token.expires_at), default=None
            ),
        }

    def _dry_run(self, *, rotate: bool) -> Answer:
        """Have Salesforce validate the deployment without making it."""
        installed, desired = self._installed(), self._desired()
        todo = self._todo(installed, desired, rotate=rotate)
        if not (todo.message or todo.flow):
            would = "It would activate the flow" if todo else "There is nothing to change"
            return {"message": f"{would}; nothing was deployed.", "changed": []}
        # Any token will do: this one is never used.
        url = f"{desired.endpoint}?token={tokens.issue()}" if todo.message else None
        try:
            deployment = self._deploying.check(_package(installed, desired, todo, url))
        except Unfinished as unfinished:
            return {
                "status": "continue",
                "message": f"{unfinished} Nothing is deployed by it.",
                "changed": [],
            }
        if not deployment.success:
            raise Rejected(*refusals(deployment))
        return {
            "message": f"Salesforce would take it: {', '.join(todo.names())}. Nothing was deployed.",
            "changed": [],
            "deployment": deployment.id,
        }

    def _todo(self, installed: Installed, desired: DesiredSetup, *, rotate: bool) -> Differences:
        """Return what has to be done; raises `Rejected` where the message belongs to another organization."""
        self._require_ours(installed)
        if rotate and installed.message is None:
            raise Rejected(
                Problem(
                    "action",
                    f"there is no outbound message {desired.name} in Salesforce whose token could be rotated",
                    "Run the action install. For a message that was set up by hand, rotate_token of"
                    " OrganizationSettingsFunction hands out a new address.",
                )
            )
        return differences(installed, desired, self._registration(), self.now(), rotate=rotate)

    def _deploy(self, claim: Claim, installed: Installed, desired: DesiredSetup, todo: Differences) -> None:
        url, offered = None, None
        if todo.token:
            token = tokens.issue()
            offered = tokens.digest(token)
            # Registered first: Salesforce may send with it as soon as it is deployed.
            used = self._used(installed)
            claim.record(token=offered, replaced=used.sha256 if used else None)
            new = Token(offered, issued_to=claim.setup.by)
            self._change_tokens(lambda known: tokens.offered(known, new))
            url = webhook_address(self.base_url, self._organization, token)["url"]
        elif todo.message and installed.message is not None:
            url = f"{desired.endpoint}?token={address_of(installed.message.endpoint_url)[1]}"

        def withdraw() -> Iterable[Problem]:
            self._end_tokens({offered} if offered else set())
            return ()

        self._deploying.deployed(claim, _package(installed, desired, todo, url), withdraw)

    def _activated(self, flow: InstalledFlow, version: int) -> list[str]:
        """Have Salesforce activate a version; production orgs refuse that unless configured otherwise."""
        try:
            self.ports.salesforce.activate(flow.id, version)
        except (Rejected, Misconfigured):
            return []  # the link `flow active` says what an admin can do
        return [f"version {version} of the flow activated"]

    # ── Remove ───────────────────────────────────────────────────────────────────────────────────────

    def _remove(self, claim: Claim) -> Answer:
        # A slow removal is waited for, not cancelled: the next one would take as long.
        self._deploying.finish_earlier(claim, cancel=not claim.is_resumed)
        installed = self._installed()
        self._require_ours(installed)
        message, used = installed.message, self._used(installed)
        if used and used.expires_at is None:
            self._promote_token(claim, installed)  # the token it replaced may have no expiry yet
        # Nobody uses a token that an unfinished set-up has registered.
        ending = {used.sha256} if used else set()
        ending |= {claim.setup.token} if claim.setup.token else set()
        if message or installed.flow:
            claim.record(token=used.sha256 if used else claim.setup.token)
            self._delete(claim, installed)
        self._end_tokens(ending)
        left = self._installed()
        claim.record(outcome=Outcome.SUCCEEDED)
        if left.message or left.flow:
            return {
                "status": "succeeded_with_errors",
                "message": f"Salesforce still has {left.listing()}. Run the action remove again.",
            }
        removed = f"Removed {installed.listing()}; the token is not valid any more."
        return {"message": removed if message or installed.flow else "There was nothing to remove."}

    def _delete(self, claim: Claim, installed: Installed) -> None:
        """Delete flow and message; where Salesforce refuses, the flow is reactivated."""
        flow = installed.flow
        active = flow.active_version if flow else None
        if flow and active:
            self.ports.salesforce.activate(flow.id, 0)
        content = removal(
            self._desired_offline(),
            message=installed.message is not None,
            versions=flow.versions if flow else (),
        )
        self._deploying.deployed(claim, content, lambda: self._reactivate(flow, active))

    def _reactivate(self, flow: InstalledFlow | None, version: int | None) -> Iterator[Problem]:
        """Activate the flow again; yields what an admin has to do if that fails."""
        if flow is None or not version:
            return
        try:
            self.ports.salesforce.activate(flow.id, version)
        except MusterError:
            where = f"Setup > Flows > Muster {self._organization} > version {version}"
            yield Problem("flow", f"{flow.name} is now switched off", f"{where}: Activate; or remove again.")

    # ── Tokens ───────────────────────────────────────────────────────────────────────────────────────

    def _promote_token(self, claim: Claim, installed: Installed) -> WebhookRegistration:
        """Make the token that was read back the current one."""
        used = self._used(installed)
        if not used:
            return self._registration()
        sha256, replaced = used.sha256, claim.setup.replaced
        return self._change_tokens(lambda known: tokens.settled(known, sha256, self.now(), replaced))

    def _used(self, installed: Installed) -> Token | None:
        """Return the token that Salesforce sends with, if it is valid."""
        if installed.message is None:
            return None
        return token_in_use(installed.message, self._registration(), self.now())

    def _end_tokens(self, digests: set[str]) -> None:
        for each in digests:
            self._change_tokens(partial(tokens.without, sha256=each))

    def _change_tokens(self, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> WebhookRegistration:
        for _ in range(_TRIES):
            was = self._registration()
            becomes = replace(was, tokens=change(was.tokens))
            if becomes.tokens == was.tokens:
                return was
            try:
                self.ports.webhooks.replace(self._organization, was, becomes)
            except Stale:
                continue  # settings were saved meanwhile
            return becomes
        raise Unavailable(f"the webhook registration of {self._organization} keeps changing", retry_after=1)

    def _registration(self) -> WebhookRegistration:
        found = self.ports.webhooks.find(self._organization)
        if found is None:
            remedy = "Save some with OrganizationSettingsFunction, action put."
            raise NotFound(Problem("organization", f"{self._organization} has no settings", remedy))
        return found

    # ── Gather and report ────────────────────────────────────────────────────────────────────────────

    @property
    def _organization(self) -> str:
        return self.settings.organization

    @property
    def _deploying(self) -> Deploying:
        return Deploying(self.ports, self.remaining)

    def _endpoint(self) -> str:
        return address_of(webhook_address(self.base_url, self._organization, "")["url"])[0]

    def _installed(self) -> Installed:
        name, salesforce = name_of(self._organization), self.ports.salesforce
        others = [each for each in salesforce.messages() if each.startswith(PREFIX) and each != name]
        return Installed(salesforce.message(name), salesforce.flow(name), tuple(others))

    def _desired(self) -> DesiredSetup:
        """Return what Salesforce should have, given its fields of User and the integration user."""
        if self._cached_desired is None:
            salesforce = self.ports.salesforce
            described, username = salesforce.described(), salesforce.me().username
            self._cached_desired = desired_setup(
                self.settings, self.connection, self._endpoint(), described, username
            )
        return self._cached_desired

    def _desired_offline(self) -> DesiredSetup:
        """Return the part of the desired setup that is known without asking Salesforce."""
        return desired_setup(self.settings, self.connection, self._endpoint(), (), "")

    def _require_ours(self, installed: Installed) -> None:
        """Raise `Rejected` for a message that sends to another organization of Muster."""
        if installed.message is None:
            return
        base = address_of(installed.message.endpoint_url)[0]
        owner = base.partition("/organizations/")[2].partition("/")[0]
        if owner and owner != self._organization:
            raise Rejected(
                Problem(
                    "organization",
                    f"the outbound message {installed.message.name} belongs to Muster's organization {owner}",
                    "Their names differ in dashes only: rename one of the organizations.",
                )
            )

    def _report(
        self, desired: DesiredSetup, installed: Read[Installed], registration: WebhookRegistration
    ) -> Answer:
        received_at = self.ports.journal.received_at(self._organization)
        links = list(checks(self.settings, desired, installed, registration, received_at, self.now()))
        broken = [each for each in links if each.result in (Result.FAILED, Result.COULD_NOT_CHECK)]
        message = None if isinstance(installed, MusterError) else installed.message
        return {
            "status": "succeeded_with_errors" if broken else "succeeded",
            "message": _summary(links, broken),
            "broken": broken[0].check if broken else None,
            "checks": [asdict(each) for each in links],
            "endpoint": desired.endpoint,
            "action_id": message.id if message else None,
            "last_message_at": received_at,
        }


def _has_arrived(claim: Claim, installed: Installed) -> bool:
    """Whether this resumes a rotation whose new token is already in Salesforce."""
    message = installed.message
    if message is None or not claim.is_resumed:
        return False
    return tokens.digest(address_of(message.endpoint_url)[1]) == claim.setup.token


def _package(installed: Installed, desired: DesiredSetup, todo: Differences, url: str | None) -> bytes:
    flow = installed.flow
    return package(
        desired,
        url=url,
        flow=todo.flow,
        versions=flow.versions if flow else (),
        active=flow.active_version if flow else None,
    )


def _summary(links: Sequence[Check], broken: Sequence[Check]) -> str:
    if broken:
        first = broken[0]
        return f"The chain is broken at: {first.check}, for {first.found}. {first.remedy}"
    warned = [f"{each.check}: {each.found}." for each in links if each.result is Result.WARNING]
    return " ".join(["From Salesforce to Muster every link holds.", *warned])
