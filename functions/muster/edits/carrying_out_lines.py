"""A CSV file carried out line by line, a part of it in each call where it is long (A11, G6, Q3).

All lines are read and checked, and all members looked up, before anything is written. Each line is then
judged by itself, like a change of an event; so the same file again changes nothing that is done already, and
a call that was cut short can be sent again from any line.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from muster.edits import answers
from muster.edits.answers import Done, Sums
from muster.edits.changing_members import Members, each_by_itself
from muster.edits.csv_lines import Lines
from muster.errors import Problem, Rejected
from muster.roster.links import same_text
from muster.roster.member import Json

# So many lines are looked up, carried out and forgotten at a time.
CHUNK = 500
# What a chunk takes at the most, with the seats that it frees for those in line.
RESERVE_S = 90.0


@dataclass(frozen=True, slots=True)
class Part:
    """What part of a file a call works on: from which line, and for how long; `detail`: what it answers.

    `time_left` returns the seconds that are left for the call.
    """

    time_left: Callable[[], float]
    from_line: int | None = None
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Work[Request]:
    """How the lines of a file are understood and carried out.

    `read` returns a request or raises `Rejected`; `references` the members that it names, the one that it is
    about first; `topic` is what a second request about the same member may not be about again; `carry_out`
    does some, by line number.
    """

    read: Callable[[Json], Request]
    references: Callable[[Request], Sequence[str]]
    topic: Callable[[Request], Hashable]
    carry_out: Callable[[Mapping[int, Request]], Done]


def carry_out_lines[Request](
    lines: Lines, work: Work[Request], members: Members, run: str, part: Part
) -> Json:
    """Carry out the lines from `part.from_line` on until the time is nearly up; return the answer.

    At least one chunk is carried out. Raises `Rejected`, and `Unavailable` where the table is down: what was
    done before that stays done.
    """
    first = _first(lines, part)
    requests, refused = each_by_itself(lines.requests, lambda _, each: work.read(each))
    refused |= lines.unreadable
    refused |= _twice(requests, work, members)
    to_do = [number for number in requests if number >= first and number not in refused]
    sums = Sums(lines, part.detail)
    following = None
    for place, some in enumerate(batched(to_do, CHUNK, strict=False)):
        if place and part.time_left() < RESERVE_S:
            following = some[0]
            break
        chunk = {number: requests[number] for number in some}
        members.forget()
        members.look_up(_named(chunk.values(), work))
        sums.add(work.carry_out(chunk))
    refused = {n: why for n, why in refused.items() if n >= first and (following is None or n < following)}
    sums.add(Done({}, frozenset(), refused))
    return answers.of_lines(sums, run, part.from_line, following, preview=members.preview)


def _first(lines: Lines, part: Part) -> int:
    """Return the first line to carry out; raises `Rejected` where there is none."""
    last = max((*lines.requests, *lines.unreadable))
    if part.from_line is not None and part.from_line > last:
        remedy = "Everything is done; leave from_line out to begin again."
        raise Rejected(Problem("from_line", f"is after the last line that says something, {last}", remedy))
    return part.from_line or 1


def _twice[Request](
    requests: Mapping[int, Request], work: Work[Request], members: Members
) -> dict[int, Rejected]:
    """Return the lines about what another line is about, too, whatever they call the member."""
    about: dict[Hashable, list[int]] = {}
    for some in batched(requests, CHUNK, strict=False):
        members.forget()
        members.look_up(_named((requests[number] for number in some), work))
        for number in some:
            reference = work.references(requests[number])[0]
            member = members.id_of(reference) or same_text(reference.strip())
            about.setdefault((member, work.topic(requests[number])), []).append(number)
    return {
        number: Rejected(_other_line(numbers[1] if number == numbers[0] else numbers[0]))
        for numbers in about.values()
        if len(numbers) > 1
        for number in numbers
    }


def _other_line(number: int) -> Problem:
    remedy = "Keep the one that is meant; none of them is carried out."
    return Problem("", f"is about the same as line {number}", remedy)


def _named[Request](requests: Iterable[Request], work: Work[Request]) -> list[str]:
    return [reference for request in requests for reference in work.references(request)]
