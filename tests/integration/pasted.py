"""The events to paste, as they lie in the folder `events`."""

import json
from typing import Any

from tests.conftest import ROOT

FOLDER = ROOT / "events"


def events_for(function: str) -> list[str]:
    """Return the names of the events for a function, such as `roster_query_list`."""
    return sorted(path.stem for path in FOLDER.glob(f"{function}_*.json"))


def pasted(name: str) -> Any:
    """Return the event of that name."""
    return json.loads((FOLDER / f"{name}.json").read_text())
