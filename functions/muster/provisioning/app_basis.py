"""What an app's push was decided with, and its documents in the run archive (P1, Q4).

What was found in the app is there as it was found, part by part.
"""

from typing import Any

from muster import __version__
from muster.provisioning.account_plan import AppBasis
from muster.provisioning.app_state import AppState
from muster.provisioning.gathered_accounts import FOUND, SEEN, read_found, read_seen
from muster.roster.member import Json, Member
from muster.runs.archive import keep_list, kept_bodies, kept_list
from muster.settings import Settings
from muster.sources.ports import Parts

_MEMBERS = "known"
_A_PART = 1_000


def keep(basis: AppBasis, settings: Settings, parts: Parts) -> dict[str, Any]:
    """Keep in the archive what a push is decided with; returns the document about it."""
    members = [member.to_document() for member in basis.members.values()]
    return {
        "version": __version__,
        "settings": settings.model_dump(mode="json"),
        "taken": dict(basis.taken),
        "members_known": sorted(basis.known),
        "state": basis.state.to_json(),
        "everybody": basis.everybody,
        "strangers": basis.strangers,
        "compared": basis.compared,
        "orphans": list(basis.orphans),
        "parts": {
            _MEMBERS: keep_list(parts, _MEMBERS, members, _A_PART),
            (FOUND if basis.compared is None else SEEN): basis.parts,
        },
    }


def kept(document: Json, parts: Parts) -> AppBasis:
    """Return what a push was decided with, by the document and the parts in the archive."""
    numbers, compared = document["parts"], document.get("compared")
    members = [Member.from_document(each) for each in kept_list(parts, _MEMBERS, numbers[_MEMBERS])]
    found = {
        member: one
        for body in kept_bodies(parts, FOUND, numbers.get(FOUND, 0))
        for member, one in read_found(body).items()
    }
    seen = {
        member: one
        for body in kept_bodies(parts, SEEN, numbers.get(SEEN, 0))
        for member, one in read_seen(body)[1].items()
    }
    return AppBasis(
        members={member.id: member for member in members},
        found=found,
        taken=document["taken"],
        known=frozenset(document["members_known"]),
        state=AppState.from_json(document["state"]),
        everybody=document["everybody"],
        strangers=document["strangers"],
        parts=numbers[FOUND if compared is None else SEEN],
        compared=compared,
        seen=seen,
        orphans=tuple((id_, name) for id_, name in document.get("orphans", ())),
    )
