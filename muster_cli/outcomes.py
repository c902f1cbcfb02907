"""Exit codes, which scripts go by."""

DONE = 0
FAILED = 1
CHANGES_PLANNED = 2
PARKED = 3
# As a shell has it of a program that was interrupted.
INTERRUPTED = 130

_OF_STATUS = {"succeeded": DONE, "started": DONE, "previewed": DONE, "parked": PARKED}


def exit_code(status: str) -> int:
    """Return the exit code for the status of an answer or of a run that has ended."""
    return _OF_STATUS.get(status, FAILED)
