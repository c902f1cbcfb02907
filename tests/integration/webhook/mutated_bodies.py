"""Good outbound messages gone wrong: structural changes and seeded damage to the bytes.

Whether one is still good is not labelled here; `outbound_message_oracle.py` says.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.doubles.outbound_messages import message


def restructured() -> Iterator[tuple[str, bytes]]:
    """Yield messages with one to four changes to their elements."""
    good = message()
    spots = list(_elements(good))
    for spot in spots:
        for name, change in CHANGES.items():
            yield f"structure: {spot.name} {name}", change(good, spot).encode()
    chance = random.Random(2)  # noqa: S311 - the same each time is the point
    for number in range(900):
        body = good
        for _ in range(chance.randint(2, 4)):
            # Whatever else went wrong, there is an element left to go on with, or the body is tried as it is.
            if remaining := list(_elements(body)):
                body = CHANGES[chance.choice(list(CHANGES))](body, chance.choice(remaining))
        yield f"structures {number}", body.encode()


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element is in a text: its tags from `start` to `end`, its content between them."""

    name: str
    start: int
    inside: int
    inside_end: int
    end: int


def _elements(text: str) -> Iterator[Element]:
    for opening in re.finditer(r"<([\w:]+)([^<>]*?)(/?)>", text):
        name, closing = opening[1], f"</{opening[1]}>"
        if opening[3]:
            yield Element(name, opening.start(), opening.end(), opening.end(), opening.end())
        elif (found := text.find(closing, opening.end())) >= 0:
            yield Element(name, opening.start(), opening.end(), found, found + len(closing))


def _with_attribute(text: str, at: Element, attribute: str) -> str:
    after_name = at.start + 1 + len(at.name)
    return f"{text[:after_name]} {attribute}{text[after_name:]}"


def _renamed(text: str, at: Element, name: str) -> str:
    whole = text[at.start : at.end]
    renamed = whole.replace(f"<{at.name}", f"<{name}", 1)
    if at.inside_end < at.end:
        renamed = renamed[: -len(at.name) - 3] + f"</{name}>"
    return text[: at.start] + renamed + text[at.end :]


CHANGES: dict[str, Callable[[str, Element], str]] = {
    "removed": lambda text, at: text[: at.start] + text[at.end :],
    "twice": lambda text, at: text[: at.end] + text[at.start :],
    "emptied": lambda text, at: text[: at.inside] + text[at.inside_end :],
    "unwrapped": lambda text, at: text[: at.start] + text[at.inside : at.inside_end] + text[at.end :],
    "moved to the front": lambda text, at: text[at.start : at.end] + text[: at.start] + text[at.end :],
    "renamed": lambda text, at: _renamed(text, at, at.name + "x"),
    "in lower case": lambda text, at: _renamed(text, at, at.name.lower()),
    "without prefix": lambda text, at: _renamed(text, at, at.name.rpartition(":")[2]),
    "with another prefix": lambda text, at: _renamed(text, at, "sf:" + at.name.rpartition(":")[2]),
    "with an unknown prefix": lambda text, at: _renamed(text, at, "no:" + at.name),
    "in another namespace": lambda text, at: _with_attribute(
        _renamed(text, at, "w:" + at.name.rpartition(":")[2]),
        replace(at, name="w:" + at.name.rpartition(":")[2]),
        'xmlns:w="urn:w"',
    ),
    "with a default namespace": lambda text, at: _with_attribute(text, at, 'xmlns="urn:w"'),
    "with an attribute": lambda text, at: _with_attribute(text, at, 'a="b"'),
    "nil": lambda text, at: _with_attribute(text, at, 'xsi:nil="true"'),
    "nil said wrongly": lambda text, at: _with_attribute(text, at, 'xsi:nil="TRUE"'),
    "typed": lambda text, at: _with_attribute(text, at, 'xsi:type="sf:Account"'),
    "typed strangely": lambda text, at: _with_attribute(text, at, 'xsi:type="a:b:User"'),
    "with text inside": lambda text, at: f"{text[: at.inside]}text{text[at.inside :]}",
    "with blanks inside": lambda text, at: f"{text[: at.inside]} \n\t{text[at.inside :]}",
    "with text after": lambda text, at: f"{text[: at.end]}text{text[at.end :]}",
    "with a no-break space after": lambda text, at: f"{text[: at.end]}\u00a0{text[at.end :]}",
    "with an element inside": lambda text, at: f"{text[: at.inside]}<sf:b/>{text[at.inside :]}",
    "with an instruction inside": lambda text, at: f"{text[: at.inside]}<?a b?>{text[at.inside :]}",
    "with a comment inside": lambda text, at: f"{text[: at.inside]}<!-- b -->{text[at.inside :]}",
    "with CDATA inside": lambda text, at: f"{text[: at.inside]}<![CDATA[]]>{text[at.inside :]}",
    "in a comment": lambda text, at: f"{text[: at.start]}<!--{text[at.start : at.end]}-->{text[at.end :]}",
    "in CDATA": lambda text, at: f"{text[: at.start]}<![CDATA[{text[at.start : at.end]}]]>{text[at.end :]}",
    "in an element": lambda text, at: (
        f"{text[: at.start]}<sf:w>{text[at.start : at.end]}</sf:w>{text[at.end :]}"
    ),
}


def damaged() -> Iterator[tuple[str, bytes]]:
    """Yield a message cut at every position, and with seeded damage of every kind."""
    good = message().encode()
    for position in range(len(good)):
        yield f"cut at {position}", good[:position]
    chance = random.Random(3)  # noqa: S311 - the same each time is the point
    for kind, damage in DAMAGES.items():
        for number in range(300):
            body = good
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                body = damage(body, chance)
            yield f"{kind} {number}", body


def _span(body: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(body) + 1)
    return start, min(len(body), start + chance.choice((1, 1, 2, 5, 20, 100)))


def _bit_flipped(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]


def _byte_changed(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body))
    return (
        body[:at]
        + chance.choice((chance.randbytes(1), b"<", b">", b"&", b'"', b"/", b" ", b":"))
        + body[at + 1 :]
    )


def _deleted(body: bytes, chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:start] + body[end:]


def _repeated(body: bytes, chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    return body[:end] + body[start:]


def _inserted(body: bytes, chance: random.Random) -> bytes:
    start, _ = _span(body, chance)
    piece = chance.choice(
        (
            b"<a/>",
            b"<!-- a -->",
            b"<?a?>",
            b"&lt;",
            b"&a;",
            b"]]>",
            b"\0",
            b"\xff",
            b" ",
            b"\n",
            b"x",
            b"<!DOCTYPE a>",
        )
    )
    return body[:start] + piece + body[start:]


def _swapped(body: bytes, chance: random.Random) -> bytes:
    (a, b), (c, d) = sorted((_span(body, chance), _span(body, chance)))
    return body if b > c else body[:a] + body[c:d] + body[b:c] + body[a:b] + body[d:]


def _copied_elsewhere(body: bytes, chance: random.Random) -> bytes:
    start, end = _span(body, chance)
    to, _ = _span(body, chance)
    return body[:to] + body[start:end] + body[to:]


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bit flipped": _bit_flipped,
    "byte changed": _byte_changed,
    "deleted": _deleted,
    "repeated": _repeated,
    "inserted": _inserted,
    "swapped": _swapped,
    "copied elsewhere": _copied_elsewhere,
}
