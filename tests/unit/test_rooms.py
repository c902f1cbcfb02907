"""The rooms of the house in their order: what a file may import, and which may touch the world outside."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
MUSTER = FUNCTIONS / "muster"

# Bottom up. A file imports its own room and the rooms before it: nothing else, and there are no exceptions.
ROOMS = {
    "ground": ["errors", "validation", "references", "times", "lease", "error_log", "checks"],
    "presentation": ["presentation"],
    "crm": ["crm"],
    "settings": ["settings"],
    "sources": ["sources"],
    "roster": ["roster"],
    "runs": ["runs"],
    "pushes": ["pushes"],
    "engage": ["engage"],
    "provisioning": ["provisioning"],
    "imports": ["imports"],
    "webhook": ["webhook"],
    "connections": ["connections"],
    "insight": ["insight"],
    "events_out": ["events_out"],
    "webhook_setup": ["webhook_setup"],
    "edits": ["edits"],
    "organization_settings": ["organization_settings"],
    "undo": ["undo"],
    "replays": ["replays"],
    "reporting": ["reporting"],
    "adapters": ["adapters"],
    "edges": ["admin_requests", "roster_questions", "bootstrap", "environment", "observability"],
}
ROOM_OF = {entry: room for room, entries in ROOMS.items() for entry in entries}
HEIGHT = {room: height for height, room in enumerate(ROOMS)}
FILES = sorted(path for path in MUSTER.rglob("*.py") if path != MUSTER / "__init__.py")
USES_ADAPTERS = {
    "bootstrap",
    "deprovisioning",
    "member_events",
    "outbound_user_webhook",
    "user_change_worker",
}
WORLD = {"boto3", "botocore", "logging", "os", "random", "requests", "socket", "subprocess", "time", "urllib"}


def dotted(path: Path) -> str:
    """Return a file's name below `functions`, with dots."""
    parts = path.relative_to(FUNCTIONS).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> frozenset[str]:
    """Return all that a file imports, in functions and for type checking as well, with dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@cache
def modules_of_ours(path: Path) -> frozenset[str]:
    """Return the modules of Muster that a file imports, without the names of what is in them."""
    known = {dotted(each) for each in FILES}
    ours = {name for name in imports(path) if name.startswith("muster.")}
    return frozenset(name if name in known else name.rpartition(".")[0] for name in ours) - {"muster"}


def room_of(module: str) -> str:
    return ROOM_OF[module.split(".")[1]]


def is_use_case(path: Path) -> bool:
    first = path.stem.split("_")[0]
    return (first.endswith("ing") and first != "pending") or path.stem in ("steps", "work")


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_a_file_imports_its_own_room_and_those_below(path: Path) -> None:
    height = HEIGHT[room_of(dotted(path))]
    assert not {name for name in modules_of_ours(path) if HEIGHT[room_of(name)] > height}


def test_no_file_imports_itself_by_way_of_others() -> None:
    above = {dotted(path): modules_of_ours(path) - {dotted(path)} for path in FILES}
    while free := {name for name, needed in above.items() if not needed & above.keys()}:
        above = {name: needed for name, needed in above.items() if name not in free}
    assert not above, "these import one another in a circle, or what is in one"


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_a_noun_imports_no_use_case(path: Path) -> None:
    room = room_of(dotted(path))
    if HEIGHT[room] >= HEIGHT["adapters"] or is_use_case(path) or path.stem == "__init__":
        return
    known = {dotted(each): each for each in FILES}
    assert not {
        name for name in modules_of_ours(path) if is_use_case(known[name]) and room_of(name) != "edges"
    }


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_only_adapters_and_edges_touch_the_world_outside(path: Path) -> None:
    if HEIGHT[room_of(dotted(path))] < HEIGHT["adapters"]:
        assert not {name.partition(".")[0] for name in imports(path)} & WORLD


def test_only_bootstrap_and_handlers_of_streams_and_queues_import_adapters() -> None:
    for path in FUNCTIONS.rglob("*.py"):
        if "adapters" not in path.parts and path.stem not in USES_ADAPTERS:
            assert not {name for name in imports(path) if name.startswith("muster.adapters")}, path


def test_only_the_environment_reads_the_environment_and_only_bootstrap_builds_clients() -> None:
    for path in FUNCTIONS.rglob("*.py"):
        roots = {name.partition(".")[0] for name in imports(path)}
        assert "os" not in roots or path.stem == "environment", path
        assert "boto3" not in roots or path.stem == "bootstrap", path


def test_nothing_imports_a_handler_the_sandbox_or_the_command_line() -> None:
    handlers = {path.stem for path in FUNCTIONS.glob("*.py")}
    for path in FUNCTIONS.rglob("*.py"):
        roots = {name.partition(".")[0] for name in imports(path)}
        assert not roots & (handlers | {"sandbox", "tests", "muster_cli"}), path


def test_each_protocol_stands_in_the_ports_of_its_room() -> None:
    for path in FILES:
        tree = ast.parse(path.read_text())
        protocols = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and "Protocol" in {ast.unparse(base) for base in node.bases}
        ]
        assert path.stem == "ports" or not protocols, path


def test_the_map_of_the_package_shows_every_room_in_order() -> None:
    document = ast.get_docstring(ast.parse((MUSTER / "__init__.py").read_text())) or ""
    shown = re.findall(r"^((?:\w+/?(?:, )?)+) {2,}\S", document, re.MULTILINE)
    entries = [entry.strip("/") for line in shown for entry in line.split(", ")]
    expected = [entry for entries in ROOMS.values() for entry in entries]
    assert entries == expected
    assert {path.stem for path in MUSTER.iterdir() if path.name not in ("__init__.py", "__pycache__")} == {
        *expected
    }
    assert len(document.splitlines()) <= 30


@pytest.mark.parametrize(
    "room", sorted(path.parent for path in FILES if path.stem == "__init__"), ids=lambda room: room.name
)
def test_a_room_says_what_is_in_it(room: Path) -> None:
    source = (room / "__init__.py").read_text()
    document = ast.get_docstring(ast.parse(source)) or ""
    shown = re.findall(r"^((?:\w+/?(?:, )?)+) {2,}\S", document, re.MULTILINE)
    entries = {entry.strip("/") for line in shown for entry in line.split(", ")}
    assert entries == {path.stem for path in room.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__init__",
        "__pycache__",
    }
    assert room.name == "settings" or len(ast.parse(source).body) == 1, "a room's __init__ is its docstring"


def test_what_a_member_has_is_typed() -> None:
    """JSON has one name in the roster, `stored_values.Json`; all else has fields that a checker knows."""
    for path in (MUSTER / "roster").glob("*.py"):
        untyped = re.findall(r"(?:dict|Mapping)\[str, Any\]|getattr\(member, feature\)", path.read_text())
        assert untyped == (["dict[str, Any]"] if path.stem == "stored_values" else []), path


@pytest.mark.parametrize(
    "module",
    [
        "pydantic",
        "requests",
        "ruamel",
        "muster.settings",
        "muster.provisioning",
        "aws_lambda_powertools.event_handler",
    ],
)
def test_the_webhook_starts_lean(module: str) -> None:
    code = f"import sys, outbound_user_webhook; sys.exit({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=FUNCTIONS, check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0


def test_a_push_starts_without_what_only_apps_need() -> None:
    only_apps = {
        "muster.provisioning.steps",
        "muster.adapters.scim",
        "muster.adapters.aws.user_pool",
        "scim2_models",
    }
    code = f"import sys, scheduled_push; sys.exit(bool({only_apps} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=FUNCTIONS, check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0
