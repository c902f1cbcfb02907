"""The stand-ins' own doors under /sandbox/, over HTTP."""

from typing import Any

import requests

from sandbox.local_stack.waiting import wait_until


def control(url: str, method: str, path: str, body: object = None) -> Any:
    """Call a path under /sandbox/ and return its JSON."""
    answer = requests.request(method, f"{url}/sandbox/{path}", json=body, timeout=10)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def misbehave(url: str, *faults: dict[str, object]) -> None:
    """Let a sandbox misbehave so; none: behave."""
    control(url, "POST", "faults", list(faults))


def calls(url: str, path: str = "", method: str | None = None) -> int:
    """Return how many calls a sandbox received since its reset, by the beginning of their path."""
    return sum(
        call["count"]
        for call in control(url, "GET", "requests")
        if call["path"].startswith(path) and method in (None, call["method"])
    )


def assert_calls(url: str, count: int, path: str, method: str | None = None) -> None:
    """Check how many calls a sandbox received; a delayed one is counted once it is let go."""
    wait_until(lambda: calls(url, path, method) >= count, f"{count} calls of {path}", seconds=20)
    assert calls(url, path, method) == count
