"""A hub with memory systems, in process, on its own database."""

from collections.abc import Iterator

import pytest
from hubs import Fixture, make_hub


@pytest.fixture
def fixture(tmp_path) -> Iterator[Fixture]:
    made = make_hub(f"sqlite:///{tmp_path / 'kehub.db'}", tmp_path, ("erp", "crm", "sales"))
    yield made
    made.close()
