"""Who of another Salesforce org is who in the roster (A14). Pure.

Ids say nothing there, but people keep their usernames and addresses. In a sandbox, usernames end in the
sandbox's name, and addresses may end in `.invalid`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from muster.roster.links import same_text


class Person(NamedTuple):
    """A user of the new org, or a member under its user's id in the former one."""

    crm_id: str
    username: str | None
    email: str | None
    active: bool


_INVALID = ".invalid"


def heirs(users: Iterable[Person], former: Iterable[Person]) -> dict[str, str]:
    """Return, by the id of the user in the new org, the id that the same person had in the former one.

    First by username, then by e-mail address. Where several fit, the only active one; whoever cannot be told
    apart is left out.
    """
    new, old = {each.crm_id: each for each in users}, {each.crm_id: each for each in former}
    found: dict[str, str] = {}
    for names in (_username, _bare_username, _address, _valid_address):
        theirs = _by_name(new.values(), names)
        for name, members in _by_name(old.values(), names).items():
            user, member = _only(theirs.get(name, ())), _only(members)
            if user and member and (user.active or member.active) and user.crm_id not in found:
                found[user.crm_id] = member.crm_id
        new = {crm_id: each for crm_id, each in new.items() if crm_id not in found}
        taken = frozenset(found.values())
        old = {crm_id: each for crm_id, each in old.items() if crm_id not in taken}
    return found


def _username(person: Person) -> Iterator[str]:
    if person.username:
        yield same_text(person.username)


def _bare_username(person: Person) -> Iterator[str]:
    """Yield the username, and what it is without the name of a sandbox."""
    for name in _username(person):
        yield name
        bare, dot, _ = name.rpartition(".")
        if dot and "." in bare.rpartition("@")[2]:
            yield bare


def _address(person: Person) -> Iterator[str]:
    if person.email:
        yield same_text(person.email)


def _valid_address(person: Person) -> Iterator[str]:
    for name in _address(person):
        yield name.removesuffix(_INVALID)


def _by_name(people: Iterable[Person], names: Callable[[Person], Iterable[str]]) -> dict[str, list[Person]]:
    found: dict[str, list[Person]] = {}
    for person in people:
        for name in names(person):
            found.setdefault(name, []).append(person)
    return found


def _only(people: Iterable[Person]) -> Person | None:
    """Return the only person, or the only active one."""
    people = list(people)
    some = [person for person in people if person.active] if len(people) > 1 else people
    return some[0] if len(some) == 1 else None
