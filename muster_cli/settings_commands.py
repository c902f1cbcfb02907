"""plan, apply, validate and settings: an organization's settings document, as a file."""

from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from muster_cli import outcomes
from muster_cli.asking import Answer, Muster
from muster_cli.failures import Failure
from muster_cli.screen import as_yaml

SETTINGS = "OrganizationSettingsFunction"
_MOST_BYTES = 4_000_000

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The settings document, YAML or JSON; - is the standard input.")
]
Why = Annotated[str | None, typer.Option("--why", help="Why; kept with the version.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it is saved.")]


def validate(to: Muster, file: File) -> int:
    """Check a settings document, and say where it differs from the settings in force.

    Example: muster validate acme.yaml
    """
    text, about = _read(to, file)
    return _compared(about, text, at_first=False)[1]


def plan(to: Muster, file: File) -> int:
    """Show what applying a settings document would change: settings, and members. Nothing is saved.

    Exit code 0: nothing would change; 2: something would; 3: it would have to be approved; 1: refused.

    Example: muster plan acme.yaml
    """
    text, about = _read(to, file)
    compared, code = _compared(about, text)
    return code if code else _planned(about, text, compared)


def apply(
    to: Muster,
    file: File,
    *,
    why: Why = None,
    yes: Yes = False,
    expected_version: Annotated[
        int | None,
        typer.Option(
            "--expected-version",
            help="Save without a plan, if this version (0: none) is still in force.",
        ),
    ] = None,
) -> int:
    """Save a settings document, once its plan was shown and agreed to; what would do too much waits.

    Exit code 0: saved, or the same already; 3: it waits for approval; 1: refused.

    Example: muster apply acme.yaml --why "Leeds joins"
    """
    text, about = _read(to, file)
    if expected_version is None:
        compared, code = _compared(about, text)
        if code:
            return code
        planned = _planned(about, text, compared, at_first=True)
        expected_version = compared["version"]
        if planned == outcomes.FAILED:
            to.screen.note(f"To save it without a plan: --expected-version {expected_version}")
            return planned
        if not yes and planned != outcomes.DONE:
            to.screen.ask("Save it?")
    answer = about.sign(SETTINGS, action="put", settings=text, why=why, expected_version=expected_version)
    return to.show(answer)


def get(
    to: Muster,
    *,
    version: Annotated[int | None, typer.Option("--version", help="An earlier version.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the document to this file, as YAML.")
    ] = None,
) -> int:
    """Show the settings in force, or an earlier version."""
    answer = to.ask(SETTINGS, action="get", version=version, detail=True)
    if to.screen.as_json or answer["status"] == "rejected":
        return to.show(answer)
    to.screen.note(answer["message"])
    if output:
        output.write_text(as_yaml(answer["settings"]), encoding="utf-8")
    else:
        to.screen.document(answer["settings"])
    return outcomes.DONE


def history(
    to: Muster,
    *,
    limit: Annotated[int | None, typer.Option("--limit", help="So many at most.")] = None,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Go on where an answer ended.")] = None,
) -> int:
    """List the versions of the settings, the newest first: who saved them, when and why."""
    answer = to.listed_by(SETTINGS, action="history", limit=limit, cursor=cursor)
    return to.show(answer, "versions")


def restore(
    to: Muster,
    version: Annotated[int, typer.Argument(help="The version to save again, as the next one.")],
    *,
    why: Why = None,
) -> int:
    """Save an earlier version again."""
    return to.show(to.sign(SETTINGS, action="restore", version=version, why=why))


def _read(to: Muster, file: Path) -> tuple[str, Muster]:
    """Return a document as it is, comments and all, and Muster about its organization."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"{file} cannot be read: {why}", "Name the file with the settings document.") from error
    if len(text.encode()) > _MOST_BYTES:
        raise Failure(f"{file} is larger than what a function takes, 4 MB.", "Is it the settings document?")
    return text, to.about(_organization(text))


def _organization(text: str) -> str | None:
    """Return the organization that a document names; `None` where it names none, which Muster says best."""
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):
        return None
    named = document.get("organization") if isinstance(document, dict) else None
    return named if isinstance(named, str) else None


def _compared(to: Muster, text: str, *, at_first: bool = True) -> tuple[Answer, int]:
    """Show where a document differs from the settings in force; return the answer and its exit code."""
    answer = to.ask(SETTINGS, action="validate", settings=text, detail=True)
    return answer, to.show(answer, "changes", at_first=at_first)


def _planned(to: Muster, text: str, compared: Answer, *, at_first: bool = False) -> int:
    """Show what a document would change; return the exit code of the plan."""
    answer = to.sign(SETTINGS, action="preview", settings=text)
    code = to.show(answer, at_first=at_first)
    if code != outcomes.DONE:
        return code
    if answer.get("guard"):
        return outcomes.PARKED
    changes = compared["changes"] or any((answer.get("counts") or {}).values())
    return outcomes.CHANGES_PLANNED if changes else outcomes.DONE
