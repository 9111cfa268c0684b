"""`python -m sandbox.zoho_crm --port P --data DIR`: start the stand-in alone."""

import argparse
import errno
import json
import signal
import sys
import threading
import time
from pathlib import Path

from sandbox.zoho_crm import user_actions
from sandbox.zoho_crm.app import create_app
from sandbox.zoho_crm.box import open_box
from sandbox.zoho_crm.server import Server

HOST = "127.0.0.1"


def arguments():
    parser = argparse.ArgumentParser(prog="python -m sandbox.zoho_crm", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of the SQLite file")
    parser.add_argument("--seed", type=Path, help='JSON: {"Accounts": [{…}], …}, once per folder')
    parser.add_argument("--utc-offset", help="zone of all times in answers, e.g. +08:00")
    return parser.parse_args(joined(sys.argv[1:]))


def joined(words):
    """`--utc-offset -03:30` as one word: argparse takes a leading minus for an option."""
    if "--utc-offset" not in words[:-1]:
        return words
    place = words.index("--utc-offset")
    return [*words[:place], f"--utc-offset={words[place + 1]}", *words[place + 2 :]]


def seed(box, path):
    """Fill an organisation that was not seeded before; a restart changes nothing."""
    if box.store.meta("seeded"):
        return
    for module, items in json.loads(path.read_text("utf-8")).items():
        user_actions.seed(box, module, items)
    box.store.set_meta("seeded", path.name)


def bind(port, app):
    """The listening server; a port that a killed process still holds is asked for again."""
    for attempt in range(20):
        try:
            return Server(HOST, port, app)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or attempt == 19:
                raise
            time.sleep(0.25)
    return None


def main():
    options = arguments()
    box = open_box(options.data, options.utc_offset)
    if options.seed:
        seed(box, options.seed)
    server = bind(options.port, create_app(box))
    server.now = box.clock.http_date
    box.base_url = f"http://{HOST}:{server.server_address[1]}"
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, args=(0.25,), daemon=True).start()
    box.start()
    hello = {
        "base_url": box.base_url,
        "client_id": box.oauth.client_id,
        "client_secret": box.oauth.client_secret,
        "refresh_token": box.oauth.refresh_token,
        "accounts_url": box.base_url,
    }
    sys.stdout.write(json.dumps(hello) + "\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.in_flight.wait(3)
    server.server_close()
    box.stop()


if __name__ == "__main__":
    main()
