"""The deployments: queued, carried out one after the other, and reported on.

They move on when anybody calls the organization: a deployment is in the state that its settings and the time
since make it. Its zip and its result are in the database, so a restarted sandbox goes on with it.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.metadata_deploying import TEST_LEVELS, Deployer, Outcome
from sandbox.salesforce.metadata_objects import Setup
from sandbox.salesforce.metadata_package import LARGEST_ARCHIVE, MANIFEST
from sandbox.salesforce.metadata_settings import DeploySettings, OrganizationSettings
from sandbox.salesforce.store import Store, next_id
from sandbox.salesforce.values import instant

DONE = frozenset({"Succeeded", "SucceededPartial", "Failed", "Canceled"})
_DEFAULTS: dict[str, Any] = {
    "allowMissingFiles": False,
    "autoUpdatePackage": False,
    "checkOnly": False,
    "ignoreWarnings": False,
    "performRetrieve": False,
    "purgeOnDelete": False,
    "rollbackOnError": False,
    "runTests": None,
    "singlePackage": False,
    "testLevel": None,
}


class Deploys:
    """The queue of deployments and their results."""

    def __init__(
        self,
        store: Store,
        deployer: Deployer,
        setup: Setup,
        organization: Callable[[], OrganizationSettings],
        settings: Callable[[], DeploySettings],
    ) -> None:
        """Take where deployments are kept, who makes them, and the settings in force."""
        self._store = store
        self._deployer = deployer
        self._clock = setup.clock
        self._pod = setup.pod
        self._user_id = setup.user_id
        self._organization = organization
        self._settings = settings

    def queue(self, options: object, archive: bytes) -> dict[str, Any]:
        """Queue a deployment and answer it as it is then: Pending. Raises SalesforceError."""
        chosen = self._options(options)
        if len(archive) > LARGEST_ARCHIVE:
            raise SalesforceError(400, "LIMIT_EXCEEDED", "The zip file is larger than 39 MB")
        with self._store.transaction() as db:
            deploy_id = next_id(db, "DeployRequest", self._pod)
            db.execute(
                "INSERT INTO deploy_request (id, options, archive, status, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (deploy_id, json.dumps(chosen), archive, "Pending", self._clock().timestamp()),
            )
            answer = self._as_json(_row(db, deploy_id), details=False)
        self.settle()
        return answer

    def check(self, deploy_id: str, *, details: bool) -> dict[str, Any]:
        """Answer a deployment as it is now, which counts as a status check. Raises SalesforceError."""
        with self._store.transaction() as db:
            deploy_id = str(_row(db, deploy_id)["id"])
            db.execute("UPDATE deploy_request SET polls = polls + 1 WHERE id = ?", (deploy_id,))
            self.settle()
            return self._as_json(_row(db, deploy_id), details=details)

    def cancel(self, deploy_id: str) -> dict[str, Any]:
        """Cancel a deployment: at once if Pending, else before its next step. Raises SalesforceError."""
        with self._store.transaction() as db:
            row = _row(db, deploy_id)
            if row["status"] in DONE:
                raise SalesforceError(400, "INVALID_ID_FIELD", "Deployment already completed")
            if row["status"] == "Pending":
                self._finish(db, row["id"], "Canceled", [], "")
            else:
                db.execute("UPDATE deploy_request SET status = 'Canceling' WHERE id = ?", (row["id"],))
            return self._as_json(_row(db, deploy_id), details=False)

    def settle(self) -> None:
        """Take each deployment as far as it is by now, the oldest first; a later one waits for it."""
        with self._store.transaction() as db:
            marks = ", ".join("?" * len(DONE))
            rows = db.execute(
                f"SELECT id FROM deploy_request WHERE status NOT IN ({marks}) ORDER BY id",  # noqa: S608  # marks
                tuple(DONE),
            ).fetchall()
            for row in rows:
                if not self._move_on(db, row["id"]):
                    return

    def reset(self) -> None:
        """Forget every deployment; what was deployed stays."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM deploy_request")

    def _move_on(self, db: sqlite3.Connection, deploy_id: str) -> bool:
        """Take a deployment as far as it is by now; answer whether it is done."""
        settings = self._settings()
        row = _row(db, deploy_id)
        if row["status"] == "Canceling":
            self._finish(db, deploy_id, "Canceled", [], "")
            return True
        waited = self._clock().timestamp() - row["created_at"]
        polls = settings.pending_polls
        if row["status"] == "Pending":
            if waited < settings.pending_s or (polls and row["polls"] <= polls):
                return False
            started_at = row["created_at"] + settings.pending_s
            db.execute(
                "UPDATE deploy_request SET status = 'InProgress', started_at = ? WHERE id = ?",
                (started_at, deploy_id),
            )
        polls += settings.in_progress_polls
        if waited < settings.pending_s + settings.in_progress_s or (polls and row["polls"] <= polls):
            return False
        self._carry_out(db, row, settings)
        return True

    def _carry_out(self, db: sqlite3.Connection, row: sqlite3.Row, settings: DeploySettings) -> None:
        options = json.loads(row["options"])
        if settings.error_message:
            self._finish(db, row["id"], "Failed", [], settings.error_message)
            return
        outcomes = self._deployer.deploy(row["archive"], options, self._organization(), settings)
        status = "Succeeded"
        if any(each.is_failure for each in outcomes):
            some = any(each.type and not each.is_failure for each in outcomes)
            kept = some and not options["rollbackOnError"] and not options["checkOnly"]
            status = "SucceededPartial" if kept else "Failed"
        self._finish(db, row["id"], status, outcomes, "")

    def _finish(
        self, db: sqlite3.Connection, deploy_id: str, status: str, outcomes: list[Outcome], error: str
    ) -> None:
        db.execute(
            "UPDATE deploy_request SET status = ?, outcomes = ?, error = ?, completed_at = ?, archive = x''"
            " WHERE id = ?",
            (
                status,
                json.dumps([asdict(each) for each in outcomes]),
                error,
                self._clock().timestamp(),
                deploy_id,
            ),
        )

    def _options(self, options: object) -> dict[str, Any]:
        organization = self._organization()
        if not organization.modify_metadata:
            message = (
                "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
            )
            raise SalesforceError(403, "INSUFFICIENT_ACCESS", message)
        if not isinstance(options, dict) or not set(options) <= set(_DEFAULTS):
            known = ", ".join(_DEFAULTS)
            message = f"The part with the options is JSON with deployOptions, an object with some of {known}"
            raise SalesforceError(400, "JSON_PARSER_ERROR", message)
        chosen: dict[str, Any] = _DEFAULTS | options
        for name, default in _DEFAULTS.items():
            if isinstance(default, bool) and not isinstance(chosen[name], bool):
                raise SalesforceError(400, "JSON_PARSER_ERROR", f"{name} is true or false")
        level = chosen["testLevel"]
        if level is not None and level not in TEST_LEVELS:
            raise SalesforceError(400, "JSON_PARSER_ERROR", f"testLevel is one of {', '.join(TEST_LEVELS)}")
        if not chosen["singlePackage"]:
            raise SalesforceError(400, "INVALID_OPERATION", "The sandbox takes single packages only")
        if organization.production and level == "NoTestRun":
            message = "testLevel of NoTestRun cannot be used in production organizations"
            raise SalesforceError(400, "INVALID_OPERATION", message)
        if organization.production and not chosen["rollbackOnError"]:
            message = "rollbackOnError must be true in production organizations"
            raise SalesforceError(400, "INVALID_OPERATION", message)
        return chosen

    def _as_json(self, row: sqlite3.Row, *, details: bool) -> dict[str, Any]:
        options = json.loads(row["options"])
        outcomes = [Outcome(**each) for each in json.loads(row["outcomes"])]
        components = [each for each in outcomes if each.type or each.is_failure]
        result = {
            "id": row["id"],
            "status": row["status"],
            "done": row["status"] in DONE,
            "success": row["status"] in {"Succeeded", "SucceededPartial"},
            "checkOnly": options["checkOnly"],
            "ignoreWarnings": options["ignoreWarnings"],
            "rollbackOnError": options["rollbackOnError"],
            "runTestsEnabled": options["testLevel"] not in {None, "NoTestRun"},
            "numberComponentsTotal": len(components),
            "numberComponentsDeployed": sum(not each.is_failure for each in components),
            "numberComponentErrors": sum(each.is_failure for each in components),
            "numberTestsTotal": 0,
            "numberTestsCompleted": 0,
            "numberTestErrors": 0,
            "createdBy": self._user_id,
            "createdByName": "Integration User",
            "createdDate": _date(row["created_at"]),
            "startDate": _date(row["started_at"]),
            "lastModifiedDate": _date(row["completed_at"] or row["started_at"] or row["created_at"]),
            "completedDate": _date(row["completed_at"]),
            "canceledBy": self._user_id if row["status"] == "Canceled" else None,
            "canceledByName": "Integration User" if row["status"] == "Canceled" else None,
            "errorStatusCode": "UNKNOWN_EXCEPTION" if row["error"] else None,
            "errorMessage": row["error"] or None,
            "stateDetail": None,
            "details": _details(outcomes, row) if details else None,
        }
        if self._settings().text_values:
            result = _as_text(result)
        return {
            "id": row["id"],
            "validatedDeployRequestId": None,
            "deployResult": result,
            "deployOptions": options,
        }


def _row(db: sqlite3.Connection, deploy_id: str) -> sqlite3.Row:
    try:
        deploy_id = ids.canonical(deploy_id)
    except ValueError:
        raise not_found() from None
    row: sqlite3.Row | None = db.execute("SELECT * FROM deploy_request WHERE id = ?", (deploy_id,)).fetchone()
    if row is None:
        raise not_found()
    return row


def _details(outcomes: list[Outcome], row: sqlite3.Row) -> dict[str, Any]:
    shown = [_message(each, row) for each in outcomes]
    return {
        "componentFailures": [each for each in shown if not each["success"]],
        "componentSuccesses": [each for each in shown if each["success"]],
        "retrieveResult": None,
        "runTestResult": {
            "numTestsRun": 0,
            "numFailures": 0,
            "totalTime": 0.0,
            "successes": [],
            "failures": [],
            "codeCoverage": [],
            "codeCoverageWarnings": [],
            "flowCoverage": [],
            "flowCoverageWarnings": [],
        },
    }


def _message(outcome: Outcome, row: sqlite3.Row) -> dict[str, Any]:
    kind = "Warning" if outcome.is_warning else "Error"
    return {
        "componentType": outcome.type,
        "fullName": outcome.full_name or MANIFEST,
        "fileName": outcome.file_name,
        "id": outcome.id or None,
        "success": not outcome.is_failure,
        "created": outcome.created,
        "changed": outcome.changed,
        "deleted": outcome.deleted,
        "warning": outcome.is_warning,
        "problem": outcome.problem,
        "problemType": kind if outcome.problem else None,
        "lineNumber": None,
        "columnNumber": None,
        "requiresProductionTestRun": False,
        "createdDate": _date(row["completed_at"]),
    }


def _date(at: float | None) -> str | None:
    if at is None:
        return None
    return instant(datetime.fromtimestamp(at, UTC)).removesuffix("Z") + "+0000"


def _as_text(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool | int) else value for name, value in result.items()
    }
