"""Writes one of everything through the adapters, and returns it as the files that tests keep of a version."""

import json
import tomllib
from pathlib import Path
from typing import Any

from muster.adapters.aws import change_queue
from muster.adapters.aws.app_table import AppTable
from muster.adapters.aws.mail_outbox import MailOutbox
from muster.adapters.aws.roster_table import RosterTable
from muster.adapters.aws.run_archive import RunArchive
from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.settings_table import SettingsTable
from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
from muster.adapters.aws.webhook_journal import WebhookJournal
from muster.engage import push_items
from muster.imports import plan_items
from tests.integration.stored.roster_values import ATTEMPT, IMPORT, NOW, ORGANIZATION, PUSH
from tests.integration.stored.values import Stored, as_json

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
LEASED_S = 960.0


def write(stored: Stored, dynamodb: Any, s3: Any) -> None:
    """Write all of it into an empty table `roster` and an empty bucket `archive`."""
    _write_roster(stored, dynamodb)
    _write_runs(stored, dynamodb)
    registrations = (None, stored.registration)
    for version in stored.settings:
        SettingsTable(dynamodb, "roster").save(version, registrations if version.version == 1 else None)
    journal = WebhookJournal(dynamodb, "roster")
    journal.replace(ORGANIZATION, None, stored.setup)
    journal.note_received(ORGANIZATION, stored.received_at)
    archive = RunArchive(s3, "archive")
    archive.put(ORGANIZATION, IMPORT, ATTEMPT, "plan", 1, plan_items.written(stored.import_plan))
    archive.put_document(ORGANIZATION, IMPORT, ATTEMPT, "plan", dict(stored.import_summary))
    archive.put(ORGANIZATION, PUSH, ATTEMPT, "plan", 1, push_items.written(stored.push_plan))


def _write_roster(stored: Stored, dynamodb: Any) -> None:
    roster = RosterTable(dynamodb, "roster")
    for decision in stored.decisions:
        void = roster.write(ORGANIZATION, [decision], NOW.timestamp())
        assert not void, decision
    roster.park(ORGANIZATION, stored.errors, NOW.timestamp())
    MailOutbox(dynamodb, "roster").put(
        ORGANIZATION, stored.runs[0].id, "grace", ["ada", "bob"], NOW.timestamp()
    )


def _write_runs(stored: Stored, dynamodb: Any) -> None:
    table = RunTable(dynamodb, "roster")
    lease = table.take(ORGANIZATION, stored.runs[0].id, NOW.timestamp(), LEASED_S)
    for run in stored.runs[1:]:
        table.save(run, lease)
    AppTable(dynamodb, "roster").save("scim.gong", stored.app, lease)
    UnlinkedHolderTable(dynamodb, "roster").record(ORGANIZATION, stored.holders, (), lease)
    table.finish(stored.runs[0], lease, stored.state)
    table.take(ORGANIZATION, stored.leased_by, NOW.timestamp(), LEASED_S)
    for connection, health in stored.health.items():
        table.save_health(ORGANIZATION, connection, as_json(health))


def files(stored: Stored, dynamodb: Any, s3: Any) -> dict[str, str]:
    """Return what `write` has written, as the files of a version: name to text."""
    items = dynamodb.scan(TableName="roster")["Items"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="archive")["Contents"]]
    objects = {key: s3.get_object(Bucket="archive", Key=key)["Body"].read().decode() for key in keys}
    meant = [version.settings.model_dump(mode="json") for version in stored.settings]
    return {
        "table.json": _lines(sorted((_sorted(item) for item in items), key=_key_of)),
        "archive.json": _text(objects),
        "queue.json": _text(change_queue.encode(stored.message)),
        "settings_meant.json": _text(meant),
    }


def _key_of(item: Any) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _sorted(item: Any) -> Any:
    """Return an item with its sets in order, for a set has none."""
    return {
        name: {kind: sorted(held) if kind == "SS" else held for kind, held in value.items()}
        for name, value in item.items()
    }


def _lines(items: list[Any]) -> str:
    """Return items as JSON, one a line."""
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items)
    return f"[\n{lines}\n]\n"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
