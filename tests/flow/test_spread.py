"""Work in several processes: everything arrives, and a failure is told where it is waited for."""

import os

import numpy as np
import pytest

from sync.flow.spread import Cores, stream


def squares(number, processes):
    return ((n, n * n, os.getpid()) for n in range(number, 7, processes))


def test_every_item_of_every_process_arrives():
    found = sorted(stream(squares, 3))
    assert [(n, square) for n, square, _ in found] == [(n, n * n) for n in range(7)]
    assert len({pid for *_, pid in found}) == 3
    assert os.getpid() not in {pid for *_, pid in found}


def test_one_process_is_this_one():
    assert {pid for *_, pid in stream(squares, 1)} == {os.getpid()}


@pytest.mark.parametrize("processes", [1, 2])
def test_steps_write_into_one_array(processes):
    cores = Cores(processes)
    out = cores.array((10,), np.int64)

    def work(number):
        out[number] = number + 1

    cores.each(work, 10)
    assert out.tolist() == list(range(1, 11))


def test_a_failure_in_a_process_is_a_failure_here():
    def work(number, _processes):
        yield number
        raise ValueError("row 7 has no id")

    with pytest.raises(ValueError, match="row 7 has no id"):
        list(stream(work, 2))


def test_a_process_that_is_killed_is_no_silent_end():
    def work(_number, _processes):
        yield 1
        os._exit(9)

    with pytest.raises(RuntimeError, match="ended with 9"):
        list(stream(work, 2))
