"""Runs histories by seed, and shrinks one that fails to the few steps that matter.

`python -m tests.histories.search [FROM TO] [--processes N]` runs a range of seeds, 10,000 unless
told otherwise, and says how far it is.
"""

import argparse
import gc
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing.util import Finalize
from unittest import mock

import structlog

from sync.flow import memory
from tests.histories import check, steps
from tests.histories.company import NAMES, Company, Profile, forget_template, make_profile
from tests.histories.steps import Step

TOLD_EVERY = 200


def run(profile: Profile, history: Sequence[Step]) -> list[str]:
    """Carries a history out; what is wrong afterwards, nothing for a good one.

    Nothing here is large, so no memory is given back: that took a twentieth of the time.
    """
    with mock.patch.object(memory, "give_back"):
        return _run(profile, history)


def _run(profile: Profile, history: Sequence[Step]) -> list[str]:
    company = Company(profile)
    try:
        steps.carry_out(company, history)
        return check.problems(company)
    except Exception as error:  # noqa: BLE001  an error that gets out of the hub is a finding
        last = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{type(error).__name__}: {error} ({last.filename.split('/')[-1]}:{last.lineno})"]
    finally:
        company.close()


def run_seed(seed: int) -> list[str]:
    return run(make_profile(seed), steps.make(seed))


def shrink(profile: Profile, history: list[Step]) -> tuple[Profile, list[Step]]:
    """Leaves out what can be left out, as long as something is still wrong in the same way."""
    kind = _kind(run(profile, history))

    def fails(some_profile: Profile, some: Sequence[Step]) -> bool:
        return _kind(run(some_profile, some)) == kind

    size = max(1, len(history) // 2)
    while size:
        start = 0
        while start < len(history):
            shorter = history[:start] + history[start + size :]
            if fails(profile, shorter):
                history = shorter
            else:
                start += size
        size //= 2
    return _plainer(profile, history, fails), history


def _plainer(profile: Profile, history: list[Step], fails) -> Profile:
    for name in NAMES:
        for oddity in list(profile.oddities[name]):
            rest = {k: v for k, v in profile.oddities[name].items() if k != oddity}
            plain = replace(profile, oddities={**profile.oddities, name: rest})
            profile = plain if fails(plain, history) else profile
        plain = replace(profile, deletes={**profile.deletes, name: "unlink"})
        profile = plain if fails(plain, history) else profile
    for plain in (replace(profile, batch=100), replace(profile, guard=10)):
        profile = plain if fails(plain, history) else profile
    return profile


def _kind(found: Sequence[str]) -> str:
    return found[0].split(" ", 2)[0] if found else ""


def failing(seeds: Sequence[int], processes: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The seeds whose history ends badly, with what is wrong."""
    if processes == 1:
        for seed in seeds:
            if found := run_seed(seed):
                yield seed, found
        return
    with ProcessPoolExecutor(processes, initializer=_start_process) as pool:
        for seed, found in zip(seeds, pool.map(run_seed, seeds, chunksize=20), strict=True):
            if found:
                yield seed, found


def _start_process() -> None:
    _be_quiet()
    Finalize(None, forget_template, exitpriority=10)  # a pool's processes know no atexit


def _be_quiet() -> None:
    gc.freeze()  # a history makes little garbage in circles: it is looked for less often
    gc.set_threshold(50_000, 20, 20)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("start", type=int, nargs="?", default=0)
    parser.add_argument("end", type=int, nargs="?", default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--shrink", type=int, default=3, help="how many failures to shrink")
    chosen = parser.parse_args()
    _be_quiet()
    started, bad = time.monotonic(), []
    for start in range(chosen.start, chosen.end, TOLD_EVERY):
        end = min(start + TOLD_EVERY, chosen.end)
        for seed, found in failing(range(start, end), chosen.processes):
            bad.append(seed)
            print(f"seed {seed}: {found[0]}", flush=True)
        count, seconds = end - chosen.start, time.monotonic() - started
        left = seconds / count * (chosen.end - end)
        print(f"{count} histories, {len(bad)} bad, {seconds:.0f} s; {left:.0f} s to go", flush=True)
    for seed in bad[: chosen.shrink]:
        profile, history = shrink(make_profile(seed), steps.make(seed))
        print(f"\nseed {seed} shrunk:\n  {profile}\n  {history}")
        print("  " + "\n  ".join(run(profile, history)))
    forget_template()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
