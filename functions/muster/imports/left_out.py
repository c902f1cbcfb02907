"""Who is no active member once a plan is applied, and why: how many by reason, and the first of each (A4).

The first are those with the smallest ids in Salesforce, so that the same people are named each time. Users
who cannot be decided about are in the error log instead.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from muster.crm.salesforce_fields import Fields
from muster.roster import eligibility
from muster.roster.decisions import Decision, Known
from muster.roster.member import Json, Member
from muster.settings import Settings
from muster.settings.mappings import fields_named_by
from muster.sources.salesforce_users import fields_of
from muster.sources.samples import FIRST, Sample
from muster.sources.user_changes import MAX_ADDRESS

_NAMING = ("username", "email", "name")
_BY_ID = itemgetter("user")


@dataclass(slots=True)
class LeftOut:
    """By reason: how many are left out, and the first of them as `{user, name, username}`.

    Who waits for a namesake has in `waits_for` the members who have to leave first.
    """

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[Json]] = field(default_factory=dict)

    def add(self, reason: str, who: Json) -> None:
        """Add one person."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        first = self.first.setdefault(reason, [])
        insort(first, who, key=_BY_ID)
        del first[FIRST:]

    def add_sample(self, reason: str, sample: Sample, settings: Settings) -> None:
        """Add people of whom only the first have to be named."""
        names = (*fields_named_by(settings, _NAMING), "Id")
        for row in sample.first:
            self.add(reason, who(row["Id"], fields_of(row, names), settings))
        if more := sample.count - len(sample.first):
            self.counts[reason] += more

    def to_json(self) -> Json:
        """Return `{reason: {count, first}}`, the most frequent reason first."""
        reasons = sorted(self.counts, key=lambda reason: (-self.counts[reason], reason))
        return {reason: {"count": self.counts[reason], "first": self.first[reason]} for reason in reasons}


def who(crm_id: str, fields: Fields, settings: Settings) -> Json:
    """Return how a user is named: by its id, and as the member would be called."""
    field_map = settings.field_maps.salesforce
    found = eligibility.attributes({name: field_map.get(name) for name in _NAMING}, fields, settings.domains)
    return _named(crm_id, found)


def reason_of(decision: Decision, known: Known) -> str | None:
    """Return why a user is not an active member after the decision; `None` for one who is."""
    if member := decision.after or decision.before or known.member:
        return None if member.active else member.inactive_reason
    link = decision.link or known.link
    return link.reason if link else None


def blocking(members: Sequence[Member]) -> Json:
    """Return `waits_for`: the members who have the username or e-mail address; nothing where none do."""
    if not members:
        return {}
    held_by = [{"member": each.id, **_named(None, each.to_json())} for each in members[:FIRST]]
    return {"waits_for": [{name: value for name, value in each.items() if value} for each in held_by]}


def _named(crm_id: str | None, found: Mapping[str, str | None]) -> Json:
    username = found.get("username") or found.get("email")
    # A mapped field may hold any text; what is told stays small.
    name, username = ((text or "")[:MAX_ADDRESS] or None for text in (found.get("name"), username))
    return {"user": crm_id, "name": name, "username": username}
