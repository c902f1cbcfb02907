"""boto3's clients, lent from test to test: to build one takes longer than many of the calls it makes."""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.endpoint import Endpoint
from botocore.session import Session

# botocore has no types for what is used of it here.
_CREATE: Any = vars(Session)["create_client"]
_NEEDS_RETRY = "_needs_retry"

type Key = tuple[object, ...]
# A client, and what it was when it was new.
type Lent = tuple[Any, dict[str, Any], object]

_spare: defaultdict[Key, list[Lent]] = defaultdict(list)
# What the spare clients' session told at its events.
_told: list[object] = []


@contextmanager
def lent_clients() -> Iterator[None]:
    """Lend who builds clients those of tests before, each to one at a time, until the end of this test.

    A client comes back unless somebody listens to its events, has changed it, or it has tried a call again:
    what retries it may still make is counted in it.
    """
    lent: list[tuple[Key, Lent]] = []

    def create_client(session: Any, service_name: str, **options: Any) -> Any:
        told = _lookups(session.get_component("event_emitter"))
        if not _told or _told[0] is not told:
            # Who listens to the session listens to the clients that are built from then on.
            _spare.clear()
            _told[:] = [told]
        key = _key(service_name, options)
        if _spare[key]:
            known = _spare[key].pop()
        else:
            client = _CREATE(session, service_name, **options)
            known = client, _changeable(client), _lookups(client.meta.events)
        lent.append((key, known))
        return known[0]

    needs_retry = vars(Endpoint)[_NEEDS_RETRY]

    def noted(endpoint: Any, *given: Any, **options: Any) -> bool:
        again = bool(needs_retry(endpoint, *given, **options))
        if again:
            endpoint.has_tried_again = True
        return again

    with patch.object(Session, "create_client", create_client), patch.object(Endpoint, _NEEDS_RETRY, noted):
        yield
    for key, known in lent:
        client, new, told = known
        tried_again = "has_tried_again" in vars(vars(client)["_endpoint"])
        if _changeable(client) == new and _lookups(client.meta.events) is told and not tried_again:
            _spare[key].append(known)


def _changeable(client: Any) -> dict[str, Any]:
    # These it makes when it is asked for them first.
    return {name: value for name, value in vars(client).items() if name != "_exceptions"}


def _lookups(events: Any) -> object:
    """Return what an emitter replaces whenever somebody begins or ends to listen."""
    return vars(vars(events).get("_emitter", events))["_lookup_cache"]


def _key(service_name: str, options: dict[str, Any]) -> Key:
    config = options.get("config")
    others = {name: value for name, value in options.items() if name != "config"}
    said = vars(config)["_user_provided_options"] if config else {}
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return service_name, repr(sorted(others.items())), repr(sorted(said.items())), repr(environment)
