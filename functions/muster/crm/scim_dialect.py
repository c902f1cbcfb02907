"""What a SCIM target takes and does, where that differs between targets (O2)."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A target as its documentation and reports about it have it; the default is what the RFC says.

    `filterable`: the attributes by which users and groups are found. `lists_whole`: a list can be read to its
    end. `page_size`: rows to ask for at a time. `requires`: attributes without which a user is not taken, by
    the names of `scim_attributes`. `allows`: the only attributes there are, `None` for any. `value_paths`:
    a PATCH can name one of several values, as in `emails[type eq "work"].value`. `paths`: a PATCH names what
    it changes by a path; else by the keys of its value. `operations_a_call` and `members_a_call`: so many fit
    into one PATCH. `creates_groups`: groups are made by SCIM; else they are only filled. `deletes_users`:
    what deleting a user does. `calls_a_minute`: the limit on calls, `None` where none is documented.
    """

    filterable: frozenset[str] = frozenset({"userName", "externalId", "displayName"})
    lists_whole: bool = True
    page_size: int = 100
    requires: tuple[str, ...] = ()
    allows: frozenset[str] | None = None
    value_paths: bool = True
    paths: bool = True
    operations_a_call: int = 100
    members_a_call: int = 100
    creates_groups: bool = True
    deletes_users: Literal["removes", "deactivates", "for_good", "refused"] = "removes"
    calls_a_minute: int | None = None


RFC = Dialect()
