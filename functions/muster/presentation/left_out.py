"""Who of Salesforce's users is no active member, and why, in short (A4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import words

_DEACTIVATED = "inactive_user"
# In one sentence with how many they are, or after a name.
SHORT = {
    _DEACTIVATED: "deactivated in Salesforce",
    "name_missing": "without a first or last name",
    "email_domain": "of another e-mail domain",
    "call_center_missing": "without a call center",
    "unmatched": "matched by no assignment",
    "namesake_active": "waiting for a namesake to leave",
    "namesake_left": "to be looked at again after a namesake left",
    "frozen_user": "frozen in Salesforce",
    "end_date": "past their end date",
    "set_inactive": "set inactive by hand",
    "taken_back": "to be evaluated again",
    "replaced": "replaced by another user",
    "erased": "erased",
}


def why(reason: str | None) -> str:
    """Return the reason for which somebody is no active member, in short."""
    return SHORT.get(reason or "", words.spaced(reason))


def in_words(counts: Mapping[str, int], people: str) -> str:
    """Return how many are left out and why, `people` saying of whom; empty where nobody is.

    Who is deactivated in Salesforce is not counted: there it is meant, and of most companies it is many.
    """
    told = {reason: count for reason, count in counts.items() if reason != _DEACTIVATED}
    if not told:
        return ""
    total = sum(told.values())
    many = f"{total:,} {people}"
    if total == 1:
        many = many.replace("people", "person")
    reasons = sorted(told.items(), key=lambda each: (-each[1], each[0]))
    listed = (f"{count:,} {why(reason)}" for reason, count in reasons)
    return f"{many} {'is' if total == 1 else 'are'} left out: {', '.join(listed)}"


def lines(shown: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """Return a line for each reason, with the first people; `shown` is an answer's `left_out`."""
    return [
        f"Left out, {why(reason)}: {words.listed(list(map(_name, some['first'])), total=some['count'])}"
        for reason, some in shown.items()
        if reason != _DEACTIVATED
    ]


def _name(person: Mapping[str, Any]) -> str:
    return person.get("name") or person.get("username") or person.get("user") or "somebody without a name"
