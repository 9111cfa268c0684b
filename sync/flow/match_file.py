"""Match a file without touching the hub's database: the same model, keys and thresholds as online."""

import json
from importlib.resources import files
from typing import Any

import yaml

from sync.core.match import Matcher, Thresholds
from sync.core.score import Model


def load_settings() -> dict[str, Any]:
    """`config/matching.yaml` as it is installed."""
    text = (files("config") / "matching.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def load_matcher() -> Matcher:
    """The shipped weights with the configured thresholds."""
    settings = load_settings()
    stored = (files("config") / "matching" / settings["weights"]).read_text(encoding="utf-8")
    return Matcher(Model.from_dict(json.loads(stored)), Thresholds.from_settings(settings))
