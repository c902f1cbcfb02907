"""Values that must not turn up where they have no business: a made-up one in every field."""

from tests.examples import USER
from tests.simulation.messages import Notification, user
from tests.simulation.world import World

SESSION = "00Dcanary!session-id"
# Fields whose values have a form of their own, and are not personal.
_PLAIN = {"Id", "SystemModstamp", "LastModifiedDate", "IsActive"}

FIELDS = {name: f"canary-{name.lower()}" for name in USER if name not in _PLAIN} | {
    "Username": "canary-username@canary.example",
    "Email": "canary-email@canary.example",
    "Unlisted__c": 'canary-unlisted\n{"level": "canary"}',
}


def send_canaries(world: World) -> None:
    """Send one message in which everything that can be is a canary: a user, and others that are parked."""
    world.post(
        [
            Notification("04l000000000081AAA", user(1, **FIELDS)),
            Notification("04l000000000082AAA", user(2, **FIELDS, IsActive="canary-active")),
            Notification("04l000000000083AAA", {**user(3, **FIELDS), "Id": "001000000000001AAA"}, "Account"),
        ],
        session=SESSION,
    )
