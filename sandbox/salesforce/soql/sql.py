"""Turns a parsed query into SQLite, with every value as a parameter and every name from the schema.

SOQL has two truth values: a comparison with a null is false, except that `!=` and NOT IN hold for nulls, and
a null checkbox is an unticked one. SQL's third value is turned into false wherever a NOT would see it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.schema import ID_TYPES, STRING_TYPES, Field, Schema, SObject
from sandbox.salesforce.soql import semi_joins
from sandbox.salesforce.soql.dates import stretch_of
from sandbox.salesforce.soql.grammar import (
    Combination,
    Comparison,
    Condition,
    FieldSet,
    Membership,
    Negation,
    Parentheses,
    Path,
    Query,
    Value,
)
from sandbox.salesforce.soql.tokens import query_error
from sandbox.salesforce.store import VANISHED
from sandbox.salesforce.values import Stored, is_date, read_instant

LONGEST_WAY_UP = 5
LARGEST_FIELDS_LIMIT = 200
_HINT = (
    " If you are attempting to use a custom {kind}, be sure to append the '{suffix}' after the {named} name."
    " Please reference your WSDL or the describe call for the appropriate names."
)
_OBJECT_HINT = _HINT.format(kind="object", suffix="__c", named="entity")
_FIELD_HINT = _HINT.format(kind="field", suffix="__c", named="custom field")
_RELATIONSHIP_HINT = _HINT.format(kind="relationship", suffix="__r", named="custom relationship")


@dataclass(frozen=True)
class Column:
    """A selected field: the names of the relationships to it, the objects passed, and where SQL finds it."""

    relationships: tuple[str, ...]
    objects: tuple[SObject, ...]
    field: Field
    sql: str


@dataclass(frozen=True)
class Translation:
    """A query in SQL: one statement for the ids it finds, and one for the columns of given ids.

    A row of `rows_sql` has the ids of the record and its parents first, in the order of `ways` (the
    relationships passed on the way up, in lower case), then the columns.
    """

    sobject: SObject
    columns: tuple[Column, ...]
    is_count: bool
    ways: tuple[tuple[str, ...], ...]
    ids_sql: str
    parameters: tuple[Stored, ...]
    rows_sql: str


def translate(query: Query, schema: Schema, now: datetime) -> Translation:
    """Return the query in SQL. `rows_sql` takes the ids as a JSON array. Raises SalesforceError."""
    semi_joins.check(query)
    translator = _Translator(query, schema, now)
    columns = translator.columns()
    ids_sql = translator.select(f"{translator.root}.Id")
    # The parents' ids come along: they tell a null field from a missing parent.
    keys = [f"{alias}.Id" for alias in translator.aliases.values()]
    names = ", ".join([*keys, *(column.sql for column in columns)])
    wanted = f"{translator.root}.Id IN (SELECT value FROM json_each(?))"  # noqa: S608  # no text from outside
    rows_sql = f"SELECT {names} {translator.source()} AND {wanted}"
    ways = tuple(translator.aliases)
    parameters = tuple(translator.parameters)
    return Translation(translator.sobject, columns, not query.fields, ways, ids_sql, parameters, rows_sql)


class _Translator:
    def __init__(self, query: Query, schema: Schema, now: datetime, depth: int = 0) -> None:
        self.query = query
        self.schema = schema
        self.now = now
        self.depth = depth
        self.root = f"t{depth}"
        self.parameters: list[Stored] = []
        self.joins: list[str] = []
        # From the relationships passed on the way up, in lower case, to the alias of the table reached.
        self.aliases: dict[tuple[str, ...], str] = {(): self.root}
        sobject = schema.object(query.object_name)
        if sobject is None:
            message = f"sObject type '{query.object_name}' is not supported." + _OBJECT_HINT
            raise self.error(query.object_at, message, "INVALID_TYPE")
        self.sobject = sobject

    def error(self, at: int, message: str, code: str = "INVALID_FIELD") -> SalesforceError:
        return query_error(self.query.soql, at, message, code)

    def columns(self) -> tuple[Column, ...]:
        paths: list[Path] = []
        for item in self.query.fields:
            paths += self.field_set(item) if isinstance(item, FieldSet) else [item]
        columns: list[Column] = []
        for path in paths:
            column = self.column(path)
            if any(column.field == each.field and column.sql == each.sql for each in columns):
                raise self.error(path.at, f"duplicate field selected: {column.field.name}")
            columns.append(column)
        return tuple(columns)

    def field_set(self, item: FieldSet) -> list[Path]:
        limit = self.query.limit
        if item.name != "STANDARD" and (limit is None or limit > LARGEST_FIELDS_LIMIT):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {LARGEST_FIELDS_LIMIT}"
            raise self.error(item.at, message, "MALFORMED_QUERY")
        wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}[item.name]
        return [Path((field.name,), item.at) for field in self.sobject.fields if field.custom in wanted]

    def column(self, path: Path) -> Column:
        parts = list(path.parts)
        if len(parts) > 1 and parts[0].lower() in {
            (self.query.alias or "").lower(),
            self.sobject.name.lower(),
        }:
            parts.pop(0)
        if len(parts) - 1 > LONGEST_WAY_UP:
            raise self.error(
                path.at, f"a field path can go up {LONGEST_WAY_UP} levels at most", "MALFORMED_QUERY"
            )
        passed = [self.sobject]
        names: list[str] = []
        alias = self.root
        for part in parts[:-1]:
            reference = passed[-1].relationship(part)
            parent = self.schema.object(reference.reference_to or "") if reference else None
            if reference is None or parent is None:
                message = f"Didn't understand relationship '{part}' in field path."
                raise self.error(path.at, message + _RELATIONSHIP_HINT)
            names.append(str(reference.relationship))
            alias = self.join(tuple(name.lower() for name in names), alias, reference, parent)
            passed.append(parent)
        field = passed[-1].field(parts[-1])
        if field is None:
            message = f"No such column '{parts[-1]}' on entity '{passed[-1].name}'."
            raise self.error(path.at, message + _FIELD_HINT)
        return Column(tuple(names), tuple(passed), field, f'{alias}."{field.name}"')

    def join(self, way: tuple[str, ...], child: str, reference: Field, parent: SObject) -> str:
        if way not in self.aliases:
            alias = f"{self.root}_{len(self.aliases)}"
            self.aliases[way] = alias
            same = f'{alias}.Id = {child}."{reference.name}" AND NOT {alias}.{VANISHED}'
            self.joins.append(f'LEFT JOIN "{parent.name}" {alias} ON {same}')
        return self.aliases[way]

    def source(self) -> str:
        """Return the tables and the beginning of the condition: what vanished is neither found nor joined."""
        tables = [f'FROM "{self.sobject.name}" {self.root}', *self.joins]
        return " ".join([*tables, f"WHERE NOT {self.root}.{VANISHED}"])

    def select(self, what: str) -> str:
        """Return the statement that finds the rows; the condition first, since it adds the joins."""
        where = self.condition(self.query.where) if self.query.where else "TRUE"
        order = [
            f"{self.column(each.path).sql} {'DESC' if each.descending else 'ASC'}"
            f" NULLS {'LAST' if each.nulls_last else 'FIRST'}"
            for each in self.query.order
        ]
        # Salesforce promises no order without ORDER BY; here it is stable.
        ordered = ", ".join([*order, f"{self.root}.Id"])
        limit = -1 if self.query.limit is None else self.query.limit
        self.parameters += [limit, self.query.offset]
        found = f"SELECT {what} {self.source()} AND ({where})"
        return f"{found} ORDER BY {ordered} LIMIT ? OFFSET ?"

    def condition(self, condition: Condition) -> str:
        match condition:
            case Combination(glue, terms):
                return _balanced([self.condition(term) for term in terms], glue)
            case Negation(term):
                return f"(({self.condition(term)}) IS NOT TRUE)"
            case Parentheses(term):
                return self.condition(term)
            case Membership():
                return self.membership(condition)
            case Comparison():
                return self.comparison(condition)

    def filtered(self, path: Path) -> Column:
        column = self.column(path)
        if not column.field.filterable:
            raise self.error(path.at, f"field '{column.field.name}' can not be filtered in a query call")
        return column

    def comparison(self, comparison: Comparison) -> str:
        column = self.filtered(comparison.path)
        operator, value = comparison.operator, comparison.value
        if operator == "LIKE":
            return self.like(column, value)
        is_equality = operator in {"=", "!="}
        if column.field.type == "boolean" and not is_equality:
            raise self.error(
                comparison.path.at, "invalid operator on boolean field", "INVALID_QUERY_FILTER_OPERATOR"
            )
        if value.kind == "date_literal":
            return self.within(column, operator, value)
        stored = self.stored(column.field, value)
        if stored is None and not is_equality:
            raise self.error(
                value.at, f"invalid operator {operator} with null", "INVALID_QUERY_FILTER_OPERATOR"
            )
        self.parameters.append(stored)
        if is_equality:
            sql = f"IFNULL({column.sql}, 0)" if column.field.type == "boolean" else column.sql
            return f"{sql} {'IS' if operator == '=' else 'IS NOT'} ?"
        return f"{column.sql} {operator} ?"

    def like(self, column: Column, value: Value) -> str:
        if column.field.type not in STRING_TYPES:
            kind = "id" if column.field.type in ID_TYPES else column.field.type
            raise self.error(value.at, f"invalid operator on {kind} field", "INVALID_QUERY_FILTER_OPERATOR")
        self.stored(column.field, value)  # for its check of the literal's kind
        self.parameters.append(value.pattern)
        return f"soql_like(?, {column.sql})"

    def within(self, column: Column, operator: str, value: Value) -> str:
        stretch = stretch_of(value.text, value.count, self.now.date())
        if stretch is None:
            raise self.error(value.at, f"unexpected token: '{value.text}'", "MALFORMED_QUERY")
        if column.field.type not in {"date", "datetime"}:
            raise self.wrong_kind(column.field, value)
        ending = "T00:00:00.000Z" if column.field.type == "datetime" else ""
        start, end = (day.isoformat() + ending for day in stretch)
        match operator:
            case "=" | "!=":
                self.parameters += [start, end]
                inside = f"({column.sql} >= ? AND {column.sql} < ?)"
                return inside if operator == "=" else f"({inside} IS NOT TRUE)"
            case "<" | ">=":
                self.parameters.append(start)
                return f"{column.sql} {operator} ?"
            case _:  # `<=` is before the end, `>` from the end on
                self.parameters.append(end)
                return f"{column.sql} {'<' if operator == '<=' else '>='} ?"

    def membership(self, membership: Membership) -> str:
        column = self.filtered(membership.path)
        if isinstance(membership.among, Query):
            inside = self.semi_join(column, membership.path, membership.among)
        elif any(value.kind == "date_literal" for value in membership.among):
            same = [Comparison(membership.path, "=", value) for value in membership.among]
            inside = f"({_balanced([self.comparison(each) for each in same], 'OR')})"
        else:
            stored = [self.stored(column.field, value) for value in membership.among]
            known = [each for each in stored if each is not None]
            self.parameters += known
            inside = f"{column.sql} IN ({', '.join('?' * len(known))})"
            if len(known) < len(stored):
                inside = f"({inside} OR {column.sql} IS NULL)"
        return f"({inside} IS NOT TRUE)" if membership.negated else inside

    def semi_join(self, column: Column, path: Path, query: Query) -> str:
        inner = _Translator(query, self.schema, self.now, self.depth + 1)
        selected = inner.columns()
        if len(selected) != 1 or column.field.type not in ID_TYPES:
            message = "a semi join selects one id or reference field, and filters on one"
            raise self.error(path.at, message, "MALFORMED_QUERY")
        if selected[0].field.type not in ID_TYPES:
            raise self.error(path.at, "The selected field in a semi join must be an id or a reference")
        sql = inner.select(selected[0].sql)
        self.parameters += inner.parameters
        return f"{column.sql} IN ({sql})"

    def stored(self, field: Field, value: Value) -> Stored:
        """Return the literal as the field's column holds it; blank text is null."""
        if value.kind == "null":
            return 0 if field.type == "boolean" else None
        match field.type, value.kind:
            case kind, "text" if kind in STRING_TYPES:
                return value.text or None
            case kind, "text" if kind in ID_TYPES:
                return self.record_id(value)
            case "boolean", "boolean":
                return int(value.text == "true")
            case (("double" | "int"), "number"):
                return float(value.text)
            case "date", "date" if is_date(value.text):
                return value.text
            case "datetime", "datetime":
                moment = read_instant(value.text)
                if moment is not None:
                    return moment
        raise self.wrong_kind(field, value)

    def record_id(self, value: Value) -> str | None:
        if not value.text:
            return None
        try:
            return ids.canonical(value.text)
        except ValueError:
            message = f"invalid ID field: {value.text}"
            raise self.error(value.at, message, "INVALID_QUERY_FILTER_OPERATOR") from None

    def wrong_kind(self, field: Field, value: Value) -> SalesforceError:
        quoted = field.type in STRING_TYPES or field.type in ID_TYPES
        kind = "string" if field.type in STRING_TYPES else field.type.replace("datetime", "dateTime")
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {kind}"
            f" and should {'' if quoted else 'not '}be enclosed in quotes"
        )
        return self.error(value.at, message)


def _balanced(conditions: list[str], glue: Literal["AND", "OR"]) -> str:
    """Join the conditions as a balanced tree: SQLite refuses expressions more than a thousand deep."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return f"({_balanced(conditions[:middle], glue)} {glue} {_balanced(conditions[middle:], glue)})"
