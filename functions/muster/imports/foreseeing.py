"""What deciding may come to need beside the users themselves (I3, A9, A14). Pure.

Who waits for a namesake, stands in line for a seat, or may be linked to a user of Vault CRM is decided about
once it is known what the others do. What that takes is looked up before: at least what deciding turns out to
need, and nothing where nothing can become free.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from muster.crm.salesforce_fields import mapped
from muster.imports.ordering import Candidate
from muster.roster.decisions import Known
from muster.roster.links import match_keys, own_keys_of, vault_id
from muster.roster.member import Member
from muster.roster.possible_losses import keys_perhaps_given_up, seats_perhaps_freed
from muster.roster.salesforce_lifecycle import is_stale
from muster.settings import Settings

# Of so many usernames and addresses an incremental import asks Vault CRM at most; a full one reads everybody.
MOST_UNLINKED = 2_000


@dataclass(slots=True)
class Foreseen:
    """What may come to be needed.

    `with_lines` are the seats that somebody waits for, `contested` the match keys that several of the users
    have. `keys` are the match keys that may become free, `freed` counts by seat the members who may give it
    up, and `standing` are the members (ids) in line for it who are decided about anyway. `unlinked` are match
    keys of members who will be linked to no user of Vault CRM, about `most_unlinked` of them.
    """

    settings: Settings
    today: date
    with_lines: Collection[str]
    contested: Collection[str] = ()
    most_unlinked: int = MOST_UNLINKED
    keys: set[str] = field(default_factory=set)
    freed: Counter[str] = field(default_factory=Counter)
    standing: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unlinked: set[str] = field(default_factory=set)

    def add(self, candidate: Candidate, known: Known) -> None:
        """Add what deciding about a user may need."""
        change, settings = candidate.change, self.settings
        verdict = candidate.verdict_with(known, settings)
        self.keys.update(keys_perhaps_given_up(change, candidate.wanted, known, verdict, self.contested))
        self.add_unlinked(candidate, known)
        if not self.with_lines:
            return
        own = known.member or known.former
        for member in (own,) if own else known.namesakes:
            self._stand(member)
            self.freed.update(
                seats_perhaps_freed(member, change, verdict, settings, self.today, self.with_lines)
            )

    def add_unlinked(self, candidate: Candidate, known: Known) -> None:
        """Add by which names a user of Vault CRM may be found who is the user's."""
        if len(self.unlinked) >= self.most_unlinked:
            return
        own = known.member or known.former
        if own is None and candidate.verdict_with(known, self.settings).reason is None:
            self.unlinked |= self._own_keys(candidate, None)
        elif own and vault_id(own) is None:
            stays = is_stale(candidate.change, known)
            self.unlinked |= own_keys_of(own) if stays else self._own_keys(candidate, own)

    def _own_keys(self, candidate: Candidate, member: Member | None) -> frozenset[str]:
        """Return the keys by which the user's member will go; what is not known of the user stays."""
        field_map = self.settings.field_maps.salesforce
        names = {name: field_map.get(name) for name in ("username", "email")}
        values = mapped(names, candidate.change.fields)
        if member:
            values = {"username": member.username, "email": member.own_email or member.email} | values
        return frozenset(match_keys(values.get("username"), values.get("email")))

    def _stand(self, member: Member) -> None:
        for seat, place in member.seats.items():
            if seat in self.with_lines and place.in_line:
                self.standing[seat].add(member.id)


def contested(candidates: Iterable[Candidate], settings: Settings) -> frozenset[str]:
    """Return the match keys that several of the users have, where Muster makes addresses up."""
    if not settings.domains.convert:
        return frozenset()
    times = Counter(key for each in candidates for key in frozenset(each.wanted.match_keys))
    return frozenset(key for key, number in times.items() if number > 1)
