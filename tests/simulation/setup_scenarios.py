"""Moved; here until those who import it from here have followed."""

from tests.simulation.webhook_setup.scenarios import *  # noqa: F403  # all of it
