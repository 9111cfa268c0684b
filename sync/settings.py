"""Environment -> one frozen model."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What moves a hub. Every field is read from `KEHUB_<NAME>`; durations are seconds."""

    model_config = SettingsConfigDict(
        env_prefix="KEHUB_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Path("var")
    port: int = 8000
    lang: Literal["zh", "en"] = "en"
    database_url: str | None = None  # default: SQLite in the data folder
    redis_url: str | None = None  # default: the Valkey that `kehub run` starts
    public_url: str | None = None  # how other systems reach us for webhooks
    secret_key: SecretStr | None = None  # default: a key file in the data folder
    secret_key_file: Path | None = None
    suppression_file: Path | None = None  # whom never to hold again; default: in the data folder
    pg_bin: Path | None = None  # folder of pg_dump and pg_restore, where they are not on PATH
    full_sync: bool = False  # SQLite synchronous=FULL: survives a power cut, 5 times slower
    poll_seconds: float = 30.0
    workers: int | None = Field(None, ge=1, le=32)  # processes of `kehub run`; default 2, or cores
    batch: int = Field(200, ge=1, le=500)  # rows claimed at once
    lease: float = 100.0  # three times the longest HTTP timeout
    attempts: int = 8  # before a row becomes a dead letter
    hold_hours: float = 24.0  # how long an undecided candidate stays out of other systems
    delete_guard_count: int = 10
    delete_guard_share: float = 0.01
    change_guard_count: int = 200  # linked records whose same field changes in ten minutes
    change_guard_share: float = 0.2
    flip_guard_count: int = 4  # so many returns to an earlier value within ...
    flip_guard_seconds: float = 3600.0
    quota_utc_offset: float = 0.0  # hours; the zone in which a vendor's day of calls begins
    drift_seconds: float = 900.0  # how long a described schema is trusted
    mapping_guard_share: float = 0.1  # a mapping that touches more records needs approval

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        if not self.database_url:
            return f"sqlite:///{(self.home / 'kehub.db').resolve()}"
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def base_url(self) -> str:
        """The address of the web UI, without a trailing slash."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
