"""Connectors are found by their folder; nothing is listed anywhere."""

from pathlib import Path

import pytest

import connectors
from connectors.sdk import registry
from connectors.sdk.config import form_fields
from connectors.sdk.contract import Connector
from connectors.sdk.errors import SetupError

FOLDERS = sorted(
    path.parent.name
    for path in Path(connectors.__path__[0]).glob("*/__init__.py")
    if path.parent.name not in {"sdk", "testing"}
)


def test_every_folder_is_a_connector_with_its_files():
    assert sorted(registry.all()) == FOLDERS
    for name, found in registry.all().items():
        assert issubclass(found, Connector)
        assert found.name == name
        assert found.label
        assert form_fields(found.config_model)
        for file in ("quality.yaml", "README.md"):
            assert (registry.folder(found) / file).is_file(), (name, file)
        assert registry.mapping_files(found), name


def test_a_connector_is_got_by_name():
    assert registry.get("memory").name == "memory"


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(SetupError, match="no connector named 'salesforce'") as caught:
        registry.get("salesforce")
    assert "memory" in caught.value.hint


def test_an_entry_point_adds_a_connector_and_never_replaces_ours(monkeypatch):
    class Point:
        def __init__(self, target):
            self.load = lambda: target

    class Elsewhere(registry.get("memory")):
        name = "elsewhere"

    class Usurper(registry.get("memory")):
        name = "memory"

    points = [Point(Elsewhere), Point(Usurper)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.all.cache_clear()
    try:
        assert registry.get("elsewhere") is Elsewhere
        assert registry.get("memory") is not Usurper
    finally:
        registry.all.cache_clear()
