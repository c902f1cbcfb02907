"""The webhook set up in Salesforce: an outbound message and a flow, deployed, read back, told about (U7).

    status         which link of the chain is broken; changes nothing
    bring_about    what is missing or differs is deployed (`install`, `refresh`, `rotate_token`)
    remove         flow and message are taken away, and the message's token ends

Safe to repeat and to interrupt anywhere. What Salesforce has is always read, never remembered: a set-up
that died, or whose answer was lost, is finished by the next. A new token is valid beside the old one
before it is deployed, and the old one gets an end only once the new one is read back from Salesforce.
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
from muster.webhook_setup.chain import Differences, Installed, address_of, checks, differences, token_in_use
from muster.webhook_setup.deploying import RESERVE_S, Claim, Deploying, Unfinished, claimed, refusals
from muster.webhook_setup.metadata import InstalledFlow
from muster.webhook_setup.package import PREFIX, Sender, name_of, package, removal, sender_of
from muster.webhook_setup.ports import Ports
from muster.webhook_setup.setup_record import Outcome

type Answer = dict[str, Any]

_TRIES = 5


@dataclass(slots=True)
class SettingUp:
    """The webhook of one organization, with the settings in force.

    `base_url` is where the API answers, its stage included; `now` is aware; `remaining` answers the
    seconds left of the invocation.
    """

    settings: Settings
    connection: SalesforceConnection
    base_url: str
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    _sender: Sender | None = field(default=None, init=False)

    # ── What can be asked ────────────────────────────────────────────────────────────────────────────

    def status(self) -> Answer:
        """Return every link of the chain, whether it holds, and what to do about the first that does not."""
        registration = self._registration()
        installed: Read[Installed]
        try:
            installed, sender = self._installed(), self._wanted()
        except MusterError as error:
            installed, sender = error, self._unasked()
        last = self.ports.journal.setup(self._organization)
        return {**self._told(sender, installed, registration), "setup": last.shown() if last else None}

    def bring_about(self, action: str, by: str, *, rotate: bool = False, check_only: bool = False) -> Answer:
        """Deploy what is missing or differs, and tell how the chain stands.

        `rotate` gives the message a new token in any case. Raises `Rejected` where Salesforce refuses the
        deployment, where another set-up is at work, and for a message of another organization.
        """
        if check_only:
            return self._tried(rotate=rotate)
        return self._claimed(action, by, lambda claim: self._bring_about(claim, rotate=rotate))

    def remove(self, by: str, *, check_only: bool = False) -> Answer:
        """Take flow and message away; nothing of Muster is left in Salesforce then. Raises `Rejected`."""
        if check_only:
            return {
                "message": f"It would remove {_what_is_there(self._installed())}; nothing was changed.",
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

    # ── Bring about ──────────────────────────────────────────────────────────────────────────────────

    def _bring_about(self, claim: Claim, *, rotate: bool) -> Answer:
        self._deploying.finish_earlier(claim)
        installed, sender = self._installed(), self._wanted()
        rotate = rotate and not _has_arrived(claim, installed)
        todo = self._todo(installed, sender, rotate=rotate)
        done: list[str] = []
        if todo.message or todo.flow:
            self._deploy(claim, installed, sender, todo)
            done = todo.named()
            installed = self._installed()
            todo = differences(installed, sender, self._registration(), self.now())
        if todo.activate is not None and installed.flow is not None:
            done += self._activated(installed.flow, todo.activate)
            installed = replace(installed, flow=self.ports.salesforce.flow(sender.name))
        registration = self._settle(claim, installed)
        told = self._told(sender, installed, registration)
        # Last of all: sent again after this, a rotation is another one.
        claim.record(outcome=Outcome.SUCCEEDED)
        did = f"Changed and read back: {', '.join(done)}." if done else "There was nothing to change."
        return {
            **told,
            "message": f"{did} {told['message']}",
            "changed": done,
            "previous_token_valid_until": max(
                (token.expires_at for token in registration.tokens if token.expires_at), default=None
            ),
        }

    def _tried(self, *, rotate: bool) -> Answer:
        """Have Salesforce check what would be deployed; nothing is."""
        installed, sender = self._installed(), self._wanted()
        todo = self._todo(installed, sender, rotate=rotate)
        if not (todo.message or todo.flow):
            would = "It would activate the flow" if todo else "There is nothing to change"
            return {"message": f"{would}; nothing was deployed.", "changed": []}
        # Any token does, for this one goes nowhere.
        url = f"{sender.endpoint}?token={tokens.issue()}" if todo.message else None
        try:
            deployment = self._deploying.checked(_package(installed, sender, todo, url))
        except Unfinished as unfinished:
            return {
                "status": "continue",
                "message": f"{unfinished} Nothing is deployed by it.",
                "changed": [],
            }
        if not deployment.success:
            raise Rejected(*refusals(deployment))
        return {
            "message": f"Salesforce would take it: {', '.join(todo.named())}. Nothing was deployed.",
            "changed": [],
            "deployment": deployment.id,
        }

    def _todo(self, installed: Installed, sender: Sender, *, rotate: bool) -> Differences:
        """Return what has to be done; raises `Rejected` where it would touch what is not ours."""
        self._demand_ours(installed)
        if rotate and installed.message is None:
            raise Rejected(
                Problem(
                    "action",
                    f"there is no outbound message {sender.name} in Salesforce whose token could be rotated",
                    "Run the action install. For a message that was set up by hand, rotate_token of"
                    " OrganizationSettingsFunction hands out a new address.",
                )
            )
        return differences(installed, sender, self._registration(), self.now(), rotate=rotate)

    def _deploy(self, claim: Claim, installed: Installed, sender: Sender, todo: Differences) -> None:
        url, offered = None, None
        if todo.token:
            token = tokens.issue()
            offered = tokens.digest(token)
            # Before it is deployed: Salesforce may send with it the moment it is.
            used = self._used(installed)
            claim.record(token=offered, replaced=used.sha256 if used else None)
            new = Token(offered, issued_to=claim.setup.by)
            self._change_tokens(lambda known: tokens.offered(known, new))
            url = webhook_address(self.base_url, self._organization, token)["url"]
        elif todo.message and installed.message is not None:
            url = f"{sender.endpoint}?token={address_of(installed.message.endpoint_url)[1]}"

        def withdraw() -> Iterable[Problem]:
            self._end_tokens({offered} if offered else set())
            return ()

        self._deploying.deployed(claim, _package(installed, sender, todo, url), withdraw)

    def _activated(self, flow: InstalledFlow, version: int) -> list[str]:
        """Have Salesforce activate a version, which production orgs refuse unless they are told otherwise."""
        try:
            self.ports.salesforce.activate(flow.id, version)
        except (Rejected, Misconfigured):
            return []  # the link `flow active` says what an admin can do
        return [f"version {version} of the flow activated"]

    # ── Remove ───────────────────────────────────────────────────────────────────────────────────────

    def _remove(self, claim: Claim) -> Answer:
        # A removal that takes Salesforce long is not cancelled, or the next would take as long.
        self._deploying.finish_earlier(claim, cancel=not claim.goes_on)
        installed = self._installed()
        self._demand_ours(installed)
        message, used = installed.message, self._used(installed)
        if used and used.expires_at is None:
            self._settle(claim, installed)  # what it has replaced may not have got its end yet
        # What a set-up that died has offered, or has not come to end, is in use by nobody.
        ending = {used.sha256} if used else set()
        ending |= {claim.setup.token} if claim.setup.token else set()
        if message or installed.flow:
            claim.record(token=used.sha256 if used else claim.setup.token)
            self._take_away(claim, installed)
        self._end_tokens(ending)
        left = self._installed()
        claim.record(outcome=Outcome.SUCCEEDED)
        if left.message or left.flow:
            return {
                "status": "succeeded_with_errors",
                "message": f"Salesforce still has {_what_is_there(left)}. Run the action remove again.",
            }
        removed = f"Removed {_what_is_there(installed)}; the token is not valid any more."
        return {"message": removed if message or installed.flow else "There was nothing to remove."}

    def _take_away(self, claim: Claim, installed: Installed) -> None:
        """Remove what is there; where Salesforce refuses, the flow runs on as before."""
        flow = installed.flow
        active = flow.active_version if flow else None
        if flow and active:
            self.ports.salesforce.activate(flow.id, 0)
        content = removal(
            self._unasked(),
            message=installed.message is not None,
            versions=flow.versions if flow else (),
        )
        self._deploying.deployed(claim, content, lambda: self._run_on(flow, active))

    def _run_on(self, flow: InstalledFlow | None, version: int | None) -> Iterator[Problem]:
        """Have the flow run again; yields what is left to an admin."""
        if flow is None or not version:
            return
        try:
            self.ports.salesforce.activate(flow.id, version)
        except MusterError:
            where = f"Setup > Flows > Muster {self._organization} > version {version}"
            yield Problem(
                "flow", f"{flow.name} is switched off by now", f"{where}: Activate; or remove again."
            )

    # ── Tokens ───────────────────────────────────────────────────────────────────────────────────────

    def _settle(self, claim: Claim, installed: Installed) -> WebhookRegistration:
        """Let the token that was read back take over."""
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
        raise Unavailable(f"who may call the webhook of {self._organization} keeps changing", retry_after=1)

    def _registration(self) -> WebhookRegistration:
        found = self.ports.webhooks.find(self._organization)
        if found is None:
            remedy = "Save some with OrganizationSettingsFunction, action put."
            raise NotFound(Problem("organization", f"{self._organization} has no settings", remedy))
        return found

    # ── Gather and tell ──────────────────────────────────────────────────────────────────────────────

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

    def _wanted(self) -> Sender:
        """Return what Salesforce has to have, for its own fields of User and the integration user."""
        if self._sender is None:
            salesforce = self.ports.salesforce
            described, username = salesforce.described(), salesforce.me().username
            self._sender = sender_of(self.settings, self.connection, self._endpoint(), described, username)
        return self._sender

    def _unasked(self) -> Sender:
        """Return what can be told of it without asking Salesforce."""
        return sender_of(self.settings, self.connection, self._endpoint(), (), "")

    def _demand_ours(self, installed: Installed) -> None:
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

    def _told(self, sender: Sender, installed: Read[Installed], registration: WebhookRegistration) -> Answer:
        received_at = self.ports.journal.received_at(self._organization)
        links = list(checks(self.settings, sender, installed, registration, received_at, self.now()))
        broken = [each for each in links if each.result in (Result.FAILED, Result.COULD_NOT_CHECK)]
        return {
            "status": "succeeded_with_errors" if broken else "succeeded",
            "message": _in_words(links, broken),
            "broken": broken[0].check if broken else None,
            "checks": [asdict(each) for each in links],
            "endpoint": sender.endpoint,
            "last_message_at": received_at,
        }


def _has_arrived(claim: Claim, installed: Installed) -> bool:
    """Tell whether this goes on with a rotation whose new token is in Salesforce by now."""
    message = installed.message
    if message is None or not claim.goes_on:
        return False
    return tokens.digest(address_of(message.endpoint_url)[1]) == claim.setup.token


def _package(installed: Installed, sender: Sender, todo: Differences, url: str | None) -> bytes:
    flow = installed.flow
    return package(
        sender,
        url=url,
        flow=todo.flow,
        versions=flow.versions if flow else (),
        active=flow.active_version if flow else None,
    )


def _in_words(links: Sequence[Check], broken: Sequence[Check]) -> str:
    if broken:
        first = broken[0]
        return f"The chain is broken at: {first.check}, for {first.found}. {first.remedy}"
    warned = [f"{each.check}: {each.found}." for each in links if each.result is Result.WARNING]
    return " ".join(["From Salesforce to Muster every link holds.", *warned])


def _what_is_there(installed: Installed) -> str:
    flow = installed.flow
    there = [f"the outbound message {installed.message.name}"] if installed.message else []
    there += [f"the flow {flow.name}"] if flow else []
    return " and ".join(there) or "nothing"
