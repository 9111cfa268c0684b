"""Who may use the hub: users with their roles, and keys for scripts."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sync.flow.hub import Hub
from sync.service.errors import NotFoundError, ServiceError
from sync.store import audit
from sync.store.session import Tx
from sync.store.tables import ApiToken, Audit, User

ROLES = ("viewer", "steward", "admin")  # each may do what those before it may
LANGUAGES = ("zh", "en")
SHORTEST_PASSWORD = 10
TOKEN_PREFIX = "kh_"  # noqa: S105  only a mark that scanners for leaked keys recognise
_USED_AGAIN = timedelta(minutes=1)  # how exactly the last use of a key is noted


@dataclass(frozen=True, slots=True)
class UserView:
    """A person who signs in; never with the password's hash."""

    id: int
    login: str
    role: str
    language: str
    active: bool
    created_at: datetime

    def may(self, role: str) -> bool:
        """Whether the user has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class TokenView:
    """A key for scripts; the key itself is shown once, when it is made."""

    id: int
    login: str
    name: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditView:
    """Who did what in the hub."""

    actor: str
    action: str
    subject: str
    facts: Mapping[str, Any]
    at: datetime


def create_user(
    hub: Hub,
    *,
    login: str,
    password: str,
    role: str = "admin",
    language: str = "",
    actor: str = "",
) -> UserView:
    """A new user. The login is case-insensitive; the password is kept as an argon2 hash."""
    name = _login(login)
    if not name or len(name) > 120:
        raise ServiceError("A user needs a login of 1 to 120 characters.", code="bad_login")
    _check_role(role)
    _check_password(password)
    row = User(
        login=name,
        password_hash=_hasher().hash(password),
        role=role,
        language=language if language in LANGUAGES else "",
        active=True,
        created_at=hub.now(),
    )
    with hub.database.write() as tx:
        if tx.scalar(select(User.id).where(User.login == name)):
            raise ServiceError(f"There is a user “{name}” already.", code="login_taken", name=name)
        tx.add(row)
        tx.flush()
        _note(tx, hub, actor, "user.create", name, {"role": role})
        return _user(row)


def check_password(hub: Hub, login: str, password: str) -> UserView | None:
    """The user with this login and password; None says nothing about which of them is wrong."""
    with hub.database.read() as session:
        row = session.scalar(select(User).where(User.login == _login(login)))
    if row is None or not row.active:
        _matches(_dummy_hash(), password)  # as slow as for a user that there is
        return None
    if not _matches(row.password_hash, password):
        return None
    if _hasher().check_needs_rehash(row.password_hash):
        with hub.database.write() as tx:
            tx.execute(
                update(User).where(User.id == row.id).values(password_hash=_hasher().hash(password))
            )
    return _user(row)


def get_user(hub: Hub, user_id: int) -> UserView | None:
    """An active user by id."""
    with hub.database.read() as session:
        row = session.get(User, user_id)
    return _user(row) if row is not None and row.active else None


def list_users(hub: Hub) -> list[UserView]:
    """All users by login."""
    with hub.database.read() as session:
        return [_user(row) for row in session.scalars(select(User).order_by(User.login))]


def has_users(hub: Hub) -> bool:
    """Whether anybody can sign in at all."""
    with hub.database.read() as session:
        return session.scalar(select(User.id).limit(1)) is not None


def set_language(hub: Hub, user_id: int, language: str) -> None:
    """Remembers the language a user chose."""
    if language not in LANGUAGES:
        raise ServiceError(f"There is no language “{language}”.", code="bad_language")
    with hub.database.write() as tx:
        tx.execute(update(User).where(User.id == user_id).values(language=language))


def set_password(hub: Hub, login: str, password: str, *, actor: str = "") -> UserView:
    """A new password; for a user who knows the old one, or for an admin."""
    _check_password(password)
    with hub.database.write() as tx:
        row = _row(tx, login)
        row.password_hash = _hasher().hash(password)
        _note(tx, hub, actor, "user.password", row.login, {})
        return _user(row)


def change_user(
    hub: Hub, login: str, *, role: str | None = None, active: bool | None = None, actor: str = ""
) -> UserView:
    """Changes the role, or locks a user out. The last active admin stays."""
    if role is not None:
        _check_role(role)
    with hub.database.write() as tx:
        row = _row(tx, login)
        row.role = role or row.role
        row.active = row.active if active is None else active
        tx.flush()
        if not _admins(tx):
            raise ServiceError(
                "The hub needs at least one active admin.",
                code="last_admin",
                hint="Make another user admin first.",
            )
        if active is False:
            _revoke(tx, hub, ApiToken.user_id == row.id)
        facts = {"role": row.role, "active": row.active}
        _note(tx, hub, actor, "user.change", row.login, facts)
        return _user(row)


def create_token(hub: Hub, user_id: int, name: str, *, actor: str = "") -> tuple[str, TokenView]:
    """A new key with the rights of its user. The key is returned once; its digest is kept."""
    label = name.strip()[:80]
    if not label:
        raise ServiceError("A key needs a name that says what it is for.", code="token_name")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with hub.database.write() as tx:
        user = tx.get(User, user_id)
        if user is None:
            raise NotFoundError("There is no such user.", code="no_user", name=str(user_id))
        row = ApiToken(user_id=user_id, name=label, digest=_digest(secret), created_at=hub.now())
        tx.add(row)
        tx.flush()
        _note(tx, hub, actor or user.login, "token.create", label, {"user": user.login})
        return secret, _token(row, user.login)


def check_token(hub: Hub, secret: str) -> UserView | None:
    """The active user whose key this is."""
    if not secret.startswith(TOKEN_PREFIX):
        return None
    with hub.database.read() as session:
        found = session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(ApiToken.digest == _digest(secret))
        ).one_or_none()
    if found is None:
        return None
    token, user = found
    if token.revoked_at is not None or not user.active:
        return None
    now = hub.now()
    if token.used_at is None or now - token.used_at > _USED_AGAIN:
        with hub.database.write() as tx:
            tx.execute(update(ApiToken).where(ApiToken.id == token.id).values(used_at=now))
    return _user(user)


def list_tokens(hub: Hub, user_id: int | None = None) -> list[TokenView]:
    """Keys that are not revoked, of one user or of all."""
    query = (
        select(ApiToken, User.login)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    with hub.database.read() as session:
        return [_token(row, login) for row, login in session.execute(query)]


def revoke_token(hub: Hub, token_id: int, *, user_id: int | None = None, actor: str = "") -> None:
    """Ends a key at once; with `user_id` only a key of that user."""
    wanted = [ApiToken.id == token_id]
    if user_id is not None:
        wanted.append(ApiToken.user_id == user_id)
    with hub.database.write() as tx:
        if not _revoke(tx, hub, *wanted):
            raise NotFoundError("There is no such key.", code="no_token", id=token_id)
        _note(tx, hub, actor, "token.revoke", str(token_id), {})


def list_audit(hub: Hub, *, before: int | None = None, limit: int = 50) -> list[AuditView]:
    """Who did what, the newest first."""
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Audit.id < before)
    with hub.database.read() as session:
        return [
            AuditView(row.actor, row.action, row.subject, row.facts, row.at)
            for row in session.scalars(query)
        ]


def session_key(hub: Hub) -> str:
    """What signs the browsers' sessions: the same in every web process of this hub."""
    return hub.systems.vault.sign("web session")


def _revoke(tx: Tx, hub: Hub, *where: Any) -> int:
    ended = tx.scalars(
        update(ApiToken)
        .where(*where, ApiToken.revoked_at.is_(None))
        .values(revoked_at=hub.now())
        .returning(ApiToken.id)
    )
    return len(ended.all())


def _admins(session: Session) -> int:
    query = select(func.count()).select_from(User).where(User.role == "admin", User.active)
    return session.scalar(query) or 0


def _row(tx: Tx, login: str) -> User:
    row = tx.scalar(select(User).where(User.login == _login(login)))
    if row is None:
        raise NotFoundError(f"There is no user “{login}”.", code="no_user", name=login)
    return row


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise ServiceError(
            f"There is no role “{role}”.", code="bad_role", hint=f"Roles are {', '.join(ROLES)}."
        )


def _check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise ServiceError(
            f"A password needs at least {SHORTEST_PASSWORD} characters.",
            code="short_password",
            count=SHORTEST_PASSWORD,
        )


def _login(login: str) -> str:
    return login.strip().casefold()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _dummy_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _user(row: User) -> UserView:
    return UserView(row.id, row.login, row.role, row.language, row.active, row.created_at)


def _token(row: ApiToken, login: str) -> TokenView:
    return TokenView(row.id, login, row.name, row.created_at, row.used_at, row.revoked_at)


def _note(
    tx: Tx, hub: Hub, actor: str, action: str, subject: str, facts: Mapping[str, Any]
) -> None:
    audit.note(tx, actor=actor, action=action, subject=subject, facts=facts, now=hub.now())
