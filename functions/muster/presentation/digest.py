"""The morning digest: what happened in a day, what needs somebody and what ends soon, as a plain mail (N2).

It has counts, ids of runs and names of settings, and nobody's name: a mail is kept and passed on by others
than may read the roster (T2). Where names are to be seen it says.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import health
from muster.presentation.causes import moment
from muster.presentation.lines import at_most, counted
from muster.presentation.member_news import DID

type Json = Mapping[str, Any]

# SNS takes 100 characters of ASCII.
_LONGEST_SUBJECT = 100
# What keeps the mail readable, and under the 256 KiB that SNS takes, whatever characters are in it.
_LONGEST_LINE, _MOST_LINES, _MOST_WITH_NEWS = 240, 12, 20
_MOST_NAMED = 50
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def subject(stack: str, told: Sequence[Json]) -> str:
    """Return what the mail is about, in our own words and numbers."""
    joined, left = (sum(each["counts"].get(kind, 0) for each in told) for kind in ("joined", "left"))
    needs = sum(len(each["findings"]) for each in told)
    parts = [f"{joined:,} joined"] if joined else []
    parts += [f"{left:,} left"] if left else []
    parts += [f"{counted(needs, 'thing')} to look at"] if needs else []
    said = ", ".join(parts) or ("little happened" if any(map(is_news, told)) else "a quiet day")
    return _UNPRINTABLE.sub("?", f"Muster: {said} ({stack})")[:_LONGEST_SUBJECT]


def text(period: tuple[str, str], told: Sequence[Json], unseen: Sequence[str], dashboard: str) -> str:
    """Return the mail, those that need somebody first; a quiet day is two lines.

    `told` has of each organization `{organization, counts, runs_failed, findings, ends, warnings}`, and the
    same of the stack itself, as `None`; `unseen` are the organizations that there was no time for.
    """
    since, until = map(moment, period)
    news = sorted(filter(is_news, told), key=lambda each: not any(map(_needs_somebody, each["findings"])))
    quiet = [each["organization"] for each in told if each["organization"] and not is_news(each)]
    parts = [f"From {since} to {until} UTC."]
    parts += [_part(each) for each in news[:_MOST_WITH_NEWS]]
    if more := [each["organization"] for each in news[_MOST_WITH_NEWS:]]:
        parts.append(f"There is news of others, too: {_named(more)}")
    if quiet:
        parts.append(f"Nothing happened and nothing is wrong: {_named(quiet)}")
    if unseen:
        parts.append(f"There was no time to look at {_named(unseen)}")
    if news:
        parts.append(_where_to_read_on(news[0]["organization"], period[0], dashboard))
    return "\n\n".join(parts) + "\n"


def is_news(each: Json) -> bool:
    """Whether there is anything to tell."""
    return bool(_happened(each) or each["findings"] or each["ends"])


def _needs_somebody(finding: Json) -> bool:
    return finding["level"] in ("broken", "waits")


def _part(each: Json) -> str:
    lines = [*map(health.line, each["findings"]), *(f"~ {what}" for what in each["ends"])]
    happened = [_happened(each) or "nothing changed"] if each["organization"] else []
    lines = [*happened, *each["warnings"], *at_most(lines, _MOST_LINES)]
    name = each["organization"] or "All organizations of this stack"
    return "\n".join([name, *(f"  {_harmless(line)}" for line in lines)])


def _happened(each: Json) -> str:
    counts = each["counts"]
    people = [(count, *DID[kind]) for kind in DID if (count := counts.get(kind, 0))]
    parts = [
        f"{counted(count, 'person', 'people')} {many if count > 1 else one}" for count, one, many in people
    ]
    parts += [f"{counted(failed, 'run')} failed"] if (failed := each["runs_failed"]) else []
    parts += [f"settings saved {counted(saved, 'time')}"] if (saved := counts.get("settings", 0)) else []
    parts += [counted(errors, "new error")] if (errors := counts.get("errors", 0)) else []
    return ", ".join(parts)


def _named(organizations: Sequence[str]) -> str:
    more = len(organizations) - _MOST_NAMED
    said = ", ".join(organizations[:_MOST_NAMED])
    return f"{said}, and {more:,} more." if more > 0 else f"{said}."


def _where_to_read_on(organization: str | None, since: str, dashboard: str) -> str:
    name = organization or "acme"
    return "\n".join(
        [
            "Who, and what to do: ask RosterQueryFunction",
            f'  {{"organization": "{name}", "action": "changes", "since": "{since}"}}',
            f'  {{"organization": "{name}", "action": "health"}}',
            f"Dashboard: {dashboard}",
        ]
    )


def _harmless(line: str) -> str:
    """Return a line with no address to follow: what was written in a CRM may be part of it (T6)."""
    said = " ".join(line.split()).replace("://", ": ")
    return said if len(said) <= _LONGEST_LINE else f"{said[: _LONGEST_LINE - 1]}…"
