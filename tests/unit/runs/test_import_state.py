"""What imports remember: the stored document stays the one that the versions before read and write."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.runs.import_state import ImportState, SourceState

TEXT, NUMBER = st.sampled_from([None, "", "a", "b"]), st.sampled_from([None, 0, 7])
TEXTS = st.sampled_from([[], ["a"], ["b", "a"]])
# As 0.2.0 wrote it, with what has been added since: the keys in their order.
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "watermark": TEXT,
    "rows": NUMBER,
    "active": st.sampled_from([{}, {"": 7}, {"b": 1, "a": 2}]),
    "evaluated_with": TEXT,
    "approved": TEXT,
    "approved_until": TEXT,
    "full_run": TEXT,
    "organization_id": TEXT,
    "new_since": TEXT,
    "completed_at": TEXT,
    "frozen": st.none() | TEXTS,
    "vault_watermark": TEXT,
    "vault_read_at": TEXT,
    "vault_rows": NUMBER,
    "vault_groups": st.fixed_dictionaries({"engage": TEXTS}),
    "vault_decided_with": TEXT,
    "vault_host": TEXT,
    "align_watermark": TEXT,
    "align_read_with": TEXT,
    "settings_tried": NUMBER,
}
DOCUMENTS = st.fixed_dictionaries(KEYS).map(lambda drawn: {name: drawn[name] for name in KEYS})


@given(DOCUMENTS)
def test_a_stored_document_is_written_as_it_was_read(document: dict[str, Any]) -> None:
    assert json.dumps(ImportState.from_json(document).to_json()) == json.dumps(document)


@given(DOCUMENTS, st.sets(st.sampled_from(list(ImportState().to_json()))))
def test_what_a_document_lacks_is_as_before_the_first_import(
    document: dict[str, Any], lacks: set[str]
) -> None:
    known = {name: value for name, value in document.items() if name not in lacks}
    expected = {**document, **{name: ImportState().to_json()[name] for name in lacks}}
    read = ImportState.from_json({**known, "of a newer version": 1})
    assert read == ImportState.from_json(expected)


def test_what_is_remembered_of_each_connection() -> None:
    state = ImportState.from_json(
        {"watermark": "a", "evaluated_with": "b", "vault_rows": 2, "vault_host": "v", "align_read_with": "c"}
    )
    assert state.salesforce == SourceState(watermark="a", decided_with="b")
    assert state.vault_crm == SourceState(rows=2, system="v")
    assert state.align == SourceState(decided_with="c")


@pytest.mark.parametrize(
    ("watermark", "newest", "expected"),
    [
        (None, None, None),
        (None, "2026-11-20T09:15:31.000+0100", "2026-11-20T08:15:31.000Z"),
        ("2026-11-20T08:15:31.000Z", None, "2026-11-20T08:15:31.000Z"),
        ("2026-11-20T08:15:31.000Z", "2026-11-20T08:15:30.000Z", "2026-11-20T08:15:31.000Z"),
        ("2026-11-20T08:15:31.000Z", "2026-11-20T08:15:32.000Z", "2026-11-20T08:15:32.000Z"),
    ],
)
def test_a_watermark_never_goes_back(watermark: str | None, newest: str | None, expected: str | None) -> None:
    assert SourceState(watermark=watermark).read_to(newest).watermark == expected
