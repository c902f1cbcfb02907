import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.salesforce.schema import stored_custom_field
from sandbox.salesforce.standard_objects import standard_schema
from sandbox.salesforce.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(Store(":memory:")) as store:
        yield store


def write(store: Store, *names: str) -> None:
    with store.transaction() as db:
        db.executemany("INSERT INTO setting VALUES (?, '')", [(name,) for name in names])


def write_and_fail(store: Store, *names: str) -> None:
    with store.transaction():
        write(store, *names)
        raise ZeroDivisionError


def names(store: Store) -> list[str]:
    with store.transaction() as db:
        return [row["name"] for row in db.execute("SELECT name FROM setting ORDER BY name")]


def test_a_failed_part_is_undone_alone(store: Store) -> None:
    with store.transaction():
        write(store, "before")
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store, "part")
        write(store, "after")
    assert names(store) == ["after", "before"]


def test_a_failed_whole_undoes_its_parts(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(store, "part")
    assert names(store) == []
    write(store, "next")
    assert names(store) == ["next"]


def test_a_file_from_before_formula_fields_opens_with_its_fields(tmp_path: Path) -> None:
    path = str(tmp_path / "salesforce.sqlite")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE custom_field (object TEXT, name TEXT, type TEXT, label TEXT, length INTEGER,"
            " PRIMARY KEY (object, name));"
            " INSERT INTO custom_field VALUES ('User', 'Shoe__c', 'string', 'Shoe', 9)"
        )
    schema = standard_schema()
    for formula in (False, True):
        store = Store(path)
        store.load_custom_fields(schema)
        shoe = schema.object("User").field("Shoe__c")  # type: ignore[union-attr]  # there is a User
        assert shoe == stored_custom_field("Shoe__c", "string", "Shoe", 9, formula=False)
        score = stored_custom_field("Score__c", "double", "Score", 0, formula=True)
        assert schema.object("User").field("Score__c") == (score if formula else None)  # type: ignore[union-attr]
        store.save_custom_field("User", score)
        store.close()
