"""Groups that a leaver had requested by hand or in a CRM, requested again for who comes back (G11).

Whoever is deactivated in Salesforce requests no group (W8). What an assignment gave, it gives again; other
requests are kept in the member's `vault` under `former`, with their origin, until then. Pure.
"""

from dataclasses import replace

from muster.crm.engage_features import FEATURES, Feature
from muster.roster import engage_groups
from muster.roster.entitlements import governor
from muster.roster.member import Member
from muster.roster.vault_state import FormerGroup
from muster.settings import Settings


def with_former_groups(before: Member, after: Member, settings: Settings) -> Member:
    """Return a member after a change in Salesforce: what a leaver requested is kept, who returns has it."""
    if not after.active:
        return _kept(before, after)
    former = after.vault.former
    if not former:
        return after
    after = replace(after, vault=replace(after.vault, former={}))
    for feature, request in former.items():
        if after.feature(feature).request is None and not governor(after, feature, settings):
            after = _requested(after, feature, request.group, request.origin)
    return after


def _kept(before: Member, after: Member) -> Member:
    former = {
        feature: FormerGroup(group, origin)
        for feature in FEATURES
        if (group := before.feature(feature).request)
        and (origin := before.origins.get(f"{feature}.request"))
        and after.feature(feature).request is None
    }
    if not former:
        return after
    return replace(after, vault=replace(after.vault, former={**after.vault.former, **former}))


def _requested(member: Member, feature: Feature, group: str, origin: str) -> Member:
    changed = engage_groups.request_group(member, feature, group)
    changed["vault"] = engage_groups.returning(changed["vault"], feature)
    changed["origins"] = {**member.origins, f"{feature}.request": origin}
    return replace(member, **changed)
