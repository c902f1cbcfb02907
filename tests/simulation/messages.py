"""Moved; here until those who import it from here have followed."""

from tests.simulation.harness.messages import *  # noqa: F403  # all of it
