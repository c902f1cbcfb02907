"""The paths under `/sandbox/` that only this sandbox has: what an admin of the app would do.

All but the page take and answer JSON. Wrong input is answered with 400 and what is allowed.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.scim.page import page
from sandbox.scim.profiles import PROFILES
from sandbox.scim.quirks import read_quirks
from sandbox.scim.scim_app import ScimApp
from sandbox.scim.wire import read_call, sent


def control_paths(app: ScimApp, title: str) -> Blueprint:
    """Return the paths for quirks, the token, and the directory as it is."""
    paths = Blueprint("scim_control", __name__, url_prefix="/sandbox")

    @paths.errorhandler(ValueError)
    def wrong_input(error: ValueError) -> Any:
        return jsonify(error=str(error)), 400

    @paths.get("/page")
    def show_page() -> Any:
        return Response(page(app.directory, title), content_type="text/html; charset=utf-8")

    @paths.get("/directory")
    def show_directory() -> Any:
        return jsonify(users=app.directory.all("User"), groups=app.directory.all("Group"))

    @paths.route("/admin/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def act_as_admin(path: str) -> Any:
        return sent(app.answer_admin(read_call(request, path)), app.quirks, as_admin=True)

    @paths.post("/forget")
    def forget() -> Any:
        seconds = _object().get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ValueError("seconds is a number of at least 0: so much of the past is lost")
        app.directory.forget(seconds)
        return jsonify(status="forgotten")

    _add_quirks(paths, app)
    _add_token(paths, app)
    return paths


def _add_quirks(paths: Blueprint, app: ScimApp) -> None:
    @paths.get("/quirks")
    def show_quirks() -> Any:
        return jsonify(app.quirks.model_dump(mode="json"))

    @paths.post("/quirks")
    def put_quirks() -> Any:
        app.put_quirks(read_quirks(request.get_json(force=True, silent=True), PROFILES))
        return show_quirks()

    @paths.get("/profiles")
    def list_profiles() -> Any:
        return jsonify(PROFILES)


def _add_token(paths: Blueprint, app: ScimApp) -> None:
    @paths.post("/token/expire")
    def expire_token() -> Any:
        app.expire_token()
        return jsonify(status="expired")

    @paths.put("/token")
    def renew_token() -> Any:
        token = _object().get("token")
        if token is not None and (not isinstance(token, str) or not token):
            raise ValueError("token is a text")
        return jsonify(token=app.renew_token(token))


def _object() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body
