"""How often somebody may try: passwords by address and login, the API by key."""

import hashlib
from datetime import timedelta

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

LOGIN = "5 per minute"
API = "1200 per minute"
HOOKS = "6000 per minute"
limiter = Limiter(key_func=get_remote_address, default_limits=[], headers_enabled=False)


def init(app: Flask, redis_url: str | None) -> None:
    """Counts in the hub's Redis; in this process while that is away."""
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(redis_url),
        RATELIMIT_KEY_PREFIX="kehub",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(redis_url),
    )
    limiter.init_app(app)


def by_login() -> str:
    """One counter per address and login."""
    login = request.form.get("login", "").strip().casefold()[:120]
    return f"{get_remote_address()}|{login}"


def by_key() -> str:
    """One counter per API key."""
    key = request.headers.get("Authorization", "")
    return hashlib.sha256(key.encode()).hexdigest() if key else get_remote_address()


def was_refused(response: Response) -> bool:
    """Only wrong passwords count."""
    return response.status_code == 401


def retry_after() -> timedelta:
    """How long to wait after too many tries."""
    return timedelta(minutes=1)


def _storage(redis_url: str | None) -> str:
    if not redis_url:
        return "memory://"
    for other in ("redis+socket://", "unix://"):
        if redis_url.startswith(other):
            return "redis+unix://" + redis_url.removeprefix(other)
    return redis_url
