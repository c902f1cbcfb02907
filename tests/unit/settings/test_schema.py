"""The published JSON Schema says what the models say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with aws-sam-cli

from muster.errors import Problem
from muster.settings import schema
from muster.settings.document import read
from muster.settings.warnings import warnings

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(schema.text())


def sections(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of a set of keys."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for child in node.values():
            yield from sections(child)
    elif isinstance(node, list):
        for child in node:
            yield from sections(child)


def test_the_published_file_is_what_the_models_give() -> None:
    published = (ROOT / "docs/settings.schema.json").read_text()
    assert published == schema.text(), (
        "run: cd functions && python -m muster.settings.schema > ../docs/settings.schema.json"
    )


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_has_a_description_and_no_other_key_is_allowed() -> None:
    found = list(sections(SCHEMA))
    assert len(found) > 20
    for section in found:
        assert section["additionalProperties"] is False, section.get("title")
        for key, value in section["properties"].items():
            assert value.get("description") or "$ref" in value, f"{section.get('title')}.{key}"


def test_the_reference_names_every_key() -> None:
    reference = (ROOT / "docs/settings.md").read_text()
    for section in sections(SCHEMA):
        for key in section["properties"]:
            assert f"`{key}`" in reference, f"{section.get('title')}.{key}"


def test_the_example_of_the_reference_fits_schema_and_models() -> None:
    reference = (ROOT / "docs/settings.md").read_text()
    example = reference.partition("```yaml\n")[2].partition("```")[0]
    raw, _ = read(example)
    assert not list(Draft202012Validator(SCHEMA).iter_errors(raw))
    assert {"connections", "assignments", "guard", "seats"} <= set(raw)


EXAMPLES = (ROOT / "docs/settings.md").read_text().split("```yaml\n")[1:]


@pytest.mark.parametrize("example", EXAMPLES, ids=map(str, range(len(EXAMPLES))))
def test_every_example_of_the_reference_is_accepted_and_acts_as_it_reads(example: str) -> None:
    raw, _ = read(example.partition("```")[0], "acme")
    assert not list(Draft202012Validator(SCHEMA).iter_errors(raw))
    connected = {
        "connections": {"salesforce": {"host": "a.my.salesforce.com", "organization_id": "00D" + "0" * 12}}
    }
    settings = read({**connected, **raw}, "acme")[1]
    assert not [warning for warning in warnings(settings) if not _is_left_out(warning, raw)]


def _is_left_out(warning: Problem, raw: dict[str, Any]) -> bool:
    """Tell whether a warning is about a connection that a short example leaves out, or a message's own id."""
    # An ActionId that is pasted refuses everybody's messages; who has a message is told its own.
    unknown_before_it_is_installed = warning.where == "connections.salesforce.action_ids"
    # The example filters by the profile's name, and the page says when that is seen.
    known = unknown_before_it_is_installed or "only the next full import" in warning.message
    return known or (warning.where.endswith(".engage") and "connections" not in raw)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"organization": "Acme"},
        {"organization": "acme", "time_zon": "UTC"},
        {"organization": "acme", "seats": {"#": {}}},
        {"organization": "acme", "auto_provision": {"enabled": "yes"}},
        {"organization": "acme", "auto_provision": {"custom_fields": ["Region"]}},
        {"organization": "acme", "connections": {"salesforce": {"host": "acme.my.salesforce.com"}}},
        {"organization": "acme", "assignments": [{"name": "A", "data_capture": {"import_emails": True}}]},
        {"organization": "acme", "assignments": [{"name": "A", "seats": [{"field": "X__c"}]}]},
        {"organization": "acme", "field_maps": {"salesforce": {"titel": "Title"}}},
        {"organization": "acme", "field_maps": {"vault_crm": {"inbound": {"system": ["engage.request"]}}}},
        {"organization": "acme", "field_maps": {"vault_crm": {"inbound": {"custom": {"engage": "x__c"}}}}},
        {"organization": "acme", "field_maps": {"vault_crm": {"inbound": {"custom": {"custom.X": "x"}}}}},
        {
            "organization": "acme",
            "field_maps": {"vault_crm": {"outbound": {"custom": {"titel": "x__c"}}}},
        },
    ],
)
def test_what_the_schema_can_tell_editors_refuse_too(document: dict[str, Any]) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(document))
