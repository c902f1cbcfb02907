"""What a run answers."""

from typing import Any

type Answer = dict[str, Any]
