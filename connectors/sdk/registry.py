"""Which connectors there are: the folders next to this one, and entry points of other packages."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import connectors
from connectors.sdk.contract import Connector
from connectors.sdk.errors import SetupError

GROUP = "kehub.connectors"
_NOT_CONNECTORS = frozenset({"sdk", "testing"})
ConnectorClass = type[Connector[Any]]


@cache
def all() -> Mapping[str, ConnectorClass]:  # noqa: A001  read as registry.all()
    """Every connector by name. One of ours wins over an entry point of the same name."""
    found = {**_from_entry_points(), **_from_folders()}
    return MappingProxyType(dict(sorted(found.items())))


def get(name: str) -> ConnectorClass:
    """The connector with this name; SetupError names those that there are."""
    known = all()
    if name not in known:
        raise SetupError(
            f"There is no connector named {name!r}.", hint=f"Known are: {', '.join(known)}."
        )
    return known[name]


def folder(connector: ConnectorClass) -> Traversable:
    """Where the connector's own files are: mappings, quality.yaml, README.md."""
    return files(connector.__module__.rpartition(".")[0])


def mapping_files(connector: ConnectorClass) -> tuple[Traversable, ...]:
    """The default mappings it brings: `mapping.yaml`, or every `mapping/<object>.yaml`."""
    single = folder(connector) / "mapping.yaml"
    if single.is_file():
        return (single,)
    many = folder(connector) / "mapping"
    if not many.is_dir():
        return ()
    found = [item for item in many.iterdir() if item.name.endswith(".yaml")]
    return tuple(sorted(found, key=lambda item: item.name))


def _from_folders() -> dict[str, ConnectorClass]:
    found: dict[str, ConnectorClass] = {}
    for module in pkgutil.iter_modules(connectors.__path__):
        if not module.ispkg or module.name in _NOT_CONNECTORS:
            continue
        package = importlib.import_module(f"{connectors.__name__}.{module.name}")
        connector = getattr(package, "CONNECTOR", None)
        if connector is not None:
            found[connector.name] = connector
    return found


def _from_entry_points() -> dict[str, ConnectorClass]:
    found = (point.load() for point in entry_points(group=GROUP))
    return {connector.name: connector for connector in found}
