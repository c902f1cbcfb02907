from collections.abc import Iterator
from contextlib import closing

import pytest

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
