"""Who may import whom (docs/architecture.md): handlers → use cases → rules → values; adapters → values."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"

# Each room of the package is in exactly one layer; a new one has to be put somewhere.
LAYERS = {
    "values": {
        "crm_pages",
        "decisions",
        "errors",
        "messages",
        "metadata_values",
        "model",
        "reasons",
        "runs",
        "salesforce_ids",
        "vault_pages",
        "vault_values",
        "webhook_setups",
    },
    "rules": {
        "align_desk",
        "assignments",
        "credentials",
        "eligibility",
        "entitlements",
        "explaining",
        "explaining_runs",
        "explaining_seats",
        "field_maps",
        "gauges",
        "group_requests",
        "groups",
        "guard",
        "hierarchy",
        "licence_lines",
        "lifecycle",
        "manager_mails",
        "member_edits",
        "plans",
        "preflight_checks",
        "preflight_salesforce",
        "preflight_vaults",
        "push_log",
        "pushes",
        "quarantine",
        "seats",
        "settings",
        "soql",
        "soql_filters",
        "source_versions",
        "tokens",
        "user_changes",
        "user_rows",
        "validation",
        "vault_fields",
        "vault_lifecycle",
        "vault_users",
        "vql",
        "webhook_chain",
        "webhook_metadata",
    },
    "use cases": {
        "aligning",
        "applying",
        "assigning",
        "changing_members",
        "checking",
        "configuring",
        "describing",
        "editing",
        "finding_users",
        "following",
        "gathering",
        "import_ports",
        "import_steps",
        "importing",
        "notifying",
        "planning",
        "previewing_settings",
        "push_ports",
        "push_steps",
        "pushing",
        "recording",
        "querying",
        "querying_explanations",
        "querying_runs",
        "reading",
        "receiving",
        "run_clock",
        "selecting",
        "run_ends",
        "running",
        "saving_settings",
        "setting_up_webhook",
        "settling",
        "telling",
        "vault_importing",
        "watching",
        "webhook_deploying",
        "webhook_ports",
        "vault_gathering",
    },
    "adapters": {"adapters"},
    "edges": {"admin_requests", "bootstrap", "environment", "observability", "run_requests"},
}
LAYER_OF = {room: layer for layer, rooms in LAYERS.items() for room in rooms}

MAY_IMPORT = {
    "values": {"values"},
    "rules": {"values", "rules"},
    "use cases": {"values", "rules", "use cases"},
    "adapters": {"values", "adapters"},
}
# What crosses a layer all the same, with the reason.
EXCEPTIONS = {
    ("mail_outbox", "manager_mails"): "PendingMail is a value kept beside the rules about it",
    ("roster_writes", "manager_mails"): "whose team is recorded moves in the member's transaction",
    ("roster_keys", "groups"): "what is due, and a place in line, are in the member's own items",
    ("roster_table", "groups"): "Due and Place are values kept beside the rules about groups",
    ("roster_writes", "groups"): "a member's places in line move in the member's transaction",
    ("roster_table", "seats"): "Pool is a value kept beside the rules about seats",
    ("roster_writes", "seats"): "a member's seats move their pools and lines in the member's transaction",
    ("settings_table", "vault_fields"): "whether schedules push an organization is kept beside its settings",
    ("settings_table", "settings"): "a stored document becomes Settings where it is read",
    ("webhook_registry", "tokens"): "Token and WebhookRegistration are values kept beside their rules",
}
IMPURE = {
    "boto3",
    "botocore",
    "logging",
    "os",
    "random",
    "requests",
    "socket",
    "subprocess",
    "time",
    "urllib",
}


def files() -> list[Path]:
    return [
        path
        for path in sorted((FUNCTIONS / "muster").rglob("*.py"))
        if path.parent.name != "muster" or path.stem != "__init__"
    ]


def room_of(path: Path) -> str:
    """Return the module or package right below `muster` that a file belongs to."""
    return path.relative_to(FUNCTIONS / "muster").parts[0].removesuffix(".py")


def imports(path: Path, *, typing_only: bool = False) -> set[str]:
    """Return the full names of modules that a file imports, those under TYPE_CHECKING left out by default."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing_only
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_room_has_a_layer() -> None:
    assert {room_of(path) for path in files()} == set(LAYER_OF)


def test_the_map_of_the_package_shows_every_room_once() -> None:
    document = ast.get_docstring(ast.parse((FUNCTIONS / "muster" / "__init__.py").read_text())) or ""
    assert sorted(re.findall(r"^    (\w+)/? {2,}\S", document, re.MULTILINE)) == sorted(LAYER_OF)


def test_every_exception_is_needed() -> None:
    ours = {
        (path.stem, name.split(".")[1])
        for path in files()
        for name in imports(path)
        if name.startswith("muster.")
    }
    assert not EXCEPTIONS.keys() - ours


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{room_of(path)}-{path.stem}")
def test_imports_point_downward(path: Path) -> None:
    layer = LAYER_OF[room_of(path)]
    if layer == "edges":
        return
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("muster.")}
    upward = {
        room
        for room in ours
        if LAYER_OF[room] not in MAY_IMPORT[layer] and (path.stem, room) not in EXCEPTIONS
    }
    assert not upward


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{room_of(path)}-{path.stem}")
def test_values_rules_and_use_cases_do_no_io(path: Path) -> None:
    if LAYER_OF[room_of(path)] not in ("values", "rules", "use cases"):
        return
    assert not {name.partition(".")[0] for name in imports(path, typing_only=True)} & IMPURE


def test_only_the_environment_reads_the_environment_and_only_bootstrap_builds_clients() -> None:
    for path in FUNCTIONS.rglob("*.py"):
        assert "os" not in imports(path) or path.stem == "environment", path
        assert "boto3" not in imports(path) or path.stem == "bootstrap", path


def test_nothing_imports_a_handler_or_the_sandbox() -> None:
    handlers = {path.stem for path in FUNCTIONS.glob("*.py")}
    for path in FUNCTIONS.rglob("*.py"):
        assert not {name.partition(".")[0] for name in imports(path)} & (handlers | {"sandbox", "tests"}), (
            path
        )


@pytest.mark.parametrize(
    "module", ["pydantic", "requests", "ruamel", "muster.settings", "aws_lambda_powertools.event_handler"]
)
def test_the_webhook_starts_lean(module: str) -> None:
    code = f"import sys, outbound_user_webhook; sys.exit({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=FUNCTIONS, check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0
