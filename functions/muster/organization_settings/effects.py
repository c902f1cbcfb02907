"""What settings do that no plan shows; said when they are previewed and saved (S2, I5). Pure."""

from collections.abc import Iterator

from muster.errors import Problem
from muster.roster.seats import Pool, Pools, limits
from muster.runs.guard import most_allowed
from muster.runs.operations import DEACTIVATE, REVOKE
from muster.settings import Settings
from muster.validation import path

# A guard is judged by a roster of this size where nobody is in the roster yet.
_MEMBERS_TO_COME = 10_000


def effects(settings: Settings, pools: Pools, active: int) -> list[Problem]:
    """Return what to know; `pools` are the seats as they are, `active` the number of active members."""
    return [
        *_nobody_provisioned(settings),
        *_limits_under_use(settings, pools),
        *_guard_that_stops_nothing(settings, active),
    ]


def _nobody_provisioned(settings: Settings) -> Iterator[Problem]:
    if not settings.auto_provision.enabled:
        yield Problem(
            "auto_provision.enabled",
            "is false: messages from Salesforce are acknowledged, counted and dropped, and imports are"
            " refused, so nobody comes in and whoever leaves keeps what they have; pushes go on",
            "Set it to true; the next full import then brings in what was missed.",
        )


def _limits_under_use(settings: Settings, pools: Pools) -> Iterator[Problem]:
    for seat, limit in limits(settings).items():
        held = pools.get(seat, Pool()).used
        if held > limit:
            yield Problem(
                path(("seats", seat, "limit")),
                f"is {limit:,}, and {held:,} hold {seat}: nobody loses it, and nobody is given it until"
                f" fewer than {limit:,} hold it",
                "Raise the limit, or have somebody give it up: by the assignments, or with"
                " MemberSettingsFunction.",
            )


def _guard_that_stops_nothing(settings: Settings, active: int) -> Iterator[Problem]:
    """Yield a warning for each operation that always has a limit, and whose limit is everybody."""
    members = active or _MEMBERS_TO_COME
    stopped_never = [
        operation
        for operation in (DEACTIVATE, REVOKE)
        if most_allowed(operation, members, settings.guard) >= members
    ]
    if stopped_never:
        whom = f"all {active:,} active members" if active else "everybody"
        yield Problem(
            "guard",
            f"can stop nothing: a run may {' and '.join(stopped_never)} for {whom} without a word",
            "Lower floor, and count or percent, below the number of members.",
        )
