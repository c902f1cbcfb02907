"""The paths under `/sandbox/` that only this sandbox has: what an admin would do in Setup, and more.

All take and answer JSON. Wrong input is answered with 400 and what is allowed.
"""

from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.salesforce import metadata_settings
from sandbox.salesforce.delivery import settings_as_json
from sandbox.salesforce.metadata_objects import Problem
from sandbox.salesforce.organization import Organization
from sandbox.salesforce.outbound_messages import DEFAULT_NAME
from sandbox.salesforce.schema import custom_field
from sandbox.salesforce.values import instant, read_instant


def control_paths(organization: Organization) -> Blueprint:
    """Return the paths for fields, sessions, the API limit, users, and the outbound message's delivery."""
    paths = Blueprint("salesforce_control", __name__, url_prefix="/sandbox")

    @paths.errorhandler(ValueError)
    def wrong_input(error: ValueError) -> Any:
        return jsonify(error=str(error)), 400

    @paths.post("/custom-fields")
    def define_custom_field() -> Any:
        body = _object("name", "type", "length", "label", "formula")
        field = custom_field(
            body.get("name"),
            body.get("type"),
            body.get("length"),
            body.get("label"),
            body.get("formula", False),
        )
        organization.define_custom_field(field)
        return jsonify(name=field.name, type=field.type, length=field.length, label=field.label), 201

    @paths.post("/sessions/expire")
    def expire_sessions() -> Any:
        organization.sessions.expire()
        return jsonify(status="expired")

    @paths.put("/jwt-key")
    def upload_jwt_key() -> Any:
        organization.upload_jwt_key(_object("public_key").get("public_key"))
        return jsonify(client_id=organization.client.client_id, username=organization.client.username)

    @paths.get("/limits")
    def show_limits() -> Any:
        return jsonify(organization.api_limit.as_json())

    @paths.put("/limits")
    def change_limits() -> Any:
        organization.api_limit.change(_object("api_requests_per_day").get("api_requests_per_day"))
        return jsonify(organization.api_limit.as_json())

    _add_users(paths, organization)
    _add_metadata(paths, organization)
    _add_outbound_message(paths, organization)
    _add_delivery(paths, organization)
    return paths


def _add_users(paths: Blueprint, organization: Organization) -> None:
    users = organization.users

    @paths.post("/users/vanish")
    def vanish() -> Any:
        record_ids = _ids("ids", _object("ids"))
        users.vanish(record_ids, vanished=True)
        return jsonify(vanished=len(record_ids))

    @paths.post("/users/reappear")
    def reappear() -> Any:
        record_ids = _ids("ids", _object("ids"))
        users.vanish(record_ids, vanished=False)
        return jsonify(reappeared=len(record_ids))

    @paths.post("/users/login")
    def log_in() -> Any:
        body = _object("ids", "at")
        at = read_instant(str(body["at"])) if "at" in body else instant(organization.clock())
        if at is None:
            raise ValueError("at is a date and time with a time zone, as in 2026-11-20T08:15:31Z")
        record_ids = _ids("ids", body)
        users.log_in(record_ids, at)
        return jsonify(logged_in=len(record_ids), at=at)

    @paths.put("/formulas/<name>")
    def calculate(name: str) -> Any:
        body = _object("ids", "value")
        record_ids = _ids("ids", body)
        users.calculate(record_ids, name, body.get("value"))
        return jsonify(name=name, users=len(record_ids))

    @paths.post("/users/freeze")
    def freeze() -> Any:
        body = _object("ids", "frozen")
        frozen = body.get("frozen", True)
        if not isinstance(frozen, bool):
            raise ValueError("frozen is true or false")
        record_ids = _ids("ids", body)
        organization.access.freeze(record_ids, frozen=frozen)
        return jsonify(changed=len(record_ids), frozen=frozen)

    @paths.put("/permission-sets/<name>")
    def give_permission_set(name: str) -> Any:
        record_ids = _ids("ids", _object("ids"))
        organization.access.give(name, record_ids)
        return jsonify(name=name, users=len(record_ids))

    @paths.put("/groups/<name>")
    def fill_group(name: str) -> Any:
        record_ids = _ids("ids", _object("ids"))
        organization.access.fill(name, record_ids)
        return jsonify(name=name, users=len(record_ids))


def _add_metadata(paths: Blueprint, organization: Organization) -> None:
    @paths.get("/organization")
    def show_organization() -> Any:
        return jsonify(metadata_settings.settings_as_json(organization.settings))

    @paths.put("/organization")
    def change_organization() -> Any:
        settings = organization.change_settings(request.get_json(force=True, silent=True))
        return jsonify(metadata_settings.settings_as_json(settings))

    @paths.get("/deploys")
    def show_deploys() -> Any:
        return jsonify(metadata_settings.settings_as_json(organization.deploy_settings))

    @paths.put("/deploys")
    def change_deploys() -> Any:
        settings = organization.change_deploy_settings(request.get_json(force=True, silent=True))
        return jsonify(metadata_settings.settings_as_json(settings))

    @paths.put("/flows/<name>")
    def activate_flow(name: str) -> Any:
        number = _object("active_version").get("active_version")
        try:
            organization.activate_flow(name, number, by_admin=True)
        except Problem as problem:
            raise ValueError(str(problem)) from None
        return jsonify(name=name, active_version=number)


def _add_outbound_message(paths: Blueprint, organization: Organization) -> None:
    messages = organization.outbound_messages

    @paths.get("/outbound-message")
    def list_messages() -> Any:
        organization.deploys.settle()
        return jsonify(messages.as_json())

    @paths.put("/outbound-message")
    def install_message() -> Any:
        body = _object("name", "url", "fields", "object")
        name, object_name = body.get("name", DEFAULT_NAME), body.get("object", "User")
        message = messages.install(name, body.get("url"), body.get("fields"), object_name)
        organization.sender.wake()
        return jsonify(name=message.name, action_id=message.action_id, organization_id=organization.id)

    @paths.delete("/outbound-message")
    def remove_message() -> Any:
        body = _object("name")
        name = body.get("name", DEFAULT_NAME)
        return jsonify(name=name, removed=messages.remove(str(name)))


def _add_delivery(paths: Blueprint, organization: Organization) -> None:
    sender = organization.sender

    @paths.get("/outbound-message/delivery")
    def show_delivery() -> Any:
        return jsonify(settings_as_json(sender.settings))

    @paths.put("/outbound-message/delivery")
    def change_delivery() -> Any:
        return jsonify(settings_as_json(sender.change(request.get_json(force=True, silent=True))))

    @paths.get("/outbound-message/deliveries")
    def deliveries() -> Any:
        return jsonify(sender.report(bodies=request.args.get("bodies") == "true"))

    @paths.post("/outbound-message/resend")
    def resend() -> Any:
        return jsonify(queued=organization.resend(_ids("records", _object("records"))))


def _ids(name: str, body: dict[str, Any]) -> list[str]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{name} is a list of User ids")
    return found


def _object(*keys: str) -> dict[str, Any]:
    """Return the body, {} for none. Raises ValueError for anything but an object with some of the keys."""
    body = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict) or not set(body) <= set(keys):
        raise ValueError(f"the body is an object with some of {', '.join(keys)}")
    return body
