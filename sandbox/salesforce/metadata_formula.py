"""Entry conditions of flows: the part of the formula language that tells created and changed records apart.

or       = and {|| and}            and     = compare {&& compare}
compare  = unary [= | == | <> | != unary]
unary    = ! unary | primary
primary  = ( or ) | AND(…) | OR(…) | NOT(…) | ISNEW() | ISCHANGED(field) | ISBLANK(value)
         | TRUE | FALSE | "text" | number | {!$Record.Field} | {!$Record__Prior.Field}
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sandbox.salesforce.schema import SObject
from sandbox.salesforce.values import Stored

type Row = Mapping[str, Stored]
type Evaluate = Callable[[Row | None, Row], Stored]

_TOKEN = re.compile(
    r"""\s+ | (?P<field>\{!\$Record(?:__Prior)?\.[A-Za-z_][A-Za-z0-9_.]*\})
      | (?P<text>"[^"]*"|'[^']*') | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]+) | (?P<sign>&&|\|\||<>|!=|==|[=!(),])""",
    re.VERBOSE | re.ASCII,
)
DEEPEST_NESTING = 50
LONGEST_FORMULA = 3900


class FormulaError(Exception):
    """A formula that Salesforce would not save, and why."""


@dataclass(frozen=True)
class Formula:
    """A formula that can be evaluated, and the functions and fields it uses."""

    evaluate: Evaluate
    functions: frozenset[str]
    fields: frozenset[str]

    def holds(self, before: Row | None, after: Row) -> bool:
        """Whether it is true of a record that was created (`before` is None) or changed."""
        return bool(self.evaluate(before, after))


@dataclass(frozen=True)
class _Part:
    evaluate: Evaluate
    kind: str  # Boolean, or anything else
    field: str | None = None


@lru_cache(maxsize=256)
def parse(formula: str) -> Formula:
    """Return the formula, not yet checked against an object's fields. Raises FormulaError."""
    if len(formula) > LONGEST_FORMULA:
        message = f"Formula is too long ({len(formula)} characters). Maximum length is {LONGEST_FORMULA}"
        raise FormulaError(f"{message} characters")
    parser = _Parser(formula)
    found = parser.either()
    if parser.token != ("end", ""):
        raise FormulaError("Syntax error")
    if found.kind not in {"Boolean", "Field"}:
        message = (
            f"Formula result is data type ({found.kind}), incompatible with expected data type (Boolean)."
        )
        raise FormulaError(message)
    return Formula(found.evaluate, frozenset(parser.functions), frozenset(parser.fields))


def check(formula: Formula, sobject: SObject) -> None:
    """Raise FormulaError for a field that the object does not have."""
    for name in sorted(formula.fields):
        if sobject.field(name) is None:
            raise FormulaError(f"Field {name} does not exist. Check spelling.")


class _Parser:
    def __init__(self, formula: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.place = 0
        self.depth = 0
        self.functions: set[str] = set()
        self.fields: set[str] = set()
        at = 0
        while at < len(formula):
            match = _TOKEN.match(formula, at)
            if match is None:
                raise FormulaError("Syntax error")
            if match.lastgroup:
                self.tokens.append((match.lastgroup, match[0]))
            at = match.end()

    @property
    def token(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def accept(self, *signs: str) -> str | None:
        kind, text = self.token
        if kind != "sign" or text not in signs:
            return None
        self.place += 1
        return text

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise FormulaError(f"Syntax error. Missing '{sign}'")

    def either(self) -> _Part:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise FormulaError("Formula is too complex")
        parts = [self.both()]
        while self.accept("||"):
            parts.append(self.both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else self.any_of(parts, "||")

    def both(self) -> _Part:
        parts = [self.compared()]
        while self.accept("&&"):
            parts.append(self.compared())
        return parts[0] if len(parts) == 1 else self.all_of(parts, "&&")

    def compared(self) -> _Part:
        left = self.unary()
        sign = self.accept("=", "==", "<>", "!=")
        if sign is None:
            return left
        right = self.unary()
        same = sign in {"=", "=="}
        return _Part(
            lambda before, after: (
                (_plain(left.evaluate(before, after)) == _plain(right.evaluate(before, after))) == same
            ),
            "Boolean",
        )

    def unary(self) -> _Part:
        marks = 0
        while self.accept("!"):
            marks += 1
        part = self.primary()
        return self.negated(part, "!", keep=marks % 2 == 0) if marks else part

    def primary(self) -> _Part:
        kind, text = self.token
        self.place += 1
        match kind:
            case "sign" if text == "(":
                inner = self.either()
                self.expect(")")
                return inner
            case "text":
                return _Part(lambda before, after: text[1:-1], "Text")
            case "number":
                return _Part(lambda before, after: float(text), "Number")
            case "field":
                return self.field(text)
            case "word" if text.upper() in {"TRUE", "FALSE"}:
                return _Part(lambda before, after: text.upper() == "TRUE", "Boolean")
            case "word":
                return self.call(text.upper())
        raise FormulaError("Syntax error")

    def field(self, text: str) -> _Part:
        scope, _, name = text[3:-1].partition(".")
        self.fields.add(name)
        if scope == "Record__Prior":
            return _Part(lambda before, after: None if before is None else _of(before, name), "Field")
        return _Part(lambda before, after: _of(after, name), "Field", name)

    def call(self, name: str) -> _Part:
        self.expect("(")
        arguments: list[_Part] = []
        if not self.accept(")"):
            arguments.append(self.either())
            while self.accept(","):
                arguments.append(self.either())
            self.expect(")")
        self.functions.add(name)
        match name, arguments:
            case "AND", [_, *_]:
                return self.all_of(arguments, "AND()")
            case "OR", [_, *_]:
                return self.any_of(arguments, "OR()")
            case "NOT", [only]:
                return self.negated(only, "NOT()")
            case "ISNEW", []:
                return _Part(lambda before, after: before is None, "Boolean")
            case "ISBLANK", [only]:
                return _Part(lambda before, after: only.evaluate(before, after) in {None, ""}, "Boolean")
            case "ISCHANGED", [_Part(field=str() as field)]:
                return _Part(
                    lambda before, after: before is not None and _of(before, field) != _of(after, field),
                    "Boolean",
                )
            case (("AND" | "OR" | "NOT" | "ISNEW" | "ISBLANK" | "ISCHANGED"), _):
                raise FormulaError(f"Incorrect parameter for function '{name}()'")
        raise FormulaError(f"Unknown function {name}. Check spelling.")

    def all_of(self, parts: list[_Part], name: str) -> _Part:
        _need_booleans(parts, name)
        return _Part(lambda before, after: all(each.evaluate(before, after) for each in parts), "Boolean")

    def any_of(self, parts: list[_Part], name: str) -> _Part:
        _need_booleans(parts, name)
        return _Part(lambda before, after: any(each.evaluate(before, after) for each in parts), "Boolean")

    def negated(self, part: _Part, name: str, *, keep: bool = False) -> _Part:
        _need_booleans([part], name)
        return _Part(lambda before, after: bool(part.evaluate(before, after)) == keep, "Boolean")


def _need_booleans(parts: list[_Part], name: str) -> None:
    for part in parts:
        if part.kind not in {"Boolean", "Field"}:
            raise FormulaError(
                f"Incorrect parameter type for function '{name}'. Expected Boolean, received {part.kind}"
            )


def _of(row: Row, name: str) -> Stored:
    """Return a field's value whatever the case of its name."""
    if name in row:
        return row[name]
    return next((row[each] for each in row if each.lower() == name.lower()), None)


def _plain(value: Stored) -> Stored:
    return "" if value is None else value
