"""A group of an app gets its assignment's new name, in one call, and keeps its members (O2, A12)."""

from muster.crm import scim_patches
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_dialect import Dialect
from muster.crm.scim_resources import GROUPS
from muster.errors import OutcomeUnknown
from muster.provisioning.group_renames import GroupRename
from muster.provisioning.grouping import groups_called
from muster.provisioning.ports import Target


def carry_out(rename: GroupRename, target: Target, dialect: Dialect) -> Written:
    """Rename a group, and return what came of it; what an interrupted push has done already is done.

    Apps take two groups of one name, so it is looked for before.
    """
    called_so = groups_called(target, rename.after)
    if any(each.id == rename.group for each in called_so):
        return Written(Outcome.WRITTEN)
    if called_so:
        return Written(Outcome.TAKEN)
    operations = [scim_patches.renaming(rename.after, dialect)]
    try:
        return target.patch(GROUPS, rename.group, operations)
    except OutcomeUnknown:
        # It says what is to be, and is harmless to repeat.
        return target.patch(GROUPS, rename.group, operations)
