"""What keeps a push from sending, in words: failed checks, each with its remedy (U6)."""

from collections.abc import Iterable

from muster.checks import Check


def blocked_by(checks: Iterable[Check], name: str) -> str:
    """Return, in words, the failed checks of a system that keep a push from sending anything."""
    return f"blocked before the first write by failed checks of {name}: {_in_words(checks)}"


def stopped_by(checks: Iterable[Check], name: str) -> str:
    """Return, in words, the failed checks of a system that keep a push from sending the rest."""
    return f"stopped by failed checks of {name}: {_in_words(checks)}"


def _in_words(checks: Iterable[Check]) -> str:
    return "; ".join(f"{check.check}: {check.found} ({check.remedy.removesuffix('.')})" for check in checks)
