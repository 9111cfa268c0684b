"""The calls under /__admin/: what a test, a demo or a person uses to look inside and make trouble."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from sandbox.fxiaoke.admin import fields, rows, settings, trouble
from sandbox.fxiaoke.admin.table import Table
from sandbox.fxiaoke.errors import AdminError, ApiError

if TYPE_CHECKING:
    from sandbox.fxiaoke.world import World


def admin_blueprint(world: "World") -> Blueprint:
    blueprint = Blueprint("admin", __name__, url_prefix="/__admin")
    table = Table(blueprint)
    for module in (trouble, settings, fields, rows):
        module.register(table, world)

    @blueprint.get("/")
    def listing() -> Response:
        return jsonify({"what": "stand-in for 纷享销客, not the vendor", "calls": table.entries})

    @blueprint.errorhandler(AdminError)
    def wrong(error: AdminError) -> tuple[Response, int]:
        return jsonify({"error": error.message}), error.status

    @blueprint.errorhandler(ApiError)
    def refused(error: ApiError) -> tuple[Response, int]:
        return jsonify({"error": error.message}), 409

    return blueprint
