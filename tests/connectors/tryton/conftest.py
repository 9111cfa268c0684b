"""A real Tryton server for the tests that want one: started once, on a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STARTING = 300  # seconds that a first start may take


def tryton_environment() -> Path | None:
    """The environment with Tryton's packages: named, or made by `make demo`."""
    named = os.environ.get("KEHUB_TRYTON_VENV")
    found = Path(named) if named else ROOT / "var" / "tryton-venv"
    return found if (found / "bin" / "python").exists() else None


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory):
    """What a client needs to know of a running server, and the folder that it runs on."""
    environment = tryton_environment()
    if environment is None:
        pytest.skip("no Tryton here: run `make demo` once, or set KEHUB_TRYTON_VENV")
    folder = tmp_path_factory.mktemp("tryton")
    command = [sys.executable, "-m", "sandbox.tryton", "--port", "0"]
    command += ["--data", str(folder), "--venv", str(environment)]
    log = (folder / "start.log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline()
        assert line, f"Tryton did not start:\n{(folder / 'start.log').read_text()}"
        yield {**json.loads(line), "folder": str(folder)}
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
        log.close()
