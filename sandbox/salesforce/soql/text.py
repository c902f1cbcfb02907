"""How Salesforce compares text: without regard to case, whatever the language."""

import re
from functools import lru_cache


def compare(left: str, right: str) -> int:
    """-1, 0 or 1, as an SQLite collation answers."""
    left, right = left.casefold(), right.casefold()
    return (left > right) - (left < right)


def like(pattern: str, text: str | None) -> bool:
    r"""Whether the text fits a LIKE pattern: `%` any characters, `_` one; `\%`, `\_`, `\\` are themselves."""
    return text is not None and _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%+|_|[^\\%_]+|\\", pattern, re.DOTALL)
    wildcards = {"%": ".*", "_": "."}
    # A possible backslash is dropped from an escaped character; a run of % means what one does.
    regex = [wildcards.get(part[0]) or re.escape(part.removeprefix("\\") or part) for part in parts]
    return re.compile("".join(regex), re.IGNORECASE | re.DOTALL)
