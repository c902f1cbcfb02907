"""A vault's answers: the envelope, and what its errors mean.

A vault answers almost everything with HTTP 200. What counts is `responseStatus` and the type of the first
error; any other status comes from the network in between, or from the vault's edge. Messages carry the
type, the execution id for Veeva's support, and Vault's explanation without the values it quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.adapters.http_calls import LABEL, HttpAnswer, System, decoded, retry_after
from muster.crm.vault_records import NOT_ALLOWED
from muster.errors import (
    ApiCallsUsedUp,
    Downtime,
    Misconfigured,
    MusterError,
    NotAllowed,
    NotServed,
    PasswordRefused,
    Problem,
    Rejected,
    Unavailable,
)

NAMES = {"vault_crm": "Vault CRM", "align": "Align"}
INVALID_SESSION = "INVALID_SESSION_ID"
NOTHING_CHANGED = "NO_DATA_CHANGES"

_HOST = re.compile(rf"(?:{LABEL}\.)+veevavault\.com")
_TYPE = re.compile(r"[A-Z0-9_]{1,80}")
_EXECUTION = re.compile(r"[A-Za-z0-9-]{1,64}")
# Vault quotes values in its messages. Names of fields and permissions, and record ids, are kept.
_NOT_A_NAME = re.compile(r"\[(?!(?:\d+|\w*_\w*)\])[^\]]*\]|'(?!(?:\d+|\w*_\w*)')[^']*'|\"[^\"]*\"|\S*@\S*")

# HTTP statuses of answers without an envelope, as the error type that the API would use.
_CALLS_USED_UP = "API_LIMIT_EXCEEDED"
_TYPE_OF_STATUS = {401: INVALID_SESSION, 404: "MALFORMED_URL", 429: _CALLS_USED_UP}
BUSY = frozenset({_CALLS_USED_UP, "OPERATION_IN_PROGRESS", "RACE_CONDITION"})
PASSWORD_REFUSED = "USERNAME_OR_PASSWORD_INCORRECT"  # noqa: S105 - an error type
_REMEDIES = {
    PASSWORD_REFUSED: (
        "write the integration user's username and password into the secret. Nobody sends this version of it"
        " again, for five wrong passwords lock the account; if it has become right since, push with"
        " retry_login: true"
    ),
    "NO_PASSWORD_PROVIDED": "write the integration user's password into the secret",
    "USER_LOCKED_OUT": "let an admin unlock the integration user",
    "PASSWORD_CHANGE_REQUIRED": (
        "log in as the integration user, change its password, and write it into the secret"
    ),
    "INACTIVE_USER": "activate the integration user, or name another in the secret",
    NOT_ALLOWED: (
        "give the integration user API access, and its security profile the permissions that preflight lists"
    ),
    "CONFIGURATION_MODE_ENABLED": "an admin has put the vault into configuration mode, and has to end that",
}
_NOT_SERVED = frozenset({"MALFORMED_URL", "METHOD_NOT_SUPPORTED"})


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One answer of a vault's API, whether the call succeeded or failed.

    `kind` is the type of the error if the call failed as a whole, else empty. `summary` is the beginning of
    a message about it.
    """

    summary: str
    body: bytes
    content: Mapping[str, Any]
    headers: Mapping[str, str]
    kind: str
    message: str
    retry_after: float | None


def vault_system(name: str) -> System:
    """Return the outside system of a connection, `vault_crm` or `align`."""
    return System(NAMES[name], f"connections.{name}.host", _HOST, "Vault host", "acme-crm.veevavault.com")


def read_answer(system: System, answer: HttpAnswer) -> Answer:
    """Return the parsed answer; raises `Unavailable` if it does not show the outcome of the call."""
    content = decoded(answer.content)
    outcome = content.get("responseStatus") if isinstance(content, dict) else None
    execution = answer.headers.get("X-VaultAPI-ExecutionId", "")
    trace = f" (execution {execution})" if _EXECUTION.fullmatch(execution) else ""
    wait = retry_after(answer)
    if answer.status_code < 500 and isinstance(content, dict):
        if outcome in ("SUCCESS", "WARNING") and answer.status_code == 200:
            summary = f"{system.name} answered {outcome}{trace}"
            return Answer(summary, answer.content, content, answer.headers, "", "", wait)
        kind, message = first_error(content)
        if outcome == "FAILURE" and kind and kind != "UNEXPECTED_ERROR":
            summary = f"{system.name} answered {kind}{trace}"
            return Answer(summary, answer.content, content, answer.headers, kind, message, wait)
        if outcome in ("FAILURE", "EXCEPTION") and not _announced(answer):
            raise Unavailable(f"{system.name} answered {outcome} {kind}".rstrip() + trace, wait)
    if kind := _TYPE_OF_STATUS.get(answer.status_code, ""):
        summary = f"{system.name} answered {answer.status_code}{trace}"
        return Answer(summary, answer.content, {}, answer.headers, kind, "", wait)
    if minutes := _announced(answer):
        raise Downtime(
            f"{system.name} is down for maintenance, which it says takes {minutes:,} minutes{trace}",
            minutes * 60.0,
        )
    what = "" if answer.status_code != 200 else ", but something that is not from its API"
    raise Unavailable(f"{system.name} answered {answer.status_code}{what}{trace}", wait)


def fault_of(answer: Answer, where: str) -> MusterError:
    """Return the error for a call that failed as a whole; `where` names the input that may be at fault."""
    if answer.kind == _CALLS_USED_UP:
        return ApiCallsUsedUp(f"{answer.summary}: too many calls for now", answer.retry_after)
    if answer.kind in BUSY:
        return Unavailable(f"{answer.summary}: it is busy", answer.retry_after)
    if answer.kind == NOT_ALLOWED:
        problem = problem_of(answer.kind, answer.message, where)
        return NotAllowed(f"{answer.summary}: {_REMEDIES[answer.kind]}", problem)
    if answer.kind == PASSWORD_REFUSED:
        return PasswordRefused(f"{answer.summary}: {_REMEDIES[answer.kind]}")
    if answer.kind in _REMEDIES:
        return Misconfigured(f"{answer.summary}: {_REMEDIES[answer.kind]}")
    if answer.kind in _NOT_SERVED:
        return NotServed(
            f"{answer.summary}: it does not serve that; check the connection's api_version and host"
        )
    return Rejected(problem_of(answer.kind, answer.message, where))


def refused_at(system: System, kind: str, at: str) -> str:
    """Return what there is to say of a password that was refused at some time, and was not sent again."""
    return f"{system.name} answered {kind} at {at}: {_REMEDIES[PASSWORD_REFUSED]}"


def problem_of(kind: str, message: str, where: str) -> Problem:
    """Return the error of a call or of one record as a problem that an admin can act on."""
    text = explanation(message)
    remedy = _REMEDIES.get(kind, "Correct what is named; the integration user must be allowed to do it.")
    return Problem(where, f"{kind}: {text}" if text else f"is refused with {kind}", remedy)


def first_error(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return the type and message of the first error of a call or a record; empty texts if there is none."""
    match content.get("errors"):
        case [{"type": str(kind), **rest}, *_] if _TYPE.fullmatch(kind):
            message = rest.get("message")
            return kind, message if isinstance(message, str) else ""
    return "", ""


def explanation(message: str) -> str:
    """Return Vault's words on one line, without the values it quotes."""
    words = "".join(each if each.isprintable() else " " for each in _NOT_A_NAME.sub("…", message))
    return " ".join(words.split())[:300]


def _announced(answer: HttpAnswer) -> int:
    """Return for how many minutes a vault in maintenance says that it is down; 0: it says nothing."""
    minutes = answer.headers.get("X-VaultAPI-DowntimeExpectedDurationMinutes", "")
    return int(minutes) if re.fullmatch(r"[0-9]{1,4}", minutes) else 0
