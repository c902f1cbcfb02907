"""import, push, runs, run, replay, approve, reject, resume and undo: runs begun, watched, decided about."""

from typing import Annotated, Any

import typer

from muster_cli import outcomes, steps_to_take
from muster_cli.asking import Answer, Muster
from muster_cli.failures import Failure
from muster_cli.following import follow

IMPORT, PUSH = "ScheduledImportFunction", "ScheduledPushFunction"
SETTINGS = "OrganizationSettingsFunction"

Preview = Annotated[bool, typer.Option("--preview", help="Only say what it would change.")]
Follow = Annotated[
    bool, typer.Option("--follow/--no-follow", help="Watch the run to its end, or go on at once.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as muster runs lists it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it is done.")]


def import_(
    to: Muster,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everyone, not only what has changed.")] = False,
    members: Annotated[
        str | None,
        typer.Option("--members", help="Only these people: ids, e-mail addresses or usernames, with commas."),
    ] = None,
    preview: Preview = False,
    follow_it: Follow = True,
) -> int:
    """Import from Salesforce and Vault CRM what has changed, everyone (--full), or some people (--members).

    Example: muster import --full --preview
    """
    if full and members:
        raise Failure("--full is about everyone.", "Say --full or --members.")
    named = [name.strip() for name in members.split(",")] if members else None
    mode = None if named else "full" if full else "incremental"
    return _begun(to, IMPORT, follow_it, mode=mode, members=named, preview=preview or None)


def push(
    to: Muster,
    connections: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTION", help="vault_crm, or an app, as in scim.gong.")
    ] = None,
    *,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare the app with what was sent: what others did there.")
    ] = False,
    preview: Preview = False,
    follow_it: Follow = True,
) -> int:
    """Send what is pending to Vault CRM, or to an app: Engage groups, accounts, and who is active there.

    Example: muster push scim.gong --compare --preview
    """
    named = {"connections": connections or None, "compare": compare or None}
    return _begun(to, PUSH, follow_it, preview=preview or None, **named)


def runs(
    to: Muster,
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="import, push, settings or undo.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="How they stand or have ended.")] = None,
    with_news: Annotated[bool, typer.Option("--with-news", help="Only those with changes.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", help="So many at most.")] = None,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Go on where an answer ended.")] = None,
) -> int:
    """List the runs there were, the newest first."""
    named = {"kind": kind, "status": status, "with_news": with_news or None}
    filters = {name: value for name, value in named.items() if value is not None}
    answer = to.listed("runs", filter=filters or None, limit=limit, cursor=cursor)
    return to.show(answer, "runs")


def run(
    to: Muster,
    run_id: RunId,
    *,
    follow_it: Annotated[bool, typer.Option("--follow", "-f", help="Watch it to its end.")] = False,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Go on where an answer ended.")] = None,
) -> int:
    """Show a run: how far it is or how it ended, what its plan changes, and what can be done about it."""
    if follow_it:
        return follow(to, run_id)
    return to.show(to.query("run", run_id=run_id, cursor=cursor, by=to.by_given))


def replay(to: Muster, run_id: RunId) -> int:
    """Make a run's plan again from its archive: it is the same, or differs first about one user."""
    return to.show(to.query("replay", run_id=run_id))


def approve(to: Muster, run_id: RunId, *, yes: Yes = False, follow_it: Follow = True) -> int:
    """Approve a run that waits, an import, a push or a change of settings, once it was shown.

    Example: muster approve 20261120T081532000-0a1b2c3d
    """
    return _decided(to, "approve", run_id, yes=yes, follow_it=follow_it)


def reject(to: Muster, run_id: RunId, *, yes: Yes = False) -> int:
    """Reject a run that waits; nothing of it is applied."""
    return _decided(to, "reject", run_id, yes=yes)


def resume(to: Muster, run_id: RunId, *, yes: Yes = False) -> int:
    """Go on with a run that nobody works on any more."""
    return _decided(to, "resume", run_id, yes=yes)


def undo(
    to: Muster, run_id: RunId, *, preview: Preview = False, yes: Yes = False, follow_it: Follow = True
) -> int:
    """Put back what a run changed, as far as the rules let it, once it was shown what and what not.

    Example: muster undo 20261120T081532000-0a1b2c3d --preview
    """
    shown = to.query("run", run_id=run_id, by=to.by, detail=True)
    if shown["status"] == "rejected":
        return to.show(shown)
    # Where the run does not offer it, the function says why not.
    step = steps_to_take.event_for("undo", shown.get("to_do") or ())
    function, event = step or _undoing(shown["run"], to.by)
    event.pop("preview", None)
    if preview or not yes:
        code = to.show(to.ask(function, **event, preview=True), at_first=not preview)
        if preview or code != outcomes.DONE:
            return code
        to.screen.ask("Undo it?")
    starts = function in (IMPORT, PUSH)
    answer = to.ask(function, **event, **({"start": True} if starts else {}))
    return _followed(to, answer, follow_it) if starts else to.show(answer)


def _undoing(run: Answer, by: str) -> tuple[str, dict[str, Any]]:
    event = {"undo": run["id"], "by": by}
    if run["kind"] == "settings":
        return SETTINGS, {"action": "undo", **event}
    return PUSH if "push" in (run["kind"], run.get("undoes_kind")) else IMPORT, event


def _begun(to: Muster, function: str, follow_it: bool, **event: Any) -> int:
    """Begin a run that goes on by itself, so that an answer that is lost loses nothing."""
    return _followed(to, to.sign(function, start=True, **event), follow_it)


def _followed(to: Muster, answer: Answer, follow_it: bool) -> int:
    if answer["status"] != "started":
        return to.show(answer)
    if follow_it:
        to.screen.note(answer["message"])
        return follow(to, answer["run_id"])
    code = to.show(answer)
    to.screen.note(f"Watch it: muster run {answer['run_id']} --follow")
    return code


def _decided(to: Muster, decision: str, run_id: str, *, yes: bool, follow_it: bool = False) -> int:
    """Send the event that the run itself names for the decision, once the admin has seen what it is about."""
    # With all that can be done about it, however long the rest is.
    shown = to.query("run", run_id=run_id, by=to.by, detail=True)
    if shown["status"] == "rejected":
        return to.show(shown)
    step = steps_to_take.event_for(decision, shown.get("to_do") or ())
    if step is None:
        to.show(shown)
        raise Failure(f"There is nothing to {decision}.", f"What can be done about it: muster run {run_id}")
    if not yes:
        to.show(shown, at_first=True)
        to.screen.ask(f"{decision.capitalize()} it?")
    function, event = step
    starts = decision == "approve" and function in (IMPORT, PUSH)
    answer = to.ask(function, **event, **({"start": True} if starts else {}))
    return _followed(to, answer, follow_it) if starts else to.show(answer)
