"""What is said of what cannot be put back: of what it is, why, and what to do first (Q2). Pure."""

from collections.abc import Iterable, Sequence

from muster.errors import Problem
from muster.presentation import words
from muster.roster.reasons import EXPLAINED
from muster.undo.topics import ASSIGNMENT, Topic
from muster.undo.undone import Later, Undone

# So many topics are named in one sentence.
_NAMED = 10
_AGAIN = "then undo the run again"


def of(topics: Iterable[Topic], message: str, remedy: str) -> Problem:
    """Return why these cannot be put back."""
    names = list(dict.fromkeys(topic.name for topic in topics))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Problem(f"{', '.join(names[:_NAMED])}{more}", message, remedy)


def overtaken(topics: Sequence[Topic], undone: Undone) -> list[Problem]:
    """Return by what each of these was changed since, what was changed together in one sentence."""
    by_cause: dict[str, list[Topic]] = {}
    for topic in topics:
        later = next((undone.later[name] for name in topic.fields if name in undone.later), None)
        by_cause.setdefault(_cause(later), []).append(topic)
    remedy = "It stays as it is. If it is not wanted so, undo that instead, or change it by hand."
    return [of(some, f"changed since, {cause}", remedy) for cause, some in by_cause.items()]


def _cause(later: Later | None) -> str:
    if later is None:
        return "by somebody"
    return f"{words.moment(later.at)}: {words.cause(later.run, later.origin)}"


def refused(topics: Sequence[Topic], why: Problem) -> Problem:
    """Return why the rules of edits refuse these; what the member or the feature is, is said of that."""
    of_another = why.where in ("member", "feature") and why.message.startswith("is ")
    message = f"cannot be put back: the {why.where} {why.message}" if of_another else why.message
    return of(topics, message, why.remedy)


def not_shown(topics: Sequence[Topic]) -> Problem:
    """Return what is said where Salesforce shows nothing of the user."""
    return of(
        topics,
        "follows Salesforce, which does not show the user",
        f"Let the integration user read the user, {_AGAIN}.",
    )


def stays_out(reason: str | None) -> Problem:
    """Return why a member whom the run closed stays out now."""
    why = EXPLAINED.get(reason or "", "The member is not active.")
    remedy = f"Mend that first, {_AGAIN}; or let the next import bring the member back."
    return Problem("active", f"cannot be put back: {why[:1].lower()}{why[1:]}", remedy)


def stays_in(assignment: str | None) -> Problem:
    """Return why a member whom the run let in stays."""
    by = f"assignment {assignment!r} matches" if assignment else "the settings leave nobody out"
    remedy = f"Change the user in Salesforce or the assignments first, {_AGAIN}; an import would do as well."
    return Problem("active", f"stays: Salesforce shows the user as active, and {by}", remedy)


def governed(topics: Sequence[Topic], assignment: str | None) -> Problem:
    """Return what is said of what Salesforce, or an assignment by what Salesforce says, decides."""
    moved = any(topic.name == ASSIGNMENT for topic in topics)
    if moved:
        by = f"assignment {assignment!r}" if assignment else "no assignment"
        return of(
            topics,
            f"follows Salesforce and the assignments, by which it is {by} now",
            f"Correct the user in Salesforce, or restore the settings, {_AGAIN}.",
        )
    remedy = "Change the user in Salesforce: the next import brings it."
    return of(topics, "follows Salesforce, which says otherwise", remedy)


def closes(topics: Sequence[Topic], reason: str | None) -> Problem:
    """Return what is said of a member who is not let in any more: that is for the next import."""
    why = EXPLAINED.get(reason or "", "The rules leave the person out.")
    remedy = "Nothing to do: the next import closes the member, under its guard."
    return of(topics, f"is left as it is, for the member is to be closed. {why}", remedy)


def would_overwrite(topics: Sequence[Topic], others: Sequence[Topic]) -> Problem:
    """Return what is said where putting these back would take away what was changed since."""
    names = ", ".join(dict.fromkeys(topic.name for topic in others))
    return of(
        topics,
        f"is not put back, because that would overwrite what was changed since ({names})",
        "The next import evaluates the member by the rules in force; look at a preview of it (members).",
    )


def would_close(topics: Sequence[Topic]) -> Problem:
    """Return what is said of a date or status that would close whom the run has opened."""
    return of(
        topics,
        "would close the member, whom Salesforce shows as active",
        "If that is meant, set it with MemberSettingsFunction.",
    )


def follows_end_date(topics: Sequence[Topic], end_date: str | None) -> Problem:
    """Return what is said of the status that pushes set for whose end date is past."""
    return of(
        topics,
        f"follows the end date, {end_date}, which is past: the next push sets it again",
        f"Move end_date, or take it away, with MemberSettingsFunction, {_AGAIN}.",
    )


def shown_by_vault(topics: Sequence[Topic]) -> Problem:
    """Return what is said of what Vault CRM shows."""
    return of(
        topics,
        "is what Vault CRM shows",
        "It is not Muster's to put back: undo the push that asked for it, or ask for another group with"
        " GroupAssignmentFunction.",
    )


def served(topics: Sequence[Topic]) -> Problem:
    """Return what is said of seats that were given from the line."""
    return of(
        topics,
        "was given from the line, and is held",
        "Who holds a seat keeps it; take it away in the settings or by hand if it is for somebody else.",
    )


def in_line(topics: Sequence[Topic]) -> Problem:
    """Return what is said of seats that are put back, of which none is free."""
    return of(
        topics,
        "has gone to somebody else: the member waits in line",
        "Nothing to do: the next free one is given to the first in line. Or raise the limit.",
    )


def no_such_seat(topics: Sequence[Topic]) -> Problem:
    """Return what is said of seats that the settings no longer have."""
    return of(topics, "is no seat of the settings any more", f"Add it to the settings, {_AGAIN}.")


def erased() -> Problem:
    """Return what is said of a member of whom nothing is kept (T5)."""
    return Problem("member", "is erased: nothing is kept to put back", "Nothing can be done.")


def gone() -> Problem:
    """Return what is said of a member who is linked to no user of Salesforce, or to another than planned."""
    return Problem(
        "member",
        "is not linked to a user of Salesforce",
        "Import the member's user (members), then undo again.",
    )
