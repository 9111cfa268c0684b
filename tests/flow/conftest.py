"""A hub with memory systems, in process, on each database."""

from collections.abc import Iterator

import pytest

from tests.hubs import Fixture, make_hub


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def fixture(request, tmp_path) -> Iterator[Fixture]:
    url = f"sqlite:///{tmp_path / 'kehub.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("pg_hub_url")
    made = make_hub(url, tmp_path, ("erp", "crm", "sales"))
    if not request.node.get_closest_marker("facts"):
        made.without_facts()
    yield made
    made.close()
