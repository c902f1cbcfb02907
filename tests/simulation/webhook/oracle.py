"""What a roster must say once everything is through, derived from what Salesforce reported.

Deliberately simple-minded: the newest state of each user by SystemModstamp; in the roster if that is
an active one with names and a call center; else out. Only who shares an address may have to wait.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from muster.roster.reasons import NAMESAKE_ACTIVE, NAMESAKE_LEFT
from tests.simulation.harness.invariants import Roster

_SHOWN = {"first_name": "FirstName", "last_name": "LastName", "title": "Title", "extension": "Extension"}


def untrue(
    reported: Iterable[Mapping[str, str]], roster: Roster, document: Mapping[str, Any]
) -> Iterator[str]:
    """Yield where a roster is not what was reported; what cannot be understood does not count."""
    newest: dict[str, Mapping[str, str]] = {}
    for fields in reported:
        known = newest.get(fields["Id"])
        if "IsActive" in fields and (known is None or known["SystemModstamp"] < fields["SystemModstamp"]):
            newest[fields["Id"]] = fields
    if not document.get("auto_provision", {}).get("enabled", True):
        newest = {}
    for crm_id in roster.links.keys() - newest.keys():
        yield f"{crm_id} is known, and nobody has reported them"
    for crm_id, fields in newest.items():
        yield from _untrue(crm_id, fields, roster, bool(document.get("keep_active")))


def _untrue(crm_id: str, fields: Mapping[str, str], roster: Roster, kept: bool) -> Iterator[str]:
    if crm_id not in roster.links:
        yield f"{crm_id} was reported, and is not known"
        return
    link = roster.links[crm_id]
    if not (roster.source(crm_id) or "").startswith(fields["SystemModstamp"]):
        yield f"of {crm_id} the state of {fields['SystemModstamp']} is not known, but {roster.source(crm_id)}"
    member = roster.members[link.member] if link.member else None
    belongs = fields["IsActive"] == "true" and all(
        fields.get(name) for name in ("FirstName", "LastName", "CallCenterId")
    )
    if link.reason == NAMESAKE_ACTIVE:
        carriers = {who for key in link.match_keys for who in roster.carriers.get(key, ())}
        if not any(roster.members[who].active for who in carriers):
            yield f"{crm_id} waits although nobody is in the way"
    elif link.reason == NAMESAKE_LEFT:
        # Nobody is let in from memory: it is for the next word of this user, of which there was none.
        if not belongs:
            yield f"{crm_id} does not belong in the roster, and is said to have to be heard of"
    elif belongs != bool(member and member.active) and not kept:
        yield f"{crm_id} {'belongs in the roster' if belongs else 'does not belong in the roster'}"
    if member and member.active:
        shown = {name: getattr(member, name) for name in _SHOWN} | {
            kind: member.phone_numbers.get(kind) for kind in ("mobile", "other")
        }
        said = {name: fields.get(source) for name, source in _SHOWN.items()} | {
            "mobile": fields.get("MobilePhone"),
            "other": fields.get("Phone"),
        }
        for name in shown:
            if shown[name] != said[name]:
                yield f"the {name} of {crm_id} is not what was reported last"
