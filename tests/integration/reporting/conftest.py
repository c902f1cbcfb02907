"""Acme with a strict guard, as imports are tested with it."""

from tests.integration.imports.conftest import guarded

__all__ = ["guarded"]
