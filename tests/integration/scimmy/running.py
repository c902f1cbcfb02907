"""SCIMMY as a process of this machine, and as tests see it: a second server, with ways of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.scim import RunningSandbox
from tests.doubles.scim_target import ScimTarget

FOLDER = Path(__file__).parent
_NODE = shutil.which("node")


class Scimmy(ScimTarget):
    """A running SCIMMY; it has no quirks that could be switched on, and several that cannot be off."""

    def quirks(self, **quirks: object) -> None:
        """Take nothing: what is asked for here is asked of the sandbox."""
        assert not quirks, "SCIMMY is as it is"

    def members(self, name: str) -> list[str]:
        """Return the ids of the members of a group, each once: SCIMMY doubles who is added again."""
        return list(dict.fromkeys(super().members(name)))


def missing() -> str:
    """Return why there is no SCIMMY on this machine; empty if there is."""
    if _NODE is None:
        return "SCIMMY needs node, which is not on this machine"
    if not (FOLDER / "node_modules").is_dir():
        return "SCIMMY is not installed: run make simulate"
    return ""


@contextmanager
def running() -> Iterator[Scimmy]:
    """Run it on a free port while the block runs. Raises RuntimeError if it does not start; it says why."""
    process = subprocess.Popen(  # noqa: S603  # our own program
        [str(_NODE), "server.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise RuntimeError("SCIMMY did not start: see its standard error")
        yield Scimmy(RunningSandbox(**json.loads(said)))
    finally:
        process.terminate()
        process.communicate(timeout=20)
