"""A command line whose functions are scripted; the people at it are asked nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from muster_cli import options
from tests.doubles.muster_functions import Answer, Scripted

type Answering = Callable[..., Scripted]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Return what has the functions give these answers, one after the other."""
    for name in ("MUSTER_ORGANIZATION", "MUSTER_STACK", "MUSTER_LOCAL"):
        monkeypatch.delenv(name, raising=False)

    def answer(*answers: Answer | BaseException) -> Scripted:
        functions = Scripted(answers)
        monkeypatch.setattr(options, "functions_of", lambda *place, local: functions)
        return functions

    return answer


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Return a file with settings of Acme, with a comment."""
    path = tmp_path / "acme.yaml"
    path.write_text("organization: acme  # the only one\nseats: {gong: {limit: 200}}\n")
    return path
