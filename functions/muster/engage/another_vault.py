"""A vault to whose users members are not linked yet, as a check that blocks a push (G10, U6)."""

from muster.checks import Check, Result


def another_vault(was: str | None, host: str) -> Check:
    """Return the failed check of a vault to whose users members are not linked yet: ids are others' there."""
    return Check(
        "vault",
        Result.FAILED,
        f"{host} is another vault than members are linked to ({was}), where their ids are other people's",
        "Preview and run an import: it links everybody anew by username or e-mail address.",
    )
