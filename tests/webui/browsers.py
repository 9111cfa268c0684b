"""The web application as a browser and as a script meet it, without a server."""

import re

from flask import Flask
from flask.testing import FlaskClient

from sync.service import access
from tests.hubs import Fixture
from tests.webui import demo
from webui.app import create_app
from webui.limits import limiter


def application(made: Fixture) -> Flask:
    app = create_app(made.hub)
    limiter.reset()
    return app


class Browser:
    """A client that fills in the token of the forms that it posts."""

    def __init__(self, app: Flask, role: str = "", language: str = "en") -> None:
        self.client: FlaskClient = app.test_client()
        self.token = self._token("/login")
        self.post("/language", language=language)
        if role:
            answer = self.post("/login", login=role, password=demo.PASSWORD)
            assert answer.status_code == 303, answer.text
            self.token = self._token("/account")

    def get(self, path: str, **headers: str):
        return self.client.get(path, headers=headers)

    def text(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def post(self, path: str, headers: dict[str, str] | None = None, **form):
        return self.client.post(path, data={"csrf_token": self.token, **form}, headers=headers)

    def _token(self, path: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).text)
        assert found, path
        return found.group(1)


class Script:
    """A client of the JSON API."""

    def __init__(self, app: Flask, made: Fixture, role: str) -> None:
        self.client = app.test_client()
        user = access.check_password(made.hub, role, demo.PASSWORD)
        key, _ = access.create_token(made.hub, user.id, "test")
        self.headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, status: int = 200):
        return self._read(self.client.get(f"/api/v1{path}", headers=self.headers), status)

    def post(self, path: str, body=None, status: int = 200):
        answer = self.client.post(f"/api/v1{path}", json=body or {}, headers=self.headers)
        return self._read(answer, status)

    def patch(self, path: str, body, status: int = 200):
        answer = self.client.patch(f"/api/v1{path}", json=body, headers=self.headers)
        return self._read(answer, status)

    def _read(self, answer, status: int):
        assert answer.status_code == status, answer.text
        return answer.json
