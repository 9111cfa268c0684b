"""Security headers, on every answer from one place."""

import secrets

from flask import Flask, Response, g, request

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ONE_YEAR = "max-age=31536000"


def init(app: Flask, *, https: bool) -> None:
    """Adds the headers; `https` also asks browsers to stay with it."""

    def add(response: Response) -> Response:
        for name, value in _FIXED.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce())
        if https:
            response.headers["Strict-Transport-Security"] = _ONE_YEAR
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add)
    app.jinja_env.globals["csp_nonce"] = nonce


def nonce() -> str:
    """The nonce of this answer's own scripts and styles."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)
