"""The grammar of VQL as far as the sandbox speaks it, and its parser.

query      = SELECT path {, path} FROM object [WHERE any] [ORDER BY order {, order}]
             [MAXROWS n] [SKIP n] [PAGESIZE n] [PAGEOFFSET n]
any        = all {OR all}                all   = simple {AND simple}
simple     = ( any ) | field operator value | field BETWEEN value AND value
           | field LIKE text | field CONTAINS ( value {, value} )
field      = path | CASEINSENSITIVE ( path )
order      = path [ASC | DESC]

Keywords have no case; names, values, `true`, `false` and `null` have one. IN takes no list of values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.vql.tokens import Token, glob, syntax_error, tokenize, unquoted

LONGEST_QUERY = 50_000
DEEPEST_NESTING = 50
LARGEST_NUMBER = 2**31 - 1
COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
_KEYWORDS = (
    "SELECT",
    "FROM",
    "WHERE",
    "AND",
    "OR",
    "ORDER",
    "MAXROWS",
    "SKIP",
    "PAGESIZE",
    "PAGEOFFSET",
    "BETWEEN",
    "LIKE",
    "CONTAINS",
    "IN",
)


@dataclass(frozen=True)
class Path:
    """A field, or a way to it: `email__sys`, `language__sysr.admin_key__sys`."""

    parts: tuple[str, ...]
    any_case: bool = False


@dataclass(frozen=True)
class Value:
    """A literal: its kind and what it stands for."""

    kind: Literal["text", "number", "boolean", "null"]
    text: str


@dataclass(frozen=True)
class Comparison:
    """`field operator values`: one value, two for BETWEEN, many for CONTAINS, a pattern for LIKE."""

    path: Path
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Combination:
    """Conditions that must all (AND) or any (OR) be true."""

    glue: Literal["AND", "OR"]
    terms: "tuple[Condition, ...]"


type Condition = Comparison | Combination


@dataclass(frozen=True)
class Order:
    """One ORDER BY term."""

    path: Path
    descending: bool


@dataclass(frozen=True)
class Query:
    """A parsed query. None stands for a clause that is not there."""

    fields: tuple[Path, ...]
    object_name: str
    where: Condition | None
    order: tuple[Order, ...]
    max_rows: int | None
    skip: int
    page_size: int | None
    page_offset: int


def parse(vql: str) -> Query:
    """Return the parsed query. Raises VaultError with INCORRECT_QUERY_SYNTAX_ERROR."""
    if len(vql) > LONGEST_QUERY:
        raise VaultError("INVALID_DATA", f"The query is longer than {LONGEST_QUERY} characters")
    return _Parser(vql).query()


class _Parser:
    def __init__(self, vql: str) -> None:
        self.tokens = tokenize(vql)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def unexpected(self) -> VaultError:
        return syntax_error(f"unexpected '{self.token.text[:40]}' at position {self.token.at + 1}")

    def take(self) -> Token:
        token = self.token
        self.place += token.kind != "end"
        return token

    def accept(self, *words: str) -> bool:
        if self.token.is_word(*words) or (self.token.kind == "sign" and self.token.text in words):
            self.place += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected()

    def separated[T](self, item: Callable[[], T]) -> tuple[T, ...]:
        items = [item()]
        while self.accept(","):
            items.append(item())
        return tuple(items)

    def query(self) -> Query:
        self.expect("SELECT")
        fields = self.separated(self.path)
        self.expect("FROM")
        (name,) = self.path().parts[:1]
        where = self.any() if self.accept("WHERE") else None
        order: tuple[Order, ...] = ()
        if self.accept("ORDER"):
            self.expect("BY")
            order = self.separated(self.order)
        max_rows = self.whole_number(1) if self.accept("MAXROWS") else None
        skip = self.whole_number(0) if self.accept("SKIP") else 0
        page_size = self.whole_number(1) if self.accept("PAGESIZE") else None
        page_offset = self.whole_number(0) if self.accept("PAGEOFFSET") else 0
        if self.token.kind != "end":
            raise self.unexpected()
        return Query(fields, name, where, order, max_rows, skip, page_size, page_offset)

    def path(self) -> Path:
        if self.token.kind != "word" or self.token.is_word(*_KEYWORDS):
            raise self.unexpected()
        return Path(tuple(self.take().text.split(".")))

    def any(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise syntax_error("the condition is nested too deeply")
        terms = [self.all()]
        while self.accept("OR"):
            terms.append(self.all())
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Combination("OR", tuple(terms))

    def all(self) -> Condition:
        terms = [self.simple()]
        while self.accept("AND"):
            terms.append(self.simple())
        return terms[0] if len(terms) == 1 else Combination("AND", tuple(terms))

    def simple(self) -> Condition:
        if self.accept("("):
            inner = self.any()
            self.expect(")")
            return inner
        path = self.field()
        if self.accept("BETWEEN"):
            first = self.value()
            self.expect("AND")
            return Comparison(path, "BETWEEN", (first, self.value()))
        if self.accept("CONTAINS"):
            self.expect("(")
            values = self.separated(self.value)
            self.expect(")")
            return Comparison(path, "CONTAINS", values)
        if self.accept("LIKE"):
            if self.token.kind != "text":
                raise self.unexpected()
            return Comparison(path, "LIKE", (Value("text", glob(self.take())),))
        if self.token.kind == "sign" and self.token.text in COMPARISONS:
            return Comparison(path, self.take().text, (self.value(),))
        raise self.unexpected()

    def field(self) -> Path:
        if self.token.is_word("CASEINSENSITIVE") and self.tokens[self.place + 1].text == "(":
            self.place += 2
            path = Path(self.path().parts, any_case=True)
            self.expect(")")
            return path
        return self.path()

    def value(self) -> Value:
        token = self.token
        if token.kind == "text":
            return Value("text", unquoted(self.take()))
        if token.kind == "number":
            return Value("number", self.take().text)
        if token.text in {"true", "false"}:
            return Value("boolean", self.take().text)
        if token.text == "null":
            return Value("null", self.take().text)
        raise self.unexpected()

    def order(self) -> Order:
        path = self.path()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        return Order(path, descending)

    def whole_number(self, least: int) -> int:
        digits = self.token.text
        if not digits.isdigit() or not least <= int(digits[:20]) <= LARGEST_NUMBER:
            raise self.unexpected()
        return int(self.take().text)
