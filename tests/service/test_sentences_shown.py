"""Stored sentences of connectors and engine on screens, in the JSON API and in commands."""

import pytest
from sqlalchemy import update

from connectors.sdk.errors import SetupError, TransientError
from sync.service import access
from sync.store.tables import System
from tests.hubs import make_hub
from webui.app import create_app
from webui.cli.console import Console
from webui.cli.failing import sentence

REASON = "Tryton does not know the user 'bob'."
HINT = "Check login and password in the settings of this system."
PASSWORD = "correct horse battery"


@pytest.fixture
def broken(tmp_path):
    made = make_hub(f"sqlite:///{tmp_path / 'kehub.db'}", tmp_path, ("erp",))
    access.create_user(made.hub, login="ann", password=PASSWORD, role="admin", language="zh")
    with made.hub.database.write() as tx:
        tx.execute(update(System).values(state="broken", state_reason=REASON, state_hint=HINT))
    yield made.hub
    made.close()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, REASON),
        ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, "Tryton 中没有用户 'bob'。"),
        ({"Accept-Language": "de,en;q=0.8"}, REASON),
    ],
)
def test_the_api_answers_in_the_language_that_is_asked_for(broken, asked, reason):
    user = access.check_password(broken, "ann", PASSWORD)
    key, _ = access.create_token(broken, user.id, "test")
    client = create_app(broken).test_client()

    answer = client.get("/api/v1/systems", headers={"Authorization": f"Bearer {key}", **asked})

    assert answer.json["systems"][0]["reason"] == reason


@pytest.mark.parametrize("path", ["/", "/systems", "/systems/erp"])
def test_screens_show_a_stored_reason_in_chinese(broken, path):
    app = create_app(broken)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"login": "ann", "password": PASSWORD})

    page = client.get(path, follow_redirects=True).text

    assert "Tryton 中没有用户" in page
    assert "does not know the user" not in page


def test_a_command_says_the_refusal_of_a_connector_in_chinese():
    error = SetupError(REASON, hint=HINT)

    assert sentence(error, Console("zh"))[1].startswith("Tryton 中没有用户 'bob'。请在")
    assert sentence(error, Console("en"))[1] == f"{REASON} {HINT}"


def test_a_command_says_that_a_system_is_away_in_chinese():
    error = TransientError("erp.example.com does not answer.")

    assert "erp.example.com 没有应答。" in sentence(error, Console("zh"))[1]
