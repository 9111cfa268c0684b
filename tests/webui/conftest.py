"""Hubs and browsers for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.hubs import Fixture
from tests.webui import demo
from tests.webui.browsers import Browser, Script, application


@pytest.fixture(scope="module")
def busy(tmp_path_factory) -> Iterator[Fixture]:
    """A hub with something on every screen; only for tests that change nothing."""
    made = demo.busy_hub(tmp_path_factory.mktemp("busy"), customers=12)
    yield made
    made.close()


@pytest.fixture
def fresh(tmp_path) -> Iterator[Fixture]:
    """Three live systems and one customer."""
    made = demo.small_hub(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path) -> Iterator[Fixture]:
    """A hub as it is after the installation."""
    made = demo.empty_hub(tmp_path)
    yield made
    made.close()


@pytest.fixture
def browse(fresh):
    """Signs a role in at the small hub."""
    app = application(fresh)
    return lambda role="admin", language="en": Browser(app, role, language)


@pytest.fixture(scope="module")
def look(busy):
    """Signs a role in at the busy hub."""
    app = application(busy)
    return lambda role="viewer", language="en": Browser(app, role, language)


@pytest.fixture
def script(fresh):
    """An API client with the rights of a role, at the small hub."""
    app = application(fresh)
    return lambda role="admin": Script(app, fresh, role)
