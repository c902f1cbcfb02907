"""Who would lose a group by the next push, by what the roster knows, without asking Vault CRM (I5). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from muster.crm.engage_features import Feature
from muster.roster import engage_groups
from muster.roster.member import Member
from muster.runs.operations import REVOKE
from muster.settings import Settings
from muster.settings.mappings import pushed_features


@dataclass(frozen=True, slots=True)
class Loss:
    """A member who would lose a group, for the guard."""

    assignment: str | None
    operations: tuple[str, ...] = (REVOKE,)

    @property
    def former(self) -> str | None:
        """The assignment that it counts for."""
        return self.assignment


def expected_losses(members: Iterable[Member], settings: Settings, day: date) -> list[Loss]:
    """Return the losses among these members, who are due; `day` is today where the organization is."""
    return [
        Loss(member.assignment)
        for member in members
        if any(_loses(member, feature, day) for feature in pushed_features(settings))
    ]


def _loses(member: Member, feature: Feature, day: date) -> bool:
    wanted = engage_groups.wanted(member, feature, day)
    if wanted is None:
        return engage_groups.gives_back(member, feature)
    return member.feature(feature).group not in (None, wanted)
