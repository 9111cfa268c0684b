"""Who may do what: every route that changes something refuses whoever may not use it."""

import re

import pytest

from sync.service import access
from tests.webui.browsers import Browser, Script, application
from webui import auth
from webui.auth import PUBLIC

# Reached without a session, on purpose; each proves its caller in another way, or needs no proof.
OPEN = {"home.sign_in", "home.sign_out", "home.choose_language", "hooks.take"}
_VALUES = {"int": "1", "path": "name", "any": "retry", "default": "x"}


def _rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.methods - {"GET", "HEAD", "OPTIONS"}]


def _address(rule) -> str:
    def fill(match):
        kind = (match.group(1) or "default:").split("(")[0].rstrip(":")
        return _VALUES.get(kind, "x")

    return re.sub(r"<([a-z]+(?:\([^)]*\))?:)?[a-z_]+>", fill, rule.rule)


def _method(rule) -> str:
    return next(iter(rule.methods - {"GET", "HEAD", "OPTIONS"}))


@pytest.fixture
def app(fresh):
    return application(fresh)


def _screens(app):
    return [r for r in _rules(app) if not r.endpoint.startswith("api.") and r.endpoint not in OPEN]


def _calls(app):
    return [r for r in _rules(app) if r.endpoint.startswith("api.")]


def test_every_route_names_the_role_it_needs(app):
    unnamed = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if auth.role_of(app, rule.endpoint) is None
    ]
    assert sorted(set(unnamed)) == ["openapi.spec", "static"]


def test_what_changes_something_is_not_public(app):
    public = {r.endpoint for r in _rules(app) if auth.role_of(app, r.endpoint) == PUBLIC}
    assert public == OPEN


def test_a_form_without_its_token_is_refused(app):
    admin = Browser(app, "admin")
    found = {
        r.endpoint: admin.client.open(_address(r), method=_method(r)).status_code
        for r in _screens(app)
    }
    assert len(found) > 15
    assert set(found.values()) == {400}, found


def test_the_open_forms_need_their_token_too(app):
    for path in ("/login", "/logout", "/language"):
        assert app.test_client().post(path).status_code == 400


def test_a_form_of_nobody_is_refused(app):
    nobody = Browser(app)
    found = {r.endpoint: nobody.post(_address(r)).status_code for r in _screens(app)}
    assert set(found.values()) == {401}, found


@pytest.mark.parametrize("role", ["viewer", "steward"])
def test_a_form_of_a_lesser_role_is_refused(app, role):
    rank = access.ROLES.index(role)
    above = [r for r in _screens(app) if access.ROLES.index(auth.role_of(app, r.endpoint)) > rank]
    person = Browser(app, role)
    found = {r.endpoint: person.post(_address(r)).status_code for r in above}
    assert above
    assert set(found.values()) == {403}, found


def test_an_api_call_without_a_key_is_refused(app):
    signed_in = Browser(app, "admin")  # a session is no key: no other site may use it
    for client in (app.test_client(), signed_in.client):
        found = {
            r.endpoint: client.open(_address(r), method=_method(r), json={}).status_code
            for r in _calls(app)
        }
        assert set(found.values()) == {401}, found


def test_an_api_call_of_a_viewer_changes_nothing(app, fresh):
    viewer = Script(app, fresh, "viewer")
    found = {
        r.endpoint: viewer.client.open(
            _address(r), method=_method(r), json={}, headers=viewer.headers
        ).status_code
        for r in _calls(app)
    }
    assert set(found.values()) == {403}, found


def test_an_api_call_of_a_steward_sets_up_nothing(app, fresh):
    steward = Script(app, fresh, "steward")
    found = {
        r.endpoint: steward.client.open(
            _address(r), method=_method(r), json={}, headers=steward.headers
        ).status_code
        for r in _calls(app)
        if auth.role_of(app, r.endpoint) == "admin"
    }
    assert set(found.values()) == {403}, found


def test_nobody_is_sent_to_the_sign_in_page_and_back(app):
    nobody = Browser(app)
    answer = nobody.get("/customers?q=acme")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/customers?q%3Dacme"
    answer = nobody.post(
        "/login", login="viewer", password="correct horse battery", next="/customers?q=acme"
    )
    assert answer.location == "/customers?q=acme"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(app, target):
    nobody = Browser(app)
    answer = nobody.post("/login", login="viewer", password="correct horse battery", next=target)
    assert answer.location == "/"


def test_a_wrong_password_and_an_unknown_login_look_the_same(app):
    nobody = Browser(app)
    answers = [nobody.post("/login", login=login, password="wrong") for login in ("admin", "ghost")]
    assert [a.status_code for a in answers] == [401, 401]
    assert all("Login or password is not right." in a.text for a in answers)


def test_five_wrong_passwords_in_a_minute_are_enough(app):
    nobody = Browser(app)
    codes = [nobody.post("/login", login="admin", password="no").status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    assert nobody.post("/login", login="viewer", password="no").status_code == 401


def test_a_locked_out_user_is_out_at_once(app, fresh):
    person, calls = Browser(app, "steward"), Script(app, fresh, "steward")
    access.change_user(fresh.hub, "steward", active=False, actor="admin")
    assert person.get("/customers").status_code == 302
    calls.get("/status", status=401)


def test_a_revoked_key_stops_working(app, fresh):
    calls = Script(app, fresh, "viewer")
    calls.get("/status")
    access.revoke_token(fresh.hub, access.list_tokens(fresh.hub)[0].id)
    calls.get("/status", status=401)


def test_signing_out_ends_the_session(app):
    person = Browser(app, "viewer")
    person.post("/logout")
    assert person.get("/").status_code == 302
