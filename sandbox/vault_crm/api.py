"""The REST API: sessions, queries, records and metadata. What concerns the user itself is in `users_api`."""

from typing import Any

import orjson
from flask import Blueprint, g, jsonify, request

from sandbox.vault_crm.admission import SERVED_VERSIONS, admit
from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.login import log_in
from sandbox.vault_crm.metadata import described, described_object
from sandbox.vault_crm.records import Call
from sandbox.vault_crm.schema import Field, VObject
from sandbox.vault_crm.users_api import add_users
from sandbox.vault_crm.vault import Vault
from sandbox.vault_crm.vault_faults import ENGAGE_FAILS, FAIL_ROWS, REFUSE_CALL


def api_paths(vault: Vault) -> Blueprint:
    """Return everything under `/api`."""
    paths = Blueprint("vault_api", __name__, url_prefix="/api")
    paths.before_request(lambda: admit(vault))

    @paths.get("/")
    def list_versions() -> Any:
        values = {version: f"{_host_url()}/api/{version}" for version in SERVED_VERSIONS}
        return jsonify(responseStatus="SUCCESS", values=values)

    @paths.post("/<version>/auth")
    def authenticate(version: str) -> Any:
        return jsonify(log_in(vault, request.form, _host_url()))

    @paths.post("/<version>/keep-alive")
    def keep_alive(version: str) -> Any:
        return jsonify(responseStatus="SUCCESS")

    @paths.delete("/<version>/session")
    def end_session(version: str) -> Any:
        vault.sessions.end(g.session)
        vault.engage.end_session(g.session)
        return jsonify(responseStatus="SUCCESS")

    _add_queries(paths, vault)
    _add_records(paths, vault)
    _add_metadata(paths, vault)
    add_users(paths, vault)
    return paths


def _add_queries(paths: Blueprint, vault: Vault) -> None:
    @paths.post("/<version>/query")
    def run_query(version: str) -> Any:
        vql = request.form.get("q")
        if not vql:
            raise VaultError("PARAMETER_REQUIRED", "Missing required parameter [q]")
        describe = request.headers.get("X-VaultAPI-DescribeQuery", "").lower() == "true"
        return jsonify(vault.queries.run(vql, version, describe=describe))

    # The reference says POST, Vault's own libraries send GET.
    @paths.route("/<version>/query/<cursor_id>", methods=["GET", "POST"])
    def next_page(version: str, cursor_id: str) -> Any:
        offset = request.args.get("pageoffset", 0, type=int)
        size = request.args.get("pagesize", vault.configuration.paging.max_rows, type=int)
        return jsonify(vault.queries.more(cursor_id, offset, size, version))


def _add_records(paths: Blueprint, vault: Vault) -> None:
    @paths.put("/<version>/vobjects/<object_name>")
    def update(version: str, object_name: str) -> Any:
        return jsonify(vault.records.update(object_name, _records(), _call(version)))

    @paths.post("/<version>/vobjects/<object_name>")
    def create(version: str, object_name: str) -> Any:
        return jsonify(vault.records.create(object_name, _records(), _call(version)))


def _call(version: str) -> Call:
    without = request.headers.get("X-VaultAPI-NoTriggers", "").lower() == "true"
    fail_rows, refuse_call = (request.environ.get(fault) for fault in (FAIL_ROWS, REFUSE_CALL))
    return Call(
        version,
        g.session,
        triggers=not without,
        fail_rows=fail_rows.rows if fail_rows else 0,
        fail_type=(fail_rows.error if fail_rows else "") or "SDK_ERROR",
        refused_record=refuse_call.record if refuse_call else None,
        refusal=(refuse_call.error if refuse_call else "") or "INVALID_DATA",
        engage_fails=ENGAGE_FAILS in request.environ,
    )


def _records() -> object:
    """Return the records sent. Raises VaultError; an upsert and CSV are not what this sandbox speaks."""
    if "idParam" in request.args:
        raise VaultError("ATTRIBUTE_NOT_SUPPORTED", "The sandbox does not know idParam")
    if request.mimetype != "application/json":
        raise VaultError(
            "INVALID_DATA", "The Content-Type must be application/json; the sandbox reads no CSV"
        )
    try:
        return orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise VaultError("INVALID_DATA", "The body is not JSON") from None


def _add_metadata(paths: Blueprint, vault: Vault) -> None:
    def found(object_name: str) -> VObject:
        if object_name not in vault.schema:
            raise VaultError("INVALID_DATA", f"The object [{object_name}] does not exist")
        return vault.schema[object_name]

    def shown(vobject: VObject, field: Field) -> dict[str, Any]:
        may_edit = vault.configuration.permissions.may_edit(vobject.name, field.name)
        return described(field, editable=field.editable and may_edit)

    @paths.get("/<version>/metadata/vobjects/<object_name>")
    def describe_object(version: str, object_name: str) -> Any:
        vobject = found(object_name)
        fields = [shown(vobject, field) for field in vobject.fields]
        return jsonify(responseStatus="SUCCESS", object=described_object(vobject, fields))

    @paths.get("/<version>/metadata/vobjects/<object_name>/fields/<name>")
    def describe_field(version: str, object_name: str, name: str) -> Any:
        vobject = found(object_name)
        if name not in vobject.by_name:
            raise VaultError("INVALID_DATA", f"The field [{name}] does not exist")
        return jsonify(responseStatus="SUCCESS", field=shown(vobject, vobject.by_name[name]))


def _host_url() -> str:
    return request.host_url.rstrip("/")
