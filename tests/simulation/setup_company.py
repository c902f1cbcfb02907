"""Moved; here until those who import it from here have followed."""

from tests.simulation.webhook_setup.company import *  # noqa: F403  # all of it
