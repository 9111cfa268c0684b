"""A real Tryton server for the tests that want one: started once, on a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STARTING = 300  # seconds that a first start may take


def tryton_environment(request) -> Path:
    """Tryton's packages: named, made by `make demo`, or installed for the tests."""
    made = ROOT / "var" / "tryton-venv"
    if "KEHUB_TRYTON_VENV" not in os.environ and (made / "bin" / "python").exists():
        return made
    found: Path = request.getfixturevalue("erp_venv")
    return found


@pytest.fixture(scope="session")
def tryton_server(request, tmp_path_factory):
    """What a client needs to know of a running server, and the folder that it runs on."""
    environment = tryton_environment(request)
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
