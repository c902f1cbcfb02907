"""Make the plan of a run again from a copy of its archive, without AWS and without a network (Q4).

    aws s3 cp --recursive s3://<bucket>/<organization>/<run>/ <folder>
    PYTHONPATH=functions python -m muster.replays.replaying_offline <folder>

The folder is that of a run or of one of its attempts. Ends with 0 if the plan is the same, with 1 if it is
not, and with 2 if it cannot be made.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from muster.errors import MusterError
from muster.presentation import replays
from muster.replays.replaying import replay
from muster.roster.member import Json


@dataclass(frozen=True, slots=True)
class CopiedAttempt:
    """An attempt's folder, as copied from the run archive."""

    folder: Path

    def parts(self, name: str) -> Iterator[bytes]:
        """Yield the parts of that name in order."""
        for path in sorted((self.folder / name).glob("?????*.json")):
            if path.is_file():
                yield path.read_bytes()

    def document(self, name: str) -> Json | None:
        """Return the document of that name; `None`: there is none."""
        path = self.folder / f"{name}.json"
        found: Json | None = json.loads(path.read_bytes()) if path.is_file() else None
        return found


def attempt_in(folder: Path) -> CopiedAttempt:
    """Return the attempt that is in a folder, or of a run's folder the last."""
    numbered = [each for each in folder.iterdir() if each.name.isdigit()] if folder.is_dir() else []
    return CopiedAttempt(max(numbered, key=lambda each: int(each.name), default=folder))


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Replay the folder that is named; returns the exit code."""
    if len(arguments) != 1:
        out.write(__doc__ or "")
        return 2
    try:
        said = replay(attempt_in(Path(arguments[0]))).to_json()
    except MusterError as error:
        out.write(f"{error}\n")
        return 2
    out.write("\n".join([replays.headline(said), *replays.lines(said), ""]))
    return 0 if said["same"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
