"""Members for tests, from attributes in the shapes in which they are stored."""

from dataclasses import replace
from typing import Any

from muster.roster.member import Member


def member(name: str = "m1", **stored: Any) -> Member:
    """Return a member of acme with this id."""
    return changed(Member(id=name, organization="acme"), **stored)


def changed(member: Member, **stored: Any) -> Member:
    """Return the member with these attributes."""
    read = Member.from_document({"id": "", "organization": "", **stored})
    attributes: dict[str, Any] = {name: getattr(read, name) for name in stored}
    return replace(member, **attributes)
