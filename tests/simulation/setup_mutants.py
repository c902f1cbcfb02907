"""Bugs in setups to be caught, as in `mutants`: each is put in for a test, and one hunt is to find it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
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
from muster.webhook_setup.setup_record import Outcome, Setup
from tests.simulation import setup_races, setup_sweeping
from tests.simulation.faults import Call, Fault
from tests.simulation.mutants import Hunt, Mutant
from tests.simulation.setup_company import SetupCompany
from tests.simulation.setup_scenarios import SETUPS, SetupScenario
from tests.simulation.setup_sweeping import Points
from tests.simulation.world import Violation, World

_DEPLOY = "POST /services/data/v66.0/metadata/deployRequest"

# ── Hunts ────────────────────────────────────────────────────────────────────────────────────────


def clean(name: str) -> Hunt:
    """Hunt in a scenario without any fault."""
    return lambda world: setup_sweeping.prepared(SetupCompany(world), _scenario(name))


def sweep(name: str, kind: str, operation: str, most: int = 9) -> Hunt:
    """Hunt in a scenario with one of the first few calls of an operation broken."""

    def points(calls: Sequence[Call]) -> Iterator[Fault]:
        asked = (call for call in calls if call.operation.startswith(operation))
        return islice((Fault(call.number, kind) for call in asked), most)

    chosen: Points = points
    return lambda world: setup_sweeping.sweep(SetupCompany(world), _scenario(name), chosen)


def refused(name: str) -> Hunt:
    """Hunt in a scenario whose deployment Salesforce refuses."""
    return lambda world: setup_sweeping.refused(SetupCompany(world), _scenario(name))


def pieces(name: str) -> Hunt:
    """Hunt in a scenario whose deployment outlasts the invocations."""

    def hunt(world: World) -> None:
        setup = SetupCompany(world)
        start, whole = setup_sweeping.prepared(setup, _scenario(name))
        ended, _ = setup_sweeping.run_in_pieces(setup, _scenario(name), start, looks=2)
        for difference in whole.differences(ended):
            raise Violation(difference)

    return hunt


def race(name: str, seeds: int) -> Hunt:
    """Hunt in seeded schedules of a race."""

    def hunt(world: World) -> None:
        setup = SetupCompany(world)
        [meeting] = [each for each in setup_races.RACES if each.name == name]
        meeting.before(setup)
        start = setup.moment()
        for seed in range(seeds):
            setup_races.race_seeded(setup, meeting, seed, start)

    return hunt


def stalls(name: str, victim: int) -> Hunt:
    """Hunt in a race, with one of them stalled wherever it can be."""
    [meeting] = [each for each in setup_races.RACES if each.name == name]
    return lambda world: setup_races.race_stalled(SetupCompany(world), meeting, only=victim)


def _scenario(name: str) -> SetupScenario:
    return next(scenario for scenario in SETUPS if scenario.name == name)


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────


def _old_one_ends_before_the_new_one_is_there(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tokens, "offered", lambda _, new: (new,))


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


def _what_is_read_back_is_settled_anew(patch: pytest.MonkeyPatch) -> None:
    def always(known: Sequence[Token], used: str, now: Any, _: str | None) -> tuple[Token, ...]:
        others = [replace(token, expires_at=None) for token in known if token.sha256 != used]
        [in_use] = [token for token in known if token.sha256 == used]
        return tokens.rotated(others, replace(in_use, expires_at=None), now)

    patch.setattr(tokens, "settled", always)


def _what_was_replaced_ends(patch: pytest.MonkeyPatch) -> None:
    settled = tokens.settled
    patch.setattr(tokens, "settled", lambda known, used, now, _: settled(known, used, now))


def _removal_forgets_the_token(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SettingUp, "_end_tokens", lambda *_: None)


def _registered_whoever_else_does(patch: pytest.MonkeyPatch) -> None:
    put_of = webhook_registry.put_of

    def careless(*given: Any) -> Any:
        put = put_of(*given)
        return {name: value for name, value in put.items() if not name.startswith(("Condition", "Expr"))}

    patch.setattr(webhook_registry, "put_of", careless)


# ── Deployments ──────────────────────────────────────────────────────────────────────────────────


def _nothing_is_undone(patch: pytest.MonkeyPatch) -> None:
    deployed = Deploying.deployed
    patch.setattr(
        Deploying, "deployed", lambda self, claim, content, _: deployed(self, claim, content, tuple)
    )


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


def _sent_again_where_its_answer_is_lost(patch: pytest.MonkeyPatch) -> None:
    deploy = SalesforceMetadata.deploy

    def again(self: SalesforceMetadata, content: bytes, **given: Any) -> str:
        try:
            return deploy(self, content, **given)
        except OutcomeUnknown:
            return deploy(self, content, **given)

    patch.setattr(SalesforceMetadata, "deploy", again)


def _what_goes_on_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deploying, "finish_earlier", lambda *_, **__: None)


def _removal_cancels_itself(patch: pytest.MonkeyPatch) -> None:
    finish = Deploying.finish_earlier
    patch.setattr(Deploying, "finish_earlier", lambda self, claim, **_: finish(self, claim, cancel=True))


def _activated_as_none(patch: pytest.MonkeyPatch) -> None:
    activate = SalesforceMetadata.activate
    patch.setattr(SalesforceMetadata, "activate", lambda self, flow, _: activate(self, flow, 0))


def _activation_has_to_succeed(patch: pytest.MonkeyPatch) -> None:
    def strict(self: SettingUp, flow: Any, version: int) -> list[str]:
        self.ports.salesforce.activate(flow.id, version)
        return ["activated"]

    patch.setattr(SettingUp, "_activated", strict)


# ── One at a time ────────────────────────────────────────────────────────────────────────────────


def _claim_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Setup, "is_at_work", lambda *_: False)


def _claim_of_the_dead_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Setup, "is_at_work", lambda self, _: self.outcome is Outcome.UNDER_WAY)


def _rotated_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(setting_up, "_has_arrived", lambda *_: False)


def _nothing_is_left_behind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Setup, "after", lambda self, _: self)


SETUP_MUTANTS = [
    Mutant(
        "the old token ends before the new one is there",
        _old_one_ends_before_the_new_one_is_there,
        clean("rotate_token"),
    ),
    Mutant(
        "the new token is registered once it is deployed",
        _new_one_is_registered_once_deployed,
        clean("rotate_token"),
    ),
    Mutant("a token is settled at every refresh", _what_is_read_back_is_settled_anew, clean("rotate_token")),
    Mutant(
        "what was replaced ends at once", _what_was_replaced_ends, clean("refresh after a rotation by hand")
    ),
    Mutant("a removal forgets the token", _removal_forgets_the_token, clean("remove")),
    Mutant(
        "registered whoever else does",
        _registered_whoever_else_does,
        stalls("a rotation, and one by hand", 1),
    ),
    Mutant("a refused deployment keeps its token", _nothing_is_undone, refused("rotate_token")),
    Mutant("a refused removal leaves the flow off", _nothing_is_undone, refused("remove")),
    Mutant(
        "a refused flow costs the token in use",
        _in_use_ends_where_it_is_refused,
        refused("refresh of a flow that watches too little"),
    ),
    Mutant(
        "a deployment is sent again where its answer is lost",
        _sent_again_where_its_answer_is_lost,
        sweep("install on an empty org", "lost", _DEPLOY),
    ),
    Mutant(
        "a deployment that goes on is forgotten",
        _what_goes_on_is_forgotten,
        pieces("refresh of a message that lacks a field"),
    ),
    Mutant("a removal cancels itself", _removal_cancels_itself, pieces("remove")),
    Mutant(
        "a flow is activated as none", _activated_as_none, clean("refresh of a flow that is switched off")
    ),
    Mutant("an activation has to succeed", _activation_has_to_succeed, clean("install in production")),
    Mutant("the claim is ignored", _claim_ignored, race("two installs", 6)),
    Mutant(
        "the claim of the dead is kept",
        _claim_of_the_dead_kept,
        sweep("install on an empty org", "after", "PutItem", 1),
    ),
    Mutant("a rotation that goes on rotates again", _rotated_again, clean("rotate_token that goes on")),
    Mutant(
        "a set-up forgets the one that died", _nothing_is_left_behind, sweep("remove", "after", _DEPLOY, 1)
    ),
]
