"""What a plan or a run does to how many people, in one sentence; with names where they are few (Q3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.lines import counted

# An item of a plan, as an answer shows it.
type Item = Mapping[str, Any]

NOTHING = "Nothing to change"
# So many are named in a sentence.
_NAMED = 3
# What is counted: of one, of several; the verbs of `_PEOPLE` as they are in a plan and once it is applied.
_PEOPLE = {
    "deactivated": (("leaves", "leave"), ("left", "left")),
    "created": (("joins", "join"), ("joined", "joined")),
    "reactivated": (("comes back", "come back"), ("came back", "came back")),
    "seated": (
        ("gets a seat from the line", "get a seat from the line"),
        ("got a seat from the line", "got a seat from the line"),
    ),
    "linked": (("is linked", "are linked"), ("was linked", "were linked")),
    "updated": (("changes", "change"), ("changed", "changed")),
    "unlinked": (
        ("is no longer linked to Vault CRM", "are no longer linked to Vault CRM"),
        ("was unlinked from Vault CRM", "were unlinked from Vault CRM"),
    ),
    "waiting": (("waits for a namesake", "wait for a namesake"),) * 2,
    "not_provisioned": (("stays out", "stay out"), ("stayed out", "stayed out")),
    "grant": (("gains a seat or a group", "gain a seat or a group"), ("gained a seat or a group",) * 2),
    "revoke": (("loses a seat or a group", "lose a seat or a group"), ("lost a seat or a group",) * 2),
    "stale": (("had changed meanwhile",) * 2,) * 2,
    "held_back": (
        ("has something that cannot be put back", "have something that cannot be put back"),
        ("had something that could not be put back",) * 2,
    ),
    "erased": (("is erased", "are erased"), ("was erased", "were erased")),
    "looked_at": (("is looked at", "are looked at"), ("was looked at", "were looked at")),
    "removed": (
        ("is taken out of a group", "are taken out of a group"),
        ("was asked out of a group", "were asked out of a group"),
    ),
    "added": (
        ("asks for a group", "ask for a group"),
        ("asked for a group", "asked for a group"),
    ),
    "activated": (
        ("is activated in Vault CRM", "are activated in Vault CRM"),
        ("was activated in Vault CRM", "were activated in Vault CRM"),
    ),
    "inactivated": (
        ("is inactivated in Vault CRM", "are inactivated in Vault CRM"),
        ("was inactivated in Vault CRM", "were inactivated in Vault CRM"),
    ),
    "made": (("gets an account", "get an account"), ("got an account", "got an account")),
    "opened": (
        ("has the account opened again", "have their accounts opened again"),
        ("had the account opened again", "had their accounts opened again"),
    ),
    "closed": (
        ("has the account closed", "have their accounts closed"),
        ("had the account closed", "had their accounts closed"),
    ),
    "deleted": (
        ("has the account deleted", "have their accounts deleted"),
        ("had the account deleted", "had their accounts deleted"),
    ),
    "changed": (
        ("has the account changed", "have their accounts changed"),
        ("had the account changed", "had their accounts changed"),
    ),
    "regrouped": (
        ("changes groups", "change groups"),
        ("changed groups", "changed groups"),
    ),
    "read_back": (("is read back", "are read back"), ("was read back", "were read back")),
    "looked_for": (("is looked for", "are looked for"), ("was looked for", "were looked for")),
    "to_adopt": (("has an account that waits to be adopted", "have accounts that wait to be adopted"),) * 2,
    "conflict": (("has an account that is not clearly theirs", "have accounts that are not clearly theirs"),)
    * 2,
    "no_licence": (("waits for a licence in the app", "wait for a licence in the app"),) * 2,
    "lacking": (("lacks what the app needs", "lack what the app needs"),) * 2,
    "not_done": (
        ("is not done yet", "are not done yet"),
        ("could not be done", "could not be done"),
    ),
    "left_to_the_next_push": (
        ("is left to the next push", "are left to the next push"),
        ("was left to the next push", "were left to the next push"),
    ),
    "in_line": (
        ("gets a licence if one becomes free", "get a licence if one becomes free"),
        ("was in line for a licence", "were in line for a licence"),
    ),
}
_OTHER_NOUNS = {
    "message_refuted": ("message was refuted", "messages were refuted"),
    "ambiguous": ("user of Vault CRM who fits several", "users of Vault CRM who fit several"),
    "no_status": ("request without a status", "requests without a status"),
}


def in_words(counts: Mapping[str, int], *, done: bool = False) -> str:
    """Return the counts of a run or a plan in words; `done`: of a run that was applied."""
    parts = [_counted(name, count, done=done) for name, count in counts.items() if count]
    return ", ".join(parts) or NOTHING


def news(counts: Mapping[str, int], items: Sequence[Item], *, done: bool = False) -> str:
    """Return what a plan does in one sentence, with names where few join or leave."""
    parts = []
    if not any(counts.get(name) for name in ("updated", "linked")):
        # Who joins, leaves or is served gains and loses by that.
        counts = {name: count for name, count in counts.items() if name not in ("grant", "revoke")}
    for name in [*_PEOPLE, *(name for name in counts if name not in _PEOPLE)]:
        count = counts.get(name, 0)
        if not count:
            continue
        names = [name_of(item) for item in items if item["does"] == name]
        named = name in ("deactivated", "created", "reactivated") and len(names) == count <= _NAMED
        verb = _PEOPLE[name][done][count != 1] if name in _PEOPLE else ""
        parts.append(f"{words.listed(names)} {verb}" if named else _counted(name, count, done=done))
    return ", ".join(parts) or NOTHING


def _counted(name: str, count: int, *, done: bool) -> str:
    if name in _PEOPLE:
        return f"{counted(count, 'person', 'people')} {_PEOPLE[name][done][count != 1]}"
    if name in _OTHER_NOUNS:
        return counted(count, *_OTHER_NOUNS[name])
    # The outcomes of requests for groups, by their status.
    return f"{counted(count, 'request')}: {words.STATUSES.get(name, words.spaced(name))}"


def verb(does: str) -> str:
    """Return what an item does to a person, as a table says it."""
    return _PEOPLE[does][0][0] if does in _PEOPLE else words.spaced(does)


def name_of(item: Item) -> str:
    """Return the name of whom an item is about, else the id in Salesforce."""
    return item["name"] or item.get("user") or "somebody without a name"
