"""The lease that makes a run the only one of its organization (I7): `runs.running` takes or refuses it."""

from __future__ import annotations

from dataclasses import dataclass

from muster.errors import MusterError


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one run to be the organization's only one, until it expires or is released.

    `epoch` goes up each time another run takes the lease: a write that is fenced with it fails once that
    has happened. `expires_at` is in epoch seconds.
    """

    organization: str
    run: str
    epoch: int
    expires_at: float


class LeaseHeld(MusterError):
    """Another run is at work on the organization (I7); `run` is its id."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} is at work")
        self.run = run
