"""Processes that all have a wrong password, and what must hold: the vault is sent it once (U5).

Nothing is shared by them but the table: each has a client, a cache of secrets and sessions of its own.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import boto3

from muster import bootstrap
from muster.adapters.aws.login_journal import TURN_S, LoginJournal
from muster.adapters.aws.secrets import Secrets
from muster.adapters.vault.client import Vault
from muster.adapters.vault.login import Sessions
from muster.errors import MusterError
from tests.simulation.harness.faults import SWEPT, Crash, Fault, nothing, these
from tests.simulation.harness.scheduler import Choice, Scheduler, seeded, stalled
from tests.simulation.harness.subject import Moment
from tests.simulation.harness.world import Violation, World
from tests.simulation.pushes.company import PushCompany

PROCESSES = 5
SECRET = "muster/acme/vault_crm"  # noqa: S105 - a name
# Who dies, or is not heard, between the login and its record leaves it to be sent once more.
KINDS = (*SWEPT, "mute", "down")


def seeds_of_logins(world: World, seeds: range = range(10)) -> int:
    """Have processes log in at once, as seeds say; returns how often, raises `Violation`."""
    with _wrong_password(world) as start:
        for seed in seeds:
            _race(world, start, seeded(seed), f"seed {seed}")
    return len(seeds)


def stalls_of_logins(world: World) -> int:
    """Stall one process before each of its calls until the others are done."""
    with _wrong_password(world) as start:
        for steps in itertools.count(1):
            schedule = _race(world, start, stalled(0, steps), f"stalled after {steps} calls")
            if schedule[:steps].count(0) < steps:
                return steps
    raise AssertionError  # it has ended by then


def deaths_at_logins(world: World) -> int:
    """Break each call of a login, have others come after it, and then write the right password."""
    count = 0
    with _wrong_password(world) as start:
        calls = _broken(world, start, Fault(0, "nothing"))
        for number, kind in itertools.product(range(1, calls + 1), KINDS):
            _broken(world, start, Fault(number, kind))
            count += 1
    return count


def _broken(world: World, start: Moment, fault: Fault) -> int:
    """Break a call, by its number in a login; returns how many it has made."""
    start()
    vault, process = world.vault.vault, _process()
    world.wire.calls.clear()
    world.wire.plan = these(fault)
    _try(process)
    world.wire.plan, calls = nothing, len(world.wire.calls)
    for _ in range(PROCESSES):
        world.clock.advance(seconds=TURN_S)
        _try(_process())
    if vault.wrong_passwords not in (1, 2):
        raise Violation(f"{fault}: {vault.wrong_passwords} wrong passwords were sent")
    secret = json.dumps({"username": vault.username, "password": vault.password})
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=secret)
    if not _try(_process()):
        raise Violation(f"{fault}: nobody gets in with the right password")
    return calls


def _race(world: World, start: Moment, choice: Choice, how: str) -> list[int]:
    start()
    scheduler, processes = Scheduler(choice), [_process() for _ in range(PROCESSES)]
    world.wire.on_call = lambda _: scheduler.pause()

    def body(number: int) -> None:
        _try(processes[number])

    raised = scheduler.run([partial(body, number) for number in range(PROCESSES)])
    world.wire.on_call = None
    for error in filter(None, raised):
        raise error
    sent = world.vault.vault.wrong_passwords
    if sent != 1:
        raise Violation(f"{how}: {sent} wrong passwords were sent")
    return scheduler.schedule


@contextmanager
def _wrong_password(world: World) -> Iterator[Moment]:
    """Lend how to begin anew, with a password in the secret that is not right any more."""
    pushing = PushCompany(world)
    pushing.begin("engage")
    vault, before = world.vault.vault, pushing.moment()
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    vault.change_password("the new one")

    def start() -> None:
        before()
        boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=secret)
        world.wire.calls.clear()
        vault.wrong_passwords = 0

    try:
        yield start
    finally:
        world.wire.plan, world.wire.on_call = nothing, None
        start()
        vault.reset()


def _process() -> Callable[[], object]:
    """Return what a new process does: a call to Vault CRM, which it logs in for."""
    stored = bootstrap.settings_table().current("acme")
    assert stored
    connection = stored.settings.connections.vault_crm
    assert connection
    secrets = Secrets(boto3.client("secretsmanager"), "acme")
    journal = LoginJournal(boto3.client("dynamodb"), "roster")
    return Vault(connection, secrets, journal, sessions=Sessions()).me


def _try(call: Callable[[], object]) -> bool:
    """Tell whether a process got in."""
    try:
        call()
    except (MusterError, Crash):
        return False
    return True
