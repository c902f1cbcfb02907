"""The grammar of SOQL as far as the sandbox speaks it, and its parser.

query      = SELECT fields FROM object [alias] [WHERE condition] [ORDER BY order {, order}]
             [LIMIT n] [OFFSET n]
fields     = COUNT() | field {, field}          field = path | FIELDS(ALL | STANDARD | CUSTOM)
condition  = NOT simple | simple {AND simple} | simple {OR simple}
simple     = ( condition ) | path operator value | path [NOT] IN ( value {, value} | query )
order      = path [ASC | DESC] [NULLS FIRST | LAST]

As in Salesforce, AND, OR and NOT cannot be mixed without parentheses: `a AND NOT b` is an unexpected token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.soql.tokens import Token, query_error, tokenize, unquoted

DEEPEST_NESTING = 50
LARGEST_OFFSET = 2000
LONGEST_QUERY = 100_000
COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
_CLAUSES = (
    "WHERE",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "GROUP",
    "HAVING",
    "WITH",
    "FOR",
    "USING",
    "ALL",
    "UPDATE",
    "VIEW",
)
_FIELD_SETS = ("ALL", "STANDARD", "CUSTOM")


@dataclass(frozen=True)
class Path:
    """A field, or a way to it through relationships: `Email`, `Manager.Email`."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class FieldSet:
    """`FIELDS(ALL)` and its like."""

    name: str
    at: int


@dataclass(frozen=True)
class Value:
    """A literal: its kind, its text as it stands for, and for LIKE its pattern."""

    kind: Literal["text", "number", "boolean", "null", "date", "datetime", "date_literal"]
    text: str
    at: int
    pattern: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Comparison:
    """`path operator value`, with LIKE as one of the operators."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    """`path [NOT] IN (…)`: in literals, or in what another query finds."""

    path: Path
    negated: bool
    among: "tuple[Value, ...] | Query"


@dataclass(frozen=True)
class Combination:
    """Conditions that must all (AND) or any (OR) be true."""

    glue: Literal["AND", "OR"]
    terms: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Negation:
    """A condition that must not be true."""

    term: "Condition"


@dataclass(frozen=True)
class Parentheses:
    """A condition in parentheses of its own."""

    term: "Condition"


type Condition = Comparison | Membership | Combination | Negation | Parentheses


@dataclass(frozen=True)
class Order:
    """One ORDER BY term. Nulls come first unless the query says otherwise."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A parsed query. An empty `fields` stands for COUNT()."""

    soql: str
    fields: tuple[Path | FieldSet, ...]
    object_name: str
    object_at: int
    alias: str | None
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int


def parse(soql: str) -> Query:
    """Return the parsed query. Raises SalesforceError with MALFORMED_QUERY and the place."""
    if len(soql) > LONGEST_QUERY:
        message = f"SOQL statements can not be longer than {LONGEST_QUERY} characters"
        raise SalesforceError(400, "MALFORMED_QUERY", message)
    parser = _Parser(soql)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, soql: str) -> None:
        self.soql = soql
        self.tokens = tokenize(soql)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def unexpected(self) -> SalesforceError:
        return query_error(self.soql, self.token.at, f"unexpected token: '{self.token.text}'")

    def take(self) -> Token:
        token = self.token
        self.place += token.kind != "end"
        return token

    def accept(self, *words: str) -> bool:
        if self.token.is_word(*words) or (self.token.kind == "sign" and self.token.text in words):
            self.place += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def expect_end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected()

    def separated[T](self, item: Callable[[], T]) -> tuple[T, ...]:
        items = [item()]
        while self.accept(","):
            items.append(item())
        return tuple(items)

    def query(self) -> Query:
        self.expect("SELECT")
        fields = self.fields()
        self.expect("FROM")
        object_token = self.word()
        alias = None
        if self.token.kind == "word" and not self.token.is_word(*_CLAUSES):
            alias = self.take().text
        where = self.condition() if self.accept("WHERE") else None
        order: tuple[Order, ...] = ()
        if self.accept("ORDER"):
            self.expect("BY")
            order = self.separated(self.order)
        limit = self.whole_number() if self.accept("LIMIT") else None
        offset = 0
        if self.accept("OFFSET"):
            at = self.token.at
            offset = self.whole_number()
            if offset > LARGEST_OFFSET:
                message = f"Maximum SOQL offset allowed is {LARGEST_OFFSET}"
                raise query_error(self.soql, at, message, "NUMBER_OUTSIDE_VALID_RANGE")
        name, at = object_token.text, object_token.at
        return Query(self.soql, fields, name, at, alias, where, order, limit, offset)

    def fields(self) -> tuple[Path | FieldSet, ...]:
        if self.token.is_word("COUNT") and self.tokens[self.place + 1].text == "(":
            self.expect("COUNT", "(", ")")
            return ()
        return self.separated(self.field)

    def field(self) -> Path | FieldSet:
        at = self.token.at
        if self.token.is_word("FIELDS") and self.tokens[self.place + 1].text == "(":
            self.expect("FIELDS", "(")
            name = self.take().text.upper()
            if name not in _FIELD_SETS:
                raise query_error(self.soql, at, f"FIELDS takes one of {', '.join(_FIELD_SETS)}")
            self.expect(")")
            return FieldSet(name, at)
        return self.path()

    def word(self) -> Token:
        if self.token.kind != "word" or self.token.is_word("SELECT", "FROM", "AND", "OR", "NOT", *_CLAUSES):
            raise self.unexpected()
        return self.take()

    def path(self) -> Path:
        token = self.word()
        return Path(tuple(token.text.split(".")), token.at)

    def condition(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise query_error(
                self.soql, self.token.at, "the condition is nested too deeply", "QUERY_TOO_COMPLICATED"
            )
        if self.accept("NOT"):
            found: Condition = Negation(self.simple())
        else:
            found = self.simple()
            for glue in ("AND", "OR"):
                if self.token.is_word(glue):
                    terms = [found]
                    while self.accept(glue):
                        terms.append(self.simple())
                    found = Combination("AND" if glue == "AND" else "OR", tuple(terms))
                    break
        if self.token.is_word("AND", "OR", "NOT"):
            raise self.unexpected()
        self.depth -= 1
        return found

    def simple(self) -> Condition:
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return Parentheses(inner)
        path = self.path()
        if self.accept("NOT"):
            self.expect("IN")
            return Membership(path, True, self.among())
        if self.accept("IN"):
            return Membership(path, False, self.among())
        if self.token.is_word("LIKE") or (self.token.kind == "sign" and self.token.text in COMPARISONS):
            operator = self.take().text.upper().replace("<>", "!=")
            return Comparison(path, operator, self.value())
        raise self.unexpected()

    def among(self) -> "tuple[Value, ...] | Query":
        self.expect("(")
        among = self.query() if self.token.is_word("SELECT") else self.separated(self.value)
        self.expect(")")
        return among

    def value(self) -> Value:
        token = self.take()
        match token.kind:
            case "text":
                pattern = unquoted(self.soql, token, for_like=True)
                return Value("text", unquoted(self.soql, token), token.at, pattern)
            case "number":
                return Value("number", token.text, token.at)
            case "date":
                return Value("date", token.text, token.at)
            case "datetime":
                return Value("datetime", token.text, token.at)
            case "word" if token.is_word("TRUE", "FALSE"):
                return Value("boolean", token.text.lower(), token.at)
            case "word" if token.is_word("NULL"):
                return Value("null", "null", token.at)
            case "word" if "." not in token.text:
                count = self.whole_number() if self.accept(":") else None
                return Value("date_literal", token.text.upper(), token.at, count=count)
        raise query_error(self.soql, token.at, f"unexpected token: '{token.text}'")

    def order(self) -> Order:
        path = self.path()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        nulls_last = False
        if self.accept("NULLS"):
            nulls_last = self.accept("LAST")
            if not nulls_last:
                self.expect("FIRST")
        return Order(path, descending, nulls_last)

    def whole_number(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise self.unexpected()
        return int(self.take().text)
