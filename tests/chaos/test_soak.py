"""A short soak: four workers on PostgreSQL and Redis, everything at once."""

from contextlib import ExitStack

import pytest

from tests.chaos import soak

SECONDS = 25


@pytest.fixture
def company(tmp_path, pg_fresh_url):
    with ExitStack() as stack:
        yield soak.started(tmp_path, pg_fresh_url, None, customers=8, seed=3, stack=stack)


@pytest.mark.pg
@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(1200)
def test_a_short_soak_loses_and_doubles_nothing(company):
    report = soak.Soak(company, seed=3).run(SECONDS)
    lines = "\n".join(report.lines())
    assert not report.findings, lines
    assert report.edits.total() > 10, lines
    assert report.faults.total() > 3, lines
    assert report.kills["redis, emptied"] == 2, lines
    assert report.kills["worker"] > 0, lines
    assert report.lags, lines
