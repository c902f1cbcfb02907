"""Moved; here until those who import it from here have followed."""

from tests.simulation.pushes.scenarios import *  # noqa: F403  # all of it
