"""Bugs in setups of the webhook to be caught, each by the hunt it is named with."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from muster.adapters.aws import webhook_registry
from muster.adapters.salesforce.metadata_client import SalesforceMetadata
from muster.errors import OutcomeUnknown, Rejected
from muster.webhook import tokens
from muster.webhook.tokens import Token
from muster.webhook_setup import setting_up
from muster.webhook_setup.deploying import Deploying
from muster.webhook_setup.setting_up import SettingUp
from muster.webhook_setup.setup_record import Outcome
from muster.webhook_setup.setup_record import Setup as Recorded
from tests.simulation.harness.bugs import Bugs, Hunt
from tests.simulation.harness.subject import only
from tests.simulation.webhook_setup.races import RACES
from tests.simulation.webhook_setup.scenarios import SETUPS
from tests.simulation.webhook_setup.subject import Setup, SetupRace, SetupScenario

_DEPLOY = "POST /services/data/v66.0/metadata/deployRequest"

bugs: Bugs[SetupScenario, SetupRace] = Bugs(Setup.of, SETUPS, RACES)


@cache
def refused(name: str) -> Hunt:
    """Hunt in a scenario whose deployment Salesforce refuses."""
    return lambda world: Setup.of(world).refused(only(name, SETUPS))


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────

bugs.add(
    "the old token ends before the new one is there",
    bugs.clean("rotate_token"),
    lambda patch: patch.setattr(tokens, "offered", lambda _, new: (new,)),
)


@bugs.bug("the new token is registered once it is deployed", bugs.clean("rotate_token"))
def _new_one_is_registered_once_deployed(patch: pytest.MonkeyPatch) -> None:
    deploy, change = SettingUp._deploy, SettingUp._change_tokens

    def late(self: SettingUp, *given: Any) -> None:
        changes: list[Any] = []
        patch.setattr(SettingUp, "_change_tokens", lambda _, each: changes.append(each))
        deploy(self, *given)
        patch.setattr(SettingUp, "_change_tokens", change)
        for each in changes:
            change(self, each)

    patch.setattr(SettingUp, "_deploy", late)


@bugs.bug("a token is settled at every refresh", bugs.clean("rotate_token"))
def _what_is_read_back_is_settled_anew(patch: pytest.MonkeyPatch) -> None:
    def always(known: Sequence[Token], used: str, now: Any, _: str | None) -> tuple[Token, ...]:
        others = [replace(token, expires_at=None) for token in known if token.sha256 != used]
        [in_use] = [token for token in known if token.sha256 == used]
        return tokens.rotated(others, replace(in_use, expires_at=None), now)

    patch.setattr(tokens, "settled", always)


@bugs.bug("what was replaced ends at once", bugs.clean("refresh after a rotation by hand"))
def _what_was_replaced_ends(patch: pytest.MonkeyPatch) -> None:
    settled = tokens.settled
    patch.setattr(tokens, "settled", lambda known, used, now, _: settled(known, used, now))


bugs.add(
    "a removal forgets the token",
    bugs.clean("remove"),
    lambda patch: patch.setattr(SettingUp, "_end_tokens", lambda *_: None),
)


@bugs.bug("registered whoever else does", bugs.stalls("a rotation, and one by hand", victims=(1,)))
def _registered_whoever_else_does(patch: pytest.MonkeyPatch) -> None:
    put_of = webhook_registry.put_of

    def careless(*given: Any) -> Any:
        put = put_of(*given)
        return {name: value for name, value in put.items() if not name.startswith(("Condition", "Expr"))}

    patch.setattr(webhook_registry, "put_of", careless)


# ── Deployments ──────────────────────────────────────────────────────────────────────────────────


@bugs.bug("a refused deployment keeps its token", refused("rotate_token"))
@bugs.bug("a refused removal leaves the flow off", refused("remove"))
def _nothing_is_undone(patch: pytest.MonkeyPatch) -> None:
    deployed = Deploying.deployed
    patch.setattr(
        Deploying, "deployed", lambda self, claim, content, _: deployed(self, claim, content, tuple)
    )


@bugs.bug("a refused flow costs the token in use", refused("refresh of a flow that watches too little"))
def _in_use_ends_where_it_is_refused(patch: pytest.MonkeyPatch) -> None:
    deploy = SettingUp._deploy

    def hasty(self: SettingUp, claim: Any, installed: Any, *given: Any) -> None:
        try:
            deploy(self, claim, installed, *given)
        except Rejected:
            used = self._used(installed)
            self._end_tokens({used.sha256} if used else set())
            raise

    patch.setattr(SettingUp, "_deploy", hasty)


@bugs.bug(
    "a deployment is sent again where its answer is lost",
    bugs.sweep("install on an empty org", "lost", of=_DEPLOY, most=9),
)
def _sent_again_where_its_answer_is_lost(patch: pytest.MonkeyPatch) -> None:
    deploy = SalesforceMetadata.deploy

    def again(self: SalesforceMetadata, content: bytes, **given: Any) -> str:
        try:
            return deploy(self, content, **given)
        except OutcomeUnknown:
            return deploy(self, content, **given)

    patch.setattr(SalesforceMetadata, "deploy", again)


bugs.add(
    "a deployment that goes on is forgotten",
    bugs.pieces("refresh of a message that lacks a field", 2),
    lambda patch: patch.setattr(Deploying, "finish_earlier", lambda *_, **__: None),
)


@bugs.bug("a removal cancels itself", bugs.pieces("remove", 2))
def _removal_cancels_itself(patch: pytest.MonkeyPatch) -> None:
    finish = Deploying.finish_earlier
    patch.setattr(Deploying, "finish_earlier", lambda self, claim, **_: finish(self, claim, cancel=True))


@bugs.bug("a flow is activated as none", bugs.clean("refresh of a flow that is switched off"))
def _activated_as_none(patch: pytest.MonkeyPatch) -> None:
    activate = SalesforceMetadata.activate
    patch.setattr(SalesforceMetadata, "activate", lambda self, flow, _: activate(self, flow, 0))


@bugs.bug("an activation has to succeed", bugs.clean("install in production"))
def _activation_has_to_succeed(patch: pytest.MonkeyPatch) -> None:
    def strict(self: SettingUp, flow: Any, version: int) -> list[str]:
        self.ports.salesforce.activate(flow.id, version)
        return ["activated"]

    patch.setattr(SettingUp, "_activated", strict)


# ── One at a time ────────────────────────────────────────────────────────────────────────────────

bugs.add(
    "the claim is ignored",
    bugs.race("two installs", 6),
    lambda patch: patch.setattr(Recorded, "is_at_work", lambda *_: False),
)
bugs.add(
    "the claim of the dead is kept",
    bugs.sweep("install on an empty org", "after", of="PutItem", most=1),
    lambda patch: patch.setattr(Recorded, "is_at_work", lambda self, _: self.outcome is Outcome.UNDER_WAY),
)
bugs.add(
    "a rotation that goes on rotates again",
    bugs.clean("rotate_token that goes on"),
    lambda patch: patch.setattr(setting_up, "_has_arrived", lambda *_: False),
)
bugs.add(
    "a set-up forgets the one that died",
    bugs.sweep("remove", "after", of=_DEPLOY, most=1),
    lambda patch: patch.setattr(Recorded, "after", lambda self, _: self),
)
