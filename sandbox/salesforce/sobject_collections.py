"""sObject Collections: up to 200 records created or changed in one call, each with a result of its own.

Source: REST API Developer Guide, Create and Update Multiple Records with Fewer Round-Trips. Its list errors
say `statusCode` where those of a single record say `errorCode`.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify

from sandbox.salesforce.errors import SalesforceError, malformed
from sandbox.salesforce.organization import Organization
from sandbox.salesforce.rest import json_body, writable

MOST_RECORDS = 200
_KEYS = ("allOrNone", "records")

type Record = dict[str, Any]


class _RolledBackError(Exception):
    """Leaves a transaction that must not be committed."""


def add_collections(paths: Blueprint, organization: Organization) -> None:
    """Add `composite/sobjects` to the paths of one version."""

    @paths.post("/composite/sobjects")
    @paths.post("/composite/sobjects/")
    def create_records(version: str) -> Any:
        def create(record: Record) -> str:
            writable(organization, _type_of(record), "insert")
            return organization.users.create(record)

        return jsonify(_saved(organization, create))

    @paths.patch("/composite/sobjects")
    @paths.patch("/composite/sobjects/")
    def update_records(version: str) -> Any:
        def update(record: Record) -> str:
            writable(organization, _type_of(record), "update")
            record_id = _id_of(record)
            values = {name: value for name, value in record.items() if name.lower() != "id"}
            organization.users.update(record_id, values)
            return record_id

        return jsonify(_saved(organization, update))


def _saved(organization: Organization, save: Callable[[Record], str]) -> list[dict[str, Any]]:
    records, is_all_or_none = _read(organization)
    results: list[dict[str, Any]] = []
    try:
        with organization.store.transaction():
            results += [_saved_one(save, record) for record in records]
            if is_all_or_none and not all(result["success"] for result in results):
                raise _RolledBackError
    except _RolledBackError:
        message = (
            "Record rolled back because not all records were valid and the request was using AllOrNone header"
        )
        rolled_back = _failure(SalesforceError(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", message))
        return [rolled_back if result["success"] else result for result in results]
    return results


def _saved_one(save: Callable[[Record], str], record: Record) -> dict[str, Any]:
    try:
        return {"id": save(record), "success": True, "errors": []}
    except SalesforceError as error:
        return _failure(error)


def _failure(error: SalesforceError) -> dict[str, Any]:
    detail = {"statusCode": error.code, "message": error.message, "fields": error.fields or []}
    return {"success": False, "errors": [detail]}


def _read(organization: Organization) -> tuple[list[Record], bool]:
    """Return the records of the body and its allOrNone. Raises SalesforceError."""
    body = json_body()
    unknown = sorted(set(body) - set(_KEYS))
    if unknown:
        raise malformed(f'Unrecognized field "{unknown[0]}"; allowed are {", ".join(_KEYS)}')
    records, is_all_or_none = body.get("records"), body.get("allOrNone", False)
    if not isinstance(is_all_or_none, bool) or not isinstance(records, list):
        raise malformed("records must be an array, and allOrNone true or false")
    if len(records) > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise SalesforceError(400, "EXCEEDED_ID_LIMIT", message)
    for record in records:
        attributes = record.get("attributes") if isinstance(record, dict) else None
        name = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(name, str):
            raise malformed("each of the records must be an object with attributes that say its type")
        if organization.schema.object(name) is None:
            raise SalesforceError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return records, is_all_or_none


def _type_of(record: Record) -> str:
    return str(record["attributes"]["type"])


def _id_of(record: Record) -> str:
    given = next((value for name, value in record.items() if name.lower() == "id"), None)
    if not isinstance(given, str):
        raise SalesforceError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
    return given
