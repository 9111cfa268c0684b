"""quality.yaml: what a connector claims about each rule of the suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from connectors.sdk.registry import ConnectorClass, folder

State = Literal["done", "todo", "exempt"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One rule: kept, still to do, or out of question because of `why`."""

    state: State
    why: str = ""


def claims(connector: ConnectorClass) -> Mapping[str, Claim]:
    """The claims of a connector; ValueError names a line that cannot be read."""
    text = (folder(connector) / "quality.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return {name: _claim(name, value) for name, value in content["rules"].items()}


def _claim(name: str, value: Any) -> Claim:
    if value == "done":
        return Claim("done")
    if isinstance(value, dict) and len(value) == 1:
        state, why = next(iter(value.items()))
        if state in {"todo", "exempt"} and isinstance(why, str) and why:
            return Claim("todo" if state == "todo" else "exempt", why)
    raise ValueError(f"quality.yaml: {name} must be `done`, `todo: why` or `exempt: why`.")
