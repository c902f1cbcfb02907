"""The check that users can still be made active in Vault CRM, which takes a licence of its own. Pure."""

from collections.abc import Sequence

from muster.checks import Check, Read, Result, unread
from muster.crm.vault_records import BaseLicence
from muster.errors import MusterError

_CHECK = "base licences"
_REMEDY = (
    "Nobody can be made active there. Admin > Users & Groups > Vault Users: make users inactive who need no"
    " account, or buy licences from Veeva. Whom Muster could not make active it tries again by itself."
)


def base_licences(licences: Read[Sequence[BaseLicence]]) -> Check:
    """Return the check; it warns where none is left."""
    if isinstance(licences, MusterError):
        return unread(_CHECK, licences)
    if not licences:
        words = "the vault says of no application how many full users it may have"
        return Check(_CHECK, Result.COULD_NOT_CHECK, words, "Look at Admin > Settings > General Settings.")
    words = "; ".join(
        f"{each.application}: {each.left:,} of {each.licensed:,} licences for users are left"
        for each in licences
    )
    if all(each.left for each in licences):
        return Check(_CHECK, Result.PASSED, words)
    return Check(_CHECK, Result.WARNING, words, _REMEDY)
