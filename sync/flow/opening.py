"""Opening the hub of this process."""

from functools import cache
from importlib.resources import files

import redis
import yaml

from sync.core.policy import PolicySet
from sync.flow.hub import Hub
from sync.gateway.quota import Buckets, LocalBuckets, RedisBuckets
from sync.gateway.systems import Systems
from sync.gateway.vault import open_vault
from sync.settings import Settings, settings
from sync.store.session import Database
from sync.store.systems import StoredSystems
from sync.wake import Waker, make_app


def open_hub(chosen: Settings | None = None) -> Hub:
    """A hub as the settings say. Without a broker it works, but nobody is woken."""
    own = chosen or settings()
    own.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(own.database, full_sync=own.full_sync)
    return Hub(
        settings=own,
        database=database,
        systems=Systems(StoredSystems(database), open_vault(own), _buckets(own)),
        waker=Waker(make_app(own.redis_url) if own.redis_url else None),
        policies=load_policies(own),
    )


@cache
def hub() -> Hub:
    """The hub of this process."""
    return open_hub()


def load_policies(own: Settings) -> PolicySet:
    """The site's `config/policy.yaml` in the data folder, else the one that is shipped."""
    site = own.home / "config" / "policy.yaml"
    if site.is_file():
        text = site.read_text(encoding="utf-8")
    else:
        text = files("config").joinpath("policy.yaml").read_text(encoding="utf-8")
    return PolicySet.model_validate(yaml.safe_load(text))


def _buckets(own: Settings) -> Buckets:
    if not own.redis_url:
        return LocalBuckets()
    url = own.redis_url.replace("redis+socket://", "unix://", 1)
    return RedisBuckets(redis.Redis.from_url(url, socket_timeout=5))
