"""What is answered about changes made by hand: of an event's list, or of the lines of a CSV file (Q3).

However many lines a file has, the answer about them stays small. Pure: no I/O.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from muster.edits.csv_lines import Lines
from muster.errors import Problem, Rejected
from muster.presentation.lines import MOST, at_most, counted
from muster.roster.member import Json

# So many results and problems of a file are answered, and so many where detail is asked for.
MOST_SHOWN = 20
MOST_IN_DETAIL = 500
# So many of the short lines are left for what was done, where there are problems as well.
_FOR_CHANGES = 8
# So many changed attributes of a member are named in a short line.
_NAMED = 4
# As much of what a line calls its member is repeated as tells who is meant.
_QUOTED = 100
# What goes with an attribute and says nothing by itself.
_BESIDE = frozenset({"origin", "rank", "since"})


@dataclass(frozen=True, slots=True)
class Done:
    """What came of some changes: by place, the results, which of them changed something, and the refused."""

    results: Mapping[int, Json]
    changed: frozenset[int]
    refused: Mapping[int, Rejected]

    @property
    def is_anything(self) -> bool:
        """Whether there was any change at all."""
        return bool(self.results or self.refused)

    def and_of(self, others: "Done") -> "Done":
        """Return what came of these changes and of others."""
        results = {**self.results, **others.results}
        return Done(results, self.changed | others.changed, {**self.refused, **others.refused})

    def counts(self) -> dict[str, int]:
        """Return how many there were of each kind."""
        changed, refused = len(self.changed), len(self.refused)
        return {"changed": changed, "unchanged": len(self.results) - changed, "refused": refused}


# What was done to one and to several, in words; and what would be, in a preview.
MADE = ("change was made", "changes were made")
WOULD_BE_MADE = ("change would be made", "changes would be made")


def answer(name: str, done: Done, run: str, made: tuple[str, str] = MADE, *, preview: bool = False) -> Json:
    """Return the answer to a call: `{status, message, run, counts, results, errors}`.

    `name` is the event's list, `made` what was done to one and to several, in words.
    """
    refused = done.refused
    errors = [problem for place in sorted(refused) for problem in _at(f"{name}[{place}]", refused[place])]
    status = "succeeded_with_errors" if errors else "succeeded"
    message = f"{errors[0].where} {errors[0].message}." if len(errors) == 1 and not done.results else ""
    return {
        "status": status if done.results else "rejected",
        "message": message or f"{_in_words(done.counts(), WOULD_BE_MADE if preview else made)}.",
        **({"preview": True} if preview else {}),
        "run": run,
        "counts": done.counts(),
        "results": [{"where": f"{name}[{place}]", **result} for place, result in done.results.items()],
        "errors": [asdict(problem) for problem in errors],
    }


def of_accounts(places: Mapping[int, str], done: Done, run: str, which: str, preview: bool) -> Json:
    """Return the answer about all accounts that stand so: `{status, message, run, counts, results, errors}`.

    `places` are the members found, in words; of the last of them nothing is done yet if the time was up.
    `which` are the accounts, in words.
    """
    refused = [(place, problem) for place in sorted(done.refused) for problem in done.refused[place].problems]
    left = len(places) - len(done.results) - len(done.refused)
    sentences = [f"{_in_words(done.counts(), WOULD_BE_MADE if preview else MADE)}."]
    if not places:
        sentences = [f"Nobody has {which}."]
    if left:
        again = "name some with members to see more" if preview else "send the same event again"
        sentences.append(f"The time was up: {left:,} more have {which}; {again}.")
    status = "succeeded_with_errors" if refused else "succeeded"
    if places and not done.results:
        status = "rejected"
    elif left and done.changed and not preview:
        status = "continue"
    return {
        "status": status,
        "message": " ".join(sentences),
        **({"preview": True} if preview else {}),
        "run": run,
        "counts": done.counts(),
        "results": [
            {"where": places[place], **result}
            for place, result in islice(done.results.items(), MOST_IN_DETAIL)
        ],
        "errors": [
            asdict(replace(problem, where=f"{places[place]}, {problem.where}"))
            for place, problem in refused[:MOST_IN_DETAIL]
        ],
    }


def _in_words(counts: Mapping[str, int], made: tuple[str, str]) -> str:
    """Return `counts` of changes in words."""
    same, refused = counts["unchanged"], counts["refused"]
    parts = [counted(counts["changed"], *made)]
    parts += [f"{same:,} {'was' if same == 1 else 'were'} already so"] if same else []
    parts += [f"{refused:,} {'was' if refused == 1 else 'were'} refused"] if refused else []
    return ", ".join(parts)


def _at(place: str, error: Rejected) -> list[Problem]:
    """Return the problems of one change, each with its place in the event."""
    return [
        replace(problem, where=f"{place}{'' if problem.where[:1] in ('', '[') else '.'}{problem.where}")
        for problem in error.problems
    ]


def counts_of(said: Json) -> dict[str, int]:
    """Return the counts of an answer, for metrics: of a preview none, of a rejected event its problems."""
    if said.get("preview"):
        return {"changed": 0, "unchanged": 0, "refused": 0}
    return {"changed": 0, "unchanged": 0, "refused": len(said.get("errors", ())), **said.get("counts", {})}


@dataclass(slots=True)
class Sums:
    """What came of the lines of a file so far, and the first few that were done; `detail`: more of them."""

    lines: Lines
    detail: bool
    results: dict[int, Json] = field(default_factory=dict)
    refused: dict[int, Rejected] = field(default_factory=dict)
    changed: int = 0
    unchanged: int = 0
    _said: list[str] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """Count what came of some lines, and keep the first."""
        self.changed += len(done.changed)
        self.unchanged += len(done.results) - len(done.changed)
        self.refused |= done.refused
        for number, result in done.results.items():
            if len(self.results) < self.most():
                self.results[number] = result
            if number in done.changed and len(self._said) < MOST:
                self._said.append(f"~ {self._line(number)}: {_said(result)}")

    def counts(self) -> dict[str, int]:
        """Return how many lines there are of each kind."""
        return {"changed": self.changed, "unchanged": self.unchanged, "refused": len(self.refused)}

    def problems(self) -> Iterator[tuple[int, Problem]]:
        """Yield what is wrong, by line number."""
        for number in sorted(self.refused):
            for problem in self.refused[number].problems:
                yield number, problem

    def most(self) -> int:
        """Return how many results and problems are answered."""
        return MOST_IN_DETAIL if self.detail else MOST_SHOWN

    def in_lines(self) -> list[str]:
        """Return the first lines in words, the refused before the others."""
        wrong = [f"! {self._wrong(number, problem)}" for number, problem in self.problems()]
        problems = at_most(wrong, MOST - min(self.changed, _FOR_CHANGES))
        return [*problems, *at_most(self._said, MOST - len(problems), self.changed)]

    def _line(self, number: int) -> str:
        who = self._who(number)
        return f"line {number}, {who}" if who else f"line {number}"

    def _who(self, number: int) -> str | None:
        who: str | None = self.lines.requests.get(number, {}).get("member")
        return who and who[:_QUOTED]

    def _wrong(self, number: int, problem: Problem) -> str:
        """Return whose line is wrong, unless the problem itself quotes that; what is, and what to do."""
        quoted = repr(self._who(number)) in problem.message
        line = f"line {number}" if quoted else self._line(number)
        return f"{line}: {f'{problem.where} {problem.message}'.strip()}. {problem.remedy}"


def of_lines(sums: Sums, run: str, first: int | None, following: int | None, *, preview: bool) -> Json:
    """Return the answer about a file: `{status, message, from_line?, run, counts, lines, results, errors}`.

    The call began with line `first`; `following` is the line to go on with, `None` at the end.
    """
    counts, total = sums.counts(), len(sums.lines)
    good = counts["changed"] + counts["unchanged"]
    of = f"{good:,} of {counted(total, 'line')}" + (f", from line {first} on" if first else "")
    sentences = [f"{of}: {_in_words(counts, WOULD_BE_MADE if preview else MADE)}."]
    if sums.lines.empty:
        sentences.append(f"{counted(sums.lines.empty, 'other line asks', 'other lines ask')} for nothing.")
    if following:
        sentences.append(f"The time was up: send the same event again with from_line {following}.")
    status = "succeeded_with_errors" if counts["refused"] else "succeeded"
    if following:
        status = "continue"
    elif not good and not first:
        status = "rejected"
    return {
        "status": status,
        "message": " ".join(sentences),
        **({"preview": True} if preview else {}),
        **({"from_line": following} if following else {}),
        "run": run,
        "counts": {"lines": total, **counts},
        "lines": sums.in_lines(),
        "results": [{"where": f"line {number}", **result} for number, result in sums.results.items()],
        "errors": [
            asdict(replace(problem, where=_where(number, problem.where)))
            for number, problem in islice(sums.problems(), sums.most())
        ],
    }


def _where(number: int, where: str) -> str:
    return f"line {number}, {where}" if where else f"line {number}"


def _said(result: Json) -> str:
    """Return what a result says: which attributes change, and its note."""
    changed = [each for each in result.get("changed", ()) if not _BESIDE & {*each["field"].split(".")}]
    parts = [
        f"{each['field']} {_value(each['before'])} → {_value(each['after'])}" for each in changed[:_NAMED]
    ]
    parts += [f"{len(changed) - _NAMED} more"] if len(changed) > _NAMED else []
    feature = f"{result['feature']} {_value(result['request'])}" if "feature" in result else ""
    said = ", ".join(parts) or feature
    return f"{said}. {result['note']}" if result.get("note") else said


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)
