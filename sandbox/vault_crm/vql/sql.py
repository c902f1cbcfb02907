"""Turns a parsed query into SQLite, with every value as a parameter and every name from the schema.

A comparison with a null is false, `!=` included; only `= null` and `!= null` ask for nulls. How Vault takes
`!=` on an empty field is not documented.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.schema import Field, Schema, VObject
from sandbox.vault_crm.values import Stored, is_date, read_instant
from sandbox.vault_crm.vql.grammar import Combination, Comparison, Condition, Path, Query, Value


@dataclass(frozen=True)
class Column:
    """A selected field: its name in the answer (`language__sysr.name__v`) and where SQL finds it."""

    name: str
    field: Field
    sql: str


@dataclass(frozen=True)
class Translation:
    """A query in SQL: one statement for the records it finds, as their `seq`, and one for their columns.

    A row of `rows_sql` is a record's `seq`, then its columns; it takes a JSON array of `seq`.
    """

    vobject: VObject
    columns: tuple[Column, ...]
    found_sql: str
    parameters: tuple[Stored, ...]
    rows_sql: str


def translate(query: Query, schema: Schema, check_readable: Callable[[str], None]) -> Translation:
    """Return the query in SQL. `check_readable` raises for an object that the user may not read.

    Raises VaultError.
    """
    translator = _Translator(query, schema, check_readable)
    columns = tuple(translator.column(path) for path in query.fields)
    found = translator.found()
    names = ", ".join(["t.seq", *(each.sql for each in columns)])
    wanted = "WHERE t.seq IN (SELECT value FROM json_each(?))"
    rows = f"SELECT {names} {translator.source()} {wanted}"
    return Translation(translator.vobject, columns, found, tuple(translator.parameters), rows)


class _Translator:
    def __init__(self, query: Query, schema: Schema, check_readable: Callable[[str], None]) -> None:
        if query.object_name not in schema:
            raise VaultError("INVALID_DATA", f"The query target [{query.object_name}] does not exist")
        check_readable(query.object_name)
        self.query = query
        self.schema = schema
        self.check_readable = check_readable
        self.vobject = schema[query.object_name]
        self.parameters: list[Stored] = []
        self.joins: dict[str, str] = {}  # relationship → its JOIN

    def column(self, path: Path) -> Column:
        *way, name = path.parts
        if len(way) > 1:
            raise _unknown_field(path)
        holder, alias = self.vobject, "t"
        for relationship in way:
            reference = holder.by_relationship.get(relationship)
            if reference is None:
                raise _unknown_field(path)
            holder, alias = self.schema[str(reference.reference_to)], f'"{relationship}"'
            self.check_readable(holder.name)
            same = f'{alias}.id = t."{reference.name}"'
            self.joins[relationship] = f'LEFT JOIN "{holder.name}" {alias} ON {same}'
        field = holder.by_name.get(name)
        if field is None:
            raise _unknown_field(path)
        return Column(".".join(path.parts), field, f'{alias}."{field.name}"')

    def source(self) -> str:
        return " ".join([f'FROM "{self.vobject.name}" t', *self.joins.values()])

    def found(self) -> str:
        """Return the statement that finds the records; the condition first, since it adds joins."""
        where = self.condition(self.query.where) if self.query.where else "TRUE"
        order = [
            f"{self.column(each.path).sql} {'DESC' if each.descending else 'ASC'}"
            for each in self.query.order
        ]
        # Vault promises no order without ORDER BY; here it is that of their making.
        ordered = ", ".join([*order, "t.seq"])
        limit = -1 if self.query.max_rows is None else self.query.max_rows
        self.parameters += [limit, self.query.skip]
        return f"SELECT t.seq {self.source()} WHERE {where} ORDER BY {ordered} LIMIT ? OFFSET ?"

    def condition(self, condition: Condition) -> str:
        if isinstance(condition, Combination):
            return _balanced([self.condition(term) for term in condition.terms], condition.glue)
        return self.comparison(condition)

    def comparison(self, comparison: Comparison) -> str:
        column, operator = self.column(comparison.path), comparison.operator
        sql = f"casefold({column.sql})" if comparison.path.any_case else column.sql
        if operator == "LIKE":
            self.parameters.append(_cased(comparison.path, comparison.values[0].text))
            return f"{sql} GLOB ?"
        if comparison.values == (Value("null", "null"),) and operator in {"=", "!="}:
            return f"{sql} {'IS' if operator == '=' else 'IS NOT'} NULL"
        stored = [_stored(column.field, value) for value in comparison.values]
        self.parameters += [_cased(comparison.path, each) for each in stored]
        if operator == "BETWEEN":
            return f"({sql} BETWEEN ? AND ?)"
        if operator == "CONTAINS":
            return f"{sql} IN ({', '.join('?' * len(stored))})"
        return f"{sql} {operator} ?"


def _cased(path: Path, stored: Stored) -> Stored:
    return stored.casefold() if path.any_case and isinstance(stored, str) else stored


def _stored(field: Field, value: Value) -> Stored:
    """Return the literal as the field's column holds it. Raises VaultError where the kinds do not go."""
    match field.type, value.kind:
        case (("String" | "Picklist" | "Object" | "ID"), "text"):
            return value.text
        case "Number", "number":
            return float(value.text)
        case "Boolean", "boolean":
            return int(value.text == "true")
        case "Date", "text" if is_date(value.text):
            return value.text
        case "DateTime", "text" if moment := read_instant(value.text):
            return moment
    raise VaultError("INVALID_DATA", f"Invalid value for field [{field.name}] of type [{field.type}]")


def _unknown_field(path: Path) -> VaultError:
    return VaultError("INVALID_DATA", f"The field [{'.'.join(path.parts)}] does not exist")


def _balanced(conditions: list[str], glue: str) -> str:
    """Join the conditions as a balanced tree: SQLite refuses expressions more than a thousand deep."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return f"({_balanced(conditions[:middle], glue)} {glue} {_balanced(conditions[middle:], glue)})"
