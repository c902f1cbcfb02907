"""What keeps a push from sending, in words: failed checks of Vault CRM, each with its remedy (U6)."""

from collections.abc import Iterable

from muster.checks import Check, Result


def blocked_by(checks: Iterable[Check]) -> str:
    """Return, in words, the failed checks that keep a push from sending anything."""
    return f"blocked before the first write by failed checks of Vault CRM: {_in_words(checks)}"


def stopped_by(checks: Iterable[Check]) -> str:
    """Return, in words, the failed checks that keep a push from sending the rest."""
    return f"stopped by failed checks of Vault CRM: {_in_words(checks)}"


def another_vault(was: str | None, host: str) -> Check:
    """Return the failed check of a vault to whose users members are not linked yet: ids are others' there."""
    return Check(
        "vault",
        Result.FAILED,
        f"{host} is another vault than members are linked to ({was}), where their ids are other people's",
        "Preview and run an import: it links everybody anew by username or e-mail address.",
    )


def _in_words(checks: Iterable[Check]) -> str:
    return "; ".join(f"{check.check}: {check.found} ({check.remedy.removesuffix('.')})" for check in checks)
