"""Tokens: refresh, code exchange, revocation, the throttle and the limit of living tokens."""

import secrets
import threading
import time
from dataclasses import dataclass

from sandbox.zoho_crm.errors import ApiError

DEFAULT_SCOPE = (
    "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.users.ALL ZohoCRM.org.ALL "
    "ZohoCRM.coql.READ ZohoCRM.bulk.ALL ZohoCRM.notifications.ALL ZohoSearch.securesearch.READ"
)
THROTTLE_WINDOW = 600
GRANT_SECONDS = 600


@dataclass(frozen=True)
class Access:
    user_id: int
    scopes: frozenset
    expires: float


class TokenRefusedError(Exception):
    """The token endpoint says no; mostly with HTTP 200, as the vendor does."""

    def __init__(self, error, status=200, **extra):
        super().__init__(error)
        self.status = status
        self.body = {**extra, "error": error}


class OAuth:
    def __init__(self, store, clock, switches, people):
        self._store = store
        self._clock = clock
        self._switches = switches
        self._people = people
        self._lock = threading.Lock()
        self._live = {}
        self.client_id = self._constant("client_id", lambda: _token("1000.", 15).upper())
        self.client_secret = self._constant("client_secret", lambda: secrets.token_hex(20))
        self.page_secret = self._constant("page_secret", lambda: secrets.token_hex(32))
        self.refresh_token = self._constant("refresh_token", self._first_refresh_token)
        self._load()

    def _constant(self, name, make):
        value = self._store.meta(name)
        if value is None:
            value = make()
            self._store.set_meta(name, value)
        return value

    def _first_refresh_token(self):
        return self._new_refresh_token(DEFAULT_SCOPE)

    def _new_refresh_token(self, scope):
        token = _token("1000.", 16) + "." + secrets.token_hex(16)
        row = (token, scope, self._people_id(), self._clock.second())
        with self._store.write() as conn:
            conn.execute("INSERT INTO refresh_tokens VALUES (?, ?, ?, 0, ?)", row)
        return token

    def _people_id(self):
        return self._people.integration

    def _load(self):
        sql = (
            "SELECT a.token, r.user_id, r.scope, a.expires FROM access_tokens a "
            "JOIN refresh_tokens r ON r.token = a.refresh WHERE a.alive = 1 AND r.revoked = 0"
        )
        with self._store.read() as conn:
            rows = conn.execute(sql).fetchall()
        self._live = {row[0]: Access(row[1], frozenset(row[2].split()), row[3]) for row in rows}

    def check(self, header):
        """The access behind an Authorization header, or a 401."""
        kind, _, token = (header or "").partition(" ")
        if kind.lower() not in {"zoho-oauthtoken", "bearer"} or not token:
            raise ApiError(401, "AUTHENTICATION_FAILURE", "Authentication failed")
        access = self._live.get(token.strip())
        if access is None or access.expires <= self._clock.now():
            raise ApiError(401, "INVALID_TOKEN", "invalid oauth token")
        return access

    def check_client(self, form):
        if form.get("client_id") != self.client_id:
            raise TokenRefusedError("invalid_client")
        if form.get("client_secret") != self.client_secret:
            raise TokenRefusedError("invalid_client_secret")

    def refresh(self, form):
        self.check_client(form)
        return self.issue(form.get("refresh_token", ""))

    def exchange(self, form):
        """A grant code, once, against a refresh token and an access token."""
        self.check_client(form)
        code = form.get("code", "")
        with self._store.write() as conn:
            sql = "SELECT scope, redirect_uri, expires, used FROM grants WHERE code = ?"
            row = conn.execute(sql, (code,)).fetchone()
            if row is None or row[3] or row[2] <= self._clock.now():
                raise TokenRefusedError("invalid_code")
            if row[1] and form.get("redirect_uri") != row[1]:
                raise TokenRefusedError("invalid_redirect_uri")
            conn.execute("UPDATE grants SET used = 1 WHERE code = ?", (code,))
        refresh_token = self._new_refresh_token(row[0])
        return {**self.issue(refresh_token), "refresh_token": refresh_token}

    def grant(self, scope, redirect_uri):
        """A grant code, as the consent page or the API console makes one."""
        code = _token("1000.", 16) + "." + secrets.token_hex(16)
        scope = " ".join(scope.replace(",", " ").split()) or DEFAULT_SCOPE
        row = (code, scope, redirect_uri, self._clock.now() + GRANT_SECONDS)
        with self._store.write() as conn:
            conn.execute("INSERT INTO grants VALUES (?, ?, ?, ?, 0)", row)
        return code

    def issue(self, refresh_token):
        """A new access token; the throttle counts real seconds, whatever the clock says."""
        with self._lock, self._store.write() as conn:
            sql = "SELECT scope, user_id, revoked FROM refresh_tokens WHERE token = ?"
            row = conn.execute(sql, (refresh_token,)).fetchone()
            if row is None or row[2]:
                raise TokenRefusedError("invalid_code")
            self._throttle(conn, refresh_token)
            self._make_room(conn, refresh_token)
            token = _token("1000.", 16) + "." + secrets.token_hex(16)
            lifetime = self._switches["token_lifetime"]
            expires = self._clock.now() + lifetime
            conn.execute(
                "INSERT INTO access_tokens VALUES (?, ?, ?, ?, 1)",
                (token, refresh_token, time.time(), expires),
            )
        self._live[token] = Access(row[1], frozenset(row[0].split()), expires)
        return {
            "access_token": token,
            "scope": row[0],
            "token_type": "Bearer",
            "expires_in": lifetime,
        }

    def _throttle(self, conn, refresh_token):
        sql = "SELECT count(*) FROM access_tokens WHERE refresh = ? AND issued > ?"
        since = time.time() - THROTTLE_WINDOW
        count = conn.execute(sql, (refresh_token, since)).fetchone()[0]
        if count >= self._switches["token_throttle"]:
            raise TokenRefusedError(
                "Access Denied",
                self._switches["token_throttle_status"],
                error_description="You have made too many requests continuously. "
                "Please try again after some time.",
                status="failure",
            )

    def _make_room(self, conn, refresh_token):
        """The oldest living token dies, and nobody is told."""
        sql = (
            "SELECT token FROM access_tokens WHERE refresh = ? AND alive = 1 AND expires > ? "
            "ORDER BY issued"
        )
        alive = [row[0] for row in conn.execute(sql, (refresh_token, self._clock.now()))]
        for token in alive[: max(0, len(alive) - self._switches["live_tokens"] + 1)]:
            conn.execute("UPDATE access_tokens SET alive = 0 WHERE token = ?", (token,))
            self._live.pop(token, None)

    def revoke(self, token):
        """Withdraw a refresh token (or one access token); False when it is unknown."""
        with self._store.write() as conn:
            sql = "UPDATE refresh_tokens SET revoked = 1 WHERE token = ?"
            known = conn.execute(sql, (token,)).rowcount
            sql = "UPDATE access_tokens SET alive = 0 WHERE refresh = ? OR token = ?"
            known += conn.execute(sql, (token, token)).rowcount
        self._load()
        return bool(known)

    def restore(self, token):
        """Undo a revocation, as if the user had consented again with the same token."""
        with self._store.write() as conn:
            conn.execute("UPDATE refresh_tokens SET revoked = 0 WHERE token = ?", (token,))
        self._load()

    def expire_all(self):
        with self._store.write() as conn:
            conn.execute("UPDATE access_tokens SET alive = 0")
        self._live = {}

    def forget_throttle(self):
        with self._store.write() as conn:
            conn.execute("UPDATE access_tokens SET issued = 0")

    def set_scope(self, scope):
        with self._store.write() as conn:
            conn.execute("UPDATE refresh_tokens SET scope = ?", (scope or DEFAULT_SCOPE,))
        self._load()


def _token(prefix, size):
    return prefix + secrets.token_hex(size)


OPERATIONS = {
    "GET": {"READ"},
    "POST": {"CREATE", "WRITE"},
    "PUT": {"UPDATE", "WRITE"},
    "PATCH": {"UPDATE", "WRITE"},
    "DELETE": {"DELETE"},
}


def refuse_missing_scope(access, group, part, method):
    """401 unless a scope of the token covers `ZohoCRM.<group>[.<part>].<operation>`."""
    operations = OPERATIONS.get(method, set()) | {"ALL"}
    prefix = "ZohoSearch.securesearch" if group == "search" else f"ZohoCRM.{group}"
    stems = {prefix, f"{prefix}.{part}"} if part else {prefix}
    wanted = {f"{stem}.{operation}" for stem in stems for operation in operations}
    if not wanted & access.scopes:
        message = "invalid oauth scope to access this URL"
        raise ApiError(401, "OAUTH_SCOPE_MISMATCH", message)
