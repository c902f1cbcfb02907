"""What the values of a stored member have in common: JSON, of which a newer version may know more.

While Lambda functions are updated one after another, two versions write the same members. What this one does
not know of a value is kept beside what it knows, as `unknown`, and written again as it was.
"""

from collections.abc import Container, Mapping
from typing import Any

type Json = dict[str, Any]
type Unknown = tuple[tuple[str, object], ...]


def unknown(document: Mapping[str, object], known: Container[str]) -> Unknown:
    """Return the entries of a JSON object that this version does not know."""
    return tuple((name, value) for name, value in document.items() if name not in known)
