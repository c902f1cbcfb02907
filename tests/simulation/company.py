"""Moved; here until those who import it from here have followed."""

from tests.simulation.imports.company import *  # noqa: F403  # all of it
