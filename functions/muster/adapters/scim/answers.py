"""A SCIM target's answers: which are about the whole target, and which about the one call (O2).

No content type is relied on: JSON comes as text/html, with a byte order mark, or without any type. What
counts is whether the body is JSON. A page of HTML is not from the API, so a 404 with one says that the path
or the host is wrong, never that a user is gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from muster.adapters.http_calls import LABEL, HttpAnswer, System, decoded, retry_after
from muster.crm.scim_answers import Outcome, problem_of
from muster.errors import MusterError, NotAllowed, NotServed, Rejected, Unavailable

_HOST = re.compile(rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_BOM = b"\xef\xbb\xbf"
# Statuses that are about what was sent, whoever words them.
_ABOUT_THE_CALL = frozenset({400, 409, 412, 413, 414, 422})


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One answer: its status, its JSON value if it has one, else its text, and after how long to call again.

    `foreign`: the body is neither JSON nor empty nor plain words, so it is not from the API.
    """

    status: int
    content: object
    text: str
    foreign: bool
    retry_after: float | None

    @property
    def succeeded(self) -> bool:
        """Whether the status is that of a success."""
        return 200 <= self.status < 300

    @property
    def is_about_the_call(self) -> bool:
        """Whether a failure is one of this call alone, not of the target or the way to it."""
        return self.status in _ABOUT_THE_CALL or not self.foreign


def scim_system(name: str) -> System:
    """Return the outside system of a connection, by its name in the settings."""
    setting = f"connections.scim.{name}.host"
    return System(f"the SCIM target {name}", setting, _HOST, "host of it", "api.example.com")


def read_answer(answer: HttpAnswer) -> Answer:
    """Return the parsed answer, whatever it is."""
    body = answer.content.removeprefix(_BOM).strip()
    content = decoded(body) if body else None
    text = "" if content is not None else body[:2_000].decode("utf-8", "replace")
    status = answer.status_code
    foreign = "<" in text or (bool(text) and 200 <= status < 300)
    return Answer(status, content, text, foreign, retry_after(answer))


def fault_of(system: System, answer: Answer, path: str) -> MusterError:
    """Return the error for a call that tells nothing, or whose failure is that of the target."""
    what = path.partition("?")[0].partition("/")[0]
    summary = f"{system.name} answered {answer.status} to {what}"
    if answer.succeeded:
        return Unavailable(
            f"{summary}, but with something that is not SCIM; if this goes on, check {system.setting}",
            answer.retry_after,
        )
    if answer.status in (404, 405, 406, 410, 501):
        return NotServed(f"{summary}: SCIM is not served there; check {system.setting}, path and profile")
    if answer.status == 403:
        return NotAllowed(f"{summary}: give the token's user the right to read and write users and groups")
    if answer.status in _ABOUT_THE_CALL:
        return Rejected(problem_of(Outcome.REFUSED, answer.status, answer.content, what, None, answer.text))
    return Unavailable(f"{summary}: it is busy, or something in between refuses the call", answer.retry_after)
