"""set-file and groups file: many members changed, or many groups asked for, by a CSV file."""

from pathlib import Path
from typing import Annotated

import typer

from muster_cli.asking import Muster
from muster_cli.failures import Failure
from muster_cli.member_commands import GROUPS, MEMBERS

_MOST_BYTES = 4_000_000

File = Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file; - is the standard input.")]
Preview = Annotated[bool, typer.Option("--preview", help="Say what each line would do, and do nothing.")]


def set_file(
    to: Muster,
    file: File,
    *,
    preview: Preview = False,
    as_manager: Annotated[
        bool, typer.Option("--as-manager", help="As a manager's own wishes about direct reports.")
    ] = False,
) -> int:
    """Change settings of up to 10,000 members, a line each; the first line names the columns.

    Example: muster set-file leavers.csv --preview
    """
    return _carried_out(to, MEMBERS, file, preview=preview, role="manager" if as_manager else None)


def groups_file(to: Muster, file: File, *, preview: Preview = False) -> int:
    """Ask for groups for up to 10,000 members, a line each: member,action,feature,group.

    Example: muster groups file uk.csv --preview
    """
    return _carried_out(to, GROUPS, file, preview=preview)


def _carried_out(to: Muster, function: str, file: Path, *, preview: bool, role: str | None = None) -> int:
    """Send the file, and again from where the time was up, until it is done; return the exit code.

    Each call's answer is about its own lines, and is shown.
    """
    event = {"csv": _read(file), "preview": preview or None, **({"as": role} if role else {})}
    answer = to.sign(function, **event)
    while answer["status"] == "continue":
        to.show(answer)
        answer = to.sign(function, **event, from_line=answer["from_line"])
    return to.show(answer)


def _read(file: Path) -> str:
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"{file} cannot be read: {why}", "Save it as CSV (UTF-8), and name it.") from error
    if len(text.encode()) > _MOST_BYTES:
        raise Failure(f"{file} is larger than what a function takes, 4 MB.", "Send it in several files.")
    return text
