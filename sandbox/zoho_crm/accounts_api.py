"""The accounts host: token, revocation, and the consent page of the browser flow."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request

from sandbox.zoho_crm.box import the_box
from sandbox.zoho_crm.faults import Call
from sandbox.zoho_crm.gate import answer, leave
from sandbox.zoho_crm.oauth import TokenRefusedError

api = Blueprint("accounts", __name__, url_prefix="/oauth/v2")
api.after_request(leave)


def _form():
    return {**request.args.to_dict(), **request.form.to_dict(), **_untyped_form()}


def _untyped_form():
    """Some clients send a form without saying so."""
    if request.form or request.files or not request.get_data():
        return {}
    return dict(parse_qsl(request.get_data(as_text=True)))


@api.post("/token")
def token():
    box, form = the_box(), _form()
    box.faults.before(Call("POST", request.path, is_write=False))
    try:
        return answer({**_token(box, form), "api_domain": box.base_url})
    except TokenRefusedError as refusal:
        return answer(refusal.body, refusal.status)


def _token(box, form):
    kind = form.get("grant_type")
    if kind == "refresh_token":
        return box.oauth.refresh(form)
    if kind == "authorization_code":
        return box.oauth.exchange(form)
    raise TokenRefusedError("general_error")


@api.post("/token/revoke")
def revoke():
    if the_box().oauth.revoke(_form().get("token", "")):
        return answer({"status": "success"})
    return answer({"error": "invalid_code"})


@api.get("/auth")
def consent():
    args = request.args
    if args.get("client_id") != the_box().oauth.client_id:
        return answer({"error": "invalid_client"})
    if not _is_url(args.get("redirect_uri")):
        return answer({"error": "invalid_redirect_uri"})
    return render_template("consent.html", args=args, scopes=args.get("scope", "").split(","))


@api.post("/auth")
def agreed():
    box, form = the_box(), request.form
    target = form.get("redirect_uri", "")
    if not _is_url(target):
        return answer({"error": "invalid_redirect_uri"})
    if form.get("decision") != "accept":
        values = {"error": "access_denied"}
    else:
        code = box.oauth.grant(form.get("scope", ""), target)
        values = {"code": code, "location": "us", "accounts-server": box.base_url}
    if form.get("state"):
        values["state"] = form["state"]
    joiner = "&" if "?" in target else "?"
    return redirect(f"{target}{joiner}{urlencode(values)}")


def _is_url(text):
    return bool(text) and urlsplit(text).scheme in {"http", "https"}
