"""Starts the stand-in alone: one line of JSON on stdout, then it serves until it is stopped."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from sandbox.fxiaoke.app import create_app
from sandbox.fxiaoke.seed import seed_file, seed_fresh
from sandbox.fxiaoke.server import Server
from sandbox.fxiaoke.world import World


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.fxiaoke", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--data", type=Path, required=True, help="folder for the SQLite file")
    parser.add_argument("--seed", type=Path, help="JSON file with records to load once")
    options = parser.parse_args(arguments)

    world = World(options.data)
    seed_fresh(world)
    if options.seed:
        seed_file(world, options.seed)
    try:
        server = Server(options.port, create_app(world))
    except OSError as error:
        world.close()
        print(f"cannot listen on port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    server.now = world.clock.http_date
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    serving.start()
    print(json.dumps(_first_line(world, server.server_port)), flush=True)
    stopped.wait()
    server.shutdown()
    serving.join()
    server.server_close()
    server.finish_calls(3)
    world.close()
    return 0


def _first_line(world: World, port: int) -> dict[str, object]:
    shown = ("app_id", "app_secret", "permanent_code", "ea", "user_id", "mobile",
             "callback_secret", "corp_id")  # fmt: skip
    return {
        "base_url": f"http://127.0.0.1:{port}",
        **{name: world.credentials[name] for name in shown},
    }


if __name__ == "__main__":
    sys.exit(main())
