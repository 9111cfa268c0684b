"""The main job: first load, bursts of edits, webhooks, memory; each beside its floor.

The ratios are the result. The absolute figures depend on the machine, and the stand-ins share
its cores with the hub.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench import measures, report
from bench.processes import BenchError

SIZES = (1_000, 10_000)
LARGE = 100_000
STARTED = time.monotonic()


def main(arguments):
    options = _options(arguments)
    facts = report.circumstances()
    try:
        results = _measure(options)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    report.show(facts, results)
    if options.json:
        found = {**facts, "results": [each.as_dict() for each in results]}
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    return 0


def _measure(options):
    results = []
    with tempfile.TemporaryDirectory(prefix="kehub-bench-") as name:
        folder = Path(name)
        if options.engine:
            results += measures.engine_alone(folder, options.engine, _tell)
        for place, size in enumerate(sorted(options.sizes)):
            own = folder / str(size)
            own.mkdir()
            first = place == 0  # bursts and webhooks are the same at every size
            results += measures.whole_path(
                own,
                size,
                burst=options.burst if first else 0,
                edits=options.edits if first else 0,
                settle=options.settle,
                tell=_tell,
            )
    return results + measures.flatness(results)


def _options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(part) for part in text.split(",") if part],
        default=list(SIZES),
        help=f"customers of each first load (default {','.join(map(str, SIZES))}; empty: none)",
    )
    parser.add_argument("--full", action="store_true", help=f"a load of {LARGE:,} as well")
    parser.add_argument("--burst", type=int, default=500, help="edits at once; 0: no bursts")
    parser.add_argument("--edits", type=int, default=60, help="single edits; 0: no webhooks")
    parser.add_argument("--engine", type=int, default=2_000, help="customers without HTTP; 0: none")
    parser.add_argument(
        "--settle",
        type=float,
        default=measures.SETTLE,
        help="seconds before a burst, so that no poll reads again what came before it",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    options = parser.parse_args(arguments)
    if options.full:
        options.sizes.append(LARGE)
    return options


def _tell(text):
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
