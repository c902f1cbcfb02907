"""Events of members that were sent once more, in words."""

from collections.abc import Mapping
from typing import Any

from muster.presentation.lines import counted


def in_words(sent: Mapping[str, Any]) -> str:
    """Return what was sent, and whether there is more, as a sentence or two."""
    said = f"{counted(sent['events'], 'event')} of {counted(sent['entries'], 'change')} sent again."
    if sent["unreadable"]:
        were = "was" if sent["unreadable"] == 1 else "were"
        said += f" {counted(sent['unreadable'], 'change')} could not be read and {were} left out."
    if sent["cursor"]:
        said += " There is more: send the event again with the cursor."
    return said
