"""What an admin may ask of WebhookSetupFunction, and where: each once, to be run under any fault."""

from tests.simulation.harness.subject import ENDED_WELL
from tests.simulation.harness.world import Violation
from tests.simulation.webhook_setup.company import A_MINUTE, SetupCompany
from tests.simulation.webhook_setup.subject import SetupScenario

# Most polls find a deployment unfinished, as on a busy day.
_SLOW = 1_000
SHORT_OF_TIME = 3


def begun(setup: SetupCompany) -> None:
    """Nothing is in Salesforce yet."""
    setup.begin()


def installed(setup: SetupCompany) -> None:
    """Message and flow are there, and work."""
    setup.begin()
    _well(setup, "install")


def lacking_a_field(setup: SetupCompany) -> None:
    """Somebody has taken fields out of the message."""
    installed(setup)
    setup.change_message("Id", "Email")


def _watching_too_little(setup: SetupCompany) -> None:
    """The settings have a filter by a field that the flow does not watch."""
    installed(setup)
    _saved(setup, assignments=[{"name": "Sales", "filter": "Division = 'Sales'"}])


def _of_several_versions(setup: SetupCompany) -> None:
    installed(setup)
    _saved(setup, auto_provision={"custom_fields": ["Area__c"]})
    _well(setup, "refresh")


def _switched_off(setup: SetupCompany) -> None:
    installed(setup)
    setup.control("flows/Muster_acme", active_version=0)


def _rotated_by_hand(setup: SetupCompany) -> None:
    """An admin has let the token in use run out, and not put the new one into Salesforce."""
    installed(setup)
    said = setup.settings("rotate_token")
    if said["status"] != "succeeded":
        raise Violation(f"a rotation by hand: {said}")


def _in_production(setup: SetupCompany) -> None:
    setup.begin()
    setup.control("organization", production=True)


def left_unfinished(setup: SetupCompany, action: str = "refresh") -> None:
    """Salesforce took longer than the function had time, and is done by now."""
    setup.control("deploys", pending_polls=_SLOW)
    setup.world.looks = SHORT_OF_TIME
    said = setup.ask(action)
    setup.world.looks = None
    if said["status"] != "continue":
        raise Violation(f"it does not go on later: {said}")
    setup.control("deploys", pending_polls=0)
    setup.world.clock.moment += A_MINUTE


def _going_on(setup: SetupCompany) -> None:
    _of_several_versions(setup)
    _saved(setup, auto_provision={})
    left_unfinished(setup)


def _rotation_going_on(setup: SetupCompany) -> None:
    installed(setup)
    left_unfinished(setup, "rotate_token")


def _saved(setup: SetupCompany, **sections: object) -> None:
    said = setup.put(**sections)
    if said["status"] != "succeeded":
        raise Violation(f"settings were refused: {said}")


def _well(setup: SetupCompany, action: str) -> None:
    said = setup.ask(action)
    if said["status"] not in ENDED_WELL:
        raise Violation(f"{action} before anything fails: {said}")
    setup.world.clock.moment += A_MINUTE


SETUPS = [
    SetupScenario("install on an empty org", begun, "install"),
    SetupScenario("refresh of a message that lacks a field", lacking_a_field, "refresh"),
    SetupScenario("refresh of a flow that watches too little", _watching_too_little, "refresh"),
    SetupScenario("refresh of a flow that is switched off", _switched_off, "refresh", deploys=0),
    SetupScenario("refresh after a rotation by hand", _rotated_by_hand, "refresh"),
    SetupScenario("rotate_token", installed, "rotate_token"),
    SetupScenario("remove", installed, "remove"),
    SetupScenario("remove of several versions", _of_several_versions, "remove"),
    SetupScenario("install in production", _in_production, "install", amiss=frozenset({"flow active"})),
    SetupScenario("refresh that goes on", _going_on, "refresh", deploys=0),
    SetupScenario("rotate_token that goes on", _rotation_going_on, "rotate_token", deploys=0),
    SetupScenario("remove of what goes on", _rotation_going_on, "remove"),
]
