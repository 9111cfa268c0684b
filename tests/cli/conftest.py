"""Commands against a hub in a folder of its own, in this process, with memory systems."""

import json

import pytest
from click.testing import CliRunner

from connectors.memory.world import forget, world
from webui.cli.main import kehub as command


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "hub"
    for name in ("KEHUB_REDIS_URL", "KEHUB_DATABASE_URL", "KEHUB_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEHUB_HOME", str(folder))
    monkeypatch.setenv("KEHUB_PORT", "1")
    monkeypatch.setenv("KEHUB_LANG", "en")
    monkeypatch.chdir(tmp_path)
    return folder


class Kehub:
    """Calls commands; `world(name)` is the memory system behind a name."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.worlds = set()

    def __call__(self, *arguments, expect=0, text=None):
        result = CliRunner().invoke(command, list(arguments), input=text, catch_exceptions=False)
        assert result.exit_code == expect, (result.exit_code, result.stdout, result.stderr)
        return result

    def json(self, *arguments, expect=0):
        return json.loads(self(*arguments, "--json", expect=expect).stdout)

    def world(self, name):
        self.worlds.add(name)
        return world(f"{self.prefix}-{name}")

    def add(self, name):
        self.world(name)
        self(
            *("system", "add", name, "memory"),
            *("--set", f"world={self.prefix}-{name}", "--secret", "password=memory"),
        )


@pytest.fixture
def bare(home):
    """Commands on a folder where nothing was set up."""
    made = Kehub(home.parent.name)
    yield made
    for name in made.worlds:
        forget(f"{made.prefix}-{name}")


@pytest.fixture
def kehub(bare):
    bare("init", "--password", "a long password")
    return bare


@pytest.fixture
def two(kehub):
    """An ERP and a CRM that are live and agree about two customers."""
    for name in ("erp", "crm"):
        kehub.add(name)
    kehub.world("erp").create(
        "customers", name="晨星仪器有限公司", stage="customer", tax_id="91440300000001MA1A"
    )
    kehub.world("crm").create(
        "customers", name="Marlund Foods", stage="customer", phone="+31302000001"
    )
    kehub("plan")
    kehub("apply")
    return kehub
