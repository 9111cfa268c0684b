"""The Flask application of the stand-in."""

import sys
import traceback

from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from sandbox.zoho_crm import (
    accounts_api,
    admin,
    bulk_api,
    convert,
    coql,
    metadata_api,
    page,
    records,
    watch_api,
)
from sandbox.zoho_crm.bulk_api import render_job
from sandbox.zoho_crm.errors import ApiError, failure
from sandbox.zoho_crm.faults import ConnectionDropped
from sandbox.zoho_crm.gate import answer, on_drop, on_refusal

VERSIONS = {"v6", "v7", "v8"}


def create_app(box):
    app = Flask(__name__)
    app.config["BOX"] = box
    app.url_map.strict_slashes = False
    box.bulk.render = render_job
    for part in (metadata_api, watch_api, coql, bulk_api, convert, records):
        app.register_blueprint(part.api)
    for part in (accounts_api, admin, page):
        app.register_blueprint(part.api)
    app.before_request(refuse_other_versions)
    app.register_error_handler(ApiError, on_refusal)
    app.register_error_handler(ConnectionDropped, on_drop)
    app.register_error_handler(NotFound, on_unknown_url)
    app.register_error_handler(MethodNotAllowed, on_wrong_method)
    app.register_error_handler(Exception, on_bug)
    return app


def refuse_other_versions():
    parts = request.path.split("/")
    if len(parts) < 4 or parts[1] != "crm":
        return
    version = parts[3] if parts[2] == "bulk" else parts[2]
    if version not in VERSIONS:
        details = {"supported_version": "8"}
        raise ApiError(400, "API_NOT_SUPPORTED", "the API version is not supported", details)


def on_unknown_url(_error):
    message = "Please check if the URL trying to access is a correct one"
    return answer(failure("INVALID_URL_PATTERN", message, {}), 404)


def on_wrong_method(_error):
    message = "The http request method type is not a valid one"
    return answer(failure("INVALID_REQUEST_METHOD", message, {}), 400)


def on_bug(error):
    if isinstance(error, HTTPException):
        return error
    traceback.print_exception(error, file=sys.stderr)
    message = "Internal server error occurred."
    return answer(failure("INTERNAL_ERROR", message, {}), 500)
