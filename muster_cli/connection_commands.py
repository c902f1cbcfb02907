"""preflight and webhook: whether the connections work, and the sender in Salesforce."""

from typing import Annotated, Any

import typer

from muster_cli.asking import Muster

PREFLIGHT, WEBHOOK = "PreflightFunction", "WebhookSetupFunction"

CheckOnly = Annotated[
    bool, typer.Option("--check-only", help="Have Salesforce check it; nothing is deployed.")
]


def preflight(
    to: Muster,
    connections: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONNECTION", help="salesforce, vault_crm, align; by default all there are."),
    ] = None,
    *,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Also who may be Align's integration user.")
    ] = False,
) -> int:
    """Check the connections, from the secret to the last permission; nothing is changed.

    Example: muster preflight vault_crm
    """
    return _checked(to, PREFLIGHT, connections=connections or None, candidates=candidates or None)


def status(to: Muster) -> int:
    """Say which link of the chain from Salesforce to Muster is broken, if any."""
    return _checked(to, WEBHOOK, action="status")


def install(to: Muster, *, check_only: CheckOnly = False) -> int:
    """Install the outbound message and the flow in Salesforce; what is there already stays.

    Example: muster webhook install --check-only
    """
    return _changed(to, "install", check_only)


def refresh(to: Muster, *, check_only: CheckOnly = False) -> int:
    """Repair what is missing or differs in Salesforce."""
    return _changed(to, "refresh", check_only)


def rotate_token(to: Muster, *, check_only: CheckOnly = False) -> int:
    """Give the sender a new token; the old one is accepted for a while."""
    return _changed(to, "rotate_token", check_only)


def remove(to: Muster, *, check_only: CheckOnly = False) -> int:
    """Take the outbound message and the flow out of Salesforce."""
    return _changed(to, "remove", check_only)


def _checked(to: Muster, function: str, **event: Any) -> int:
    """Show checks: what the function says of them, or with `--detail` each of them."""
    answer = to.listed_by(function, **event)
    return to.show(answer, "checks" if to.screen.detail or "summary" not in answer else None)


def _changed(to: Muster, action: str, check_only: bool) -> int:
    return to.show(to.sign(WEBHOOK, action=action, check_only=check_only or None))
