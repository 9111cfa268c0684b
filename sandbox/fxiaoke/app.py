"""The Flask application: the vendor's API, the admin calls, and the page for people."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from sandbox.fxiaoke import actions
from sandbox.fxiaoke.admin import admin_blueprint
from sandbox.fxiaoke.page import page_blueprint
from sandbox.fxiaoke.pipeline import Call, Pipeline
from sandbox.fxiaoke.present import encode
from sandbox.fxiaoke.world import World

LOOPBACK = ("127.0.0.1", "::1")


def create_app(world: World) -> Flask:
    app = Flask("sandbox.fxiaoke", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 128 * 1024 * 1024
    app.extensions["world"] = world
    app.extensions["actions"] = actions.__all__
    pipeline = Pipeline(world)

    @app.before_request
    def only_from_here() -> None:
        """Admin calls and the page have no login: this machine only, and no other site's forms."""
        if request.path.startswith(("/cgi/", "/oauth2.0/")):
            return
        if request.remote_addr not in LOOPBACK:
            abort(403)
        origin = request.headers.get("Origin")
        if origin and request.method != "GET" and urlsplit(origin).netloc != request.host:
            abort(403)

    def answer(path: str) -> Response:
        call = Call(
            request.method,
            request.path,
            request.headers,
            request.args,
            request.get_data(),
            request.host_url.rstrip("/"),
        )
        reply = pipeline.answer(call)
        if reply.hang_up:
            request.environ["sandbox.hang_up"] = True
        return Response(reply.body, reply.status, content_type=reply.content_type)

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    for prefix in ("cgi", "oauth2.0"):
        app.add_url_rule(f"/{prefix}/<path:path>", f"api_{prefix[:3]}", answer, methods=methods)

    @app.post("/upload/<ticket>")
    def upload(ticket: str) -> Response:
        sent = request.files.get("facishareFile")
        size = len(sent.read() if sent else request.get_data())
        return Response(
            encode(world.uploads.finish(ticket, size, world.clock.now_ms())),
            content_type="application/json;charset=UTF-8",
        )

    app.register_blueprint(admin_blueprint(world))
    app.register_blueprint(page_blueprint(world))
    return app
