"""The parts of a parsed query."""

from dataclasses import dataclass
from typing import Literal


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
class Call:
    """`function(path) operator value`; the function's name is in capitals."""

    name: str
    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class Distance:
    """`DISTANCE(address, GEOLOCATION(latitude, longitude), unit) operator value`."""

    address: Path
    latitude: float
    longitude: float
    unit: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Inclusion:
    """`path INCLUDES (…)` or EXCLUDES: of the values of a multi-select picklist, `A;B` for both."""

    path: Path
    excluded: bool
    among: tuple[Value, ...]


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


type Condition = Comparison | Membership | Call | Distance | Inclusion | Combination | Negation | Parentheses


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
