"""What is declared in several places says the same in all of them."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import bootstrap

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ERP = Path("sandbox/tryton")
LOCKS = [*bootstrap.LOCKS, bootstrap.TOOLS_LOCK, str(ERP / "requirements.lock")]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")


def pins(lines):
    """Name (as indexes normalise it) -> versions that are named for it."""
    found = {}
    for line in lines:
        match = PIN.match(line)
        if match:
            name = re.sub(r"[-_.]+", "-", match["name"]).lower()
            found.setdefault(name, set()).add(match["version"])
    return found


def locked(name):
    return pins((ROOT / name).read_text(encoding="utf-8").splitlines())


def declared(*groups):
    rows = list(PROJECT["project"]["dependencies"])
    return rows + [row for group in groups for row in PROJECT["dependency-groups"][group]]


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ()),
        ("requirements-test.lock", ("test",)),
        ("requirements-quality.lock", ("test", "quality")),
        ("requirements-anchors.lock", ("test", "quality", "bench-anchors")),
    ],
)
def test_every_pin_of_the_project_is_locked_at_its_version(lock, groups):
    versions = locked(lock)
    for name, wanted in pins(declared(*groups)).items():
        assert versions.get(name) == wanted, f"{name}: run `make lock`"
    for row in declared(*groups):
        name = re.split(r"[\[=<>~!; ]", row)[0]
        assert re.sub(r"[-_.]+", "-", name).lower() in versions, f"{row}: run `make lock`"


def test_the_installer_is_locked_at_its_version():
    versions = locked(bootstrap.TOOLS_LOCK)
    for name, wanted in pins(PROJECT["dependency-groups"]["install"]).items():
        assert versions[name] == wanted


def test_the_erp_is_locked_at_its_versions():
    wanted = pins((ROOT / ERP / "requirements.txt").read_text().splitlines())
    versions = locked(ERP / "requirements.lock")
    assert len(wanted) > 10
    assert {name: versions.get(name) for name in wanted} == wanted


def test_a_bigger_lock_holds_all_of_a_smaller_one():
    """Bootstrap takes an installation of a bigger lock for one of the smaller."""
    for smaller, bigger in zip(bootstrap.LOCKS, bootstrap.LOCKS[1:], strict=False):
        more = locked(bigger)
        assert {name: more.get(name) for name in locked(smaller)} == locked(smaller)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_hashes_and_no_address(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "@" not in text
    assert "-index" not in text
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert len(entries) == sum("==" in line for line in text.splitlines())
    for entry in entries:
        assert "--hash=sha256:" in entry, entry


# --- Container set-up ---

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
HUB_SERVICES = ("migrate", "web", "worker-wake", "worker-bulk", "beat")


def test_the_services_of_production_are_there():
    assert set(SERVICES) == {*HUB_SERVICES, "postgres", "valkey"}
    version = int(SERVICES["postgres"]["image"].partition(":")[2])
    assert version >= 16


def test_every_lasting_service_has_a_health_check_and_bounded_logs():
    for name, service in SERVICES.items():
        assert service["logging"]["options"]["max-size"], name
        if name != "migrate":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_services_wait_for_services_that_exist():
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            other = SERVICES[needed]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in other
    for name in ("web", "worker-wake", "worker-bulk", "beat"):
        needs = SERVICES[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}


def test_volumes_are_declared_and_all_used():
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
    }
    assert used == set(COMPOSE["volumes"])


def test_queues_are_each_served_and_beat_runs_once():
    def queue_of(name):
        command = SERVICES[name]["command"]
        return command[command.index("-Q") + 1]

    assert queue_of("worker-wake") == "wake"
    assert queue_of("worker-bulk") == "bulk"
    beats = [name for name, row in SERVICES.items() if "beat" in (row.get("command") or ())]
    assert beats == ["beat"]
    assert "deploy" not in SERVICES["beat"]


def test_the_broker_never_evicts_messages():
    script = SERVICES["valkey"]["command"][-1]
    assert "maxmemory-policy noeviction" in script
    assert "appendonly yes" in script


def test_no_secret_is_written_down_and_a_missing_one_stops_the_start():
    for service in SERVICES.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|AUTH|_URL", name):
                assert "${" in str(value), f"{name} is written down"
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "KEHUB_SECRET_KEY", "KEHUB_PUBLIC_URL"):
        assert f"${{{name}:?" in text


def test_only_loopback_is_published():
    published = [port for row in SERVICES.values() for port in row.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_example_explains_each_setting_in_both_languages_and_sets_none():
    assigned = [line for line in ENV_EXAMPLE.splitlines() if line and not line.startswith("#")]
    assert assigned == []
    named = set(re.findall(r"(?m)^#([A-Z_]+)=", ENV_EXAMPLE))
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", str(COMPOSE)))
    own = {name for row in SERVICES.values() for name in row.get("environment") or ()}
    missing = used | {name for name in own if name.startswith("KEHUB_")}
    assert missing <= named
    for block in re.split(r"\n\s*\n", ENV_EXAMPLE):
        if re.search(r"(?m)^# .*[a-z]{4}", block):
            assert re.search("[\u4e00-\u9fff]", block), block


def test_the_image_holds_every_package_and_is_not_run_by_root():
    copied = set(re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE))
    sources = {name for line in copied for name in line.split()}
    packages = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages <= sources
    allowed = re.findall(r"(?m)^!(.+)$", (ROOT / ".dockerignore").read_text())
    assert sources <= set(allowed)
    users = re.findall(r"(?m)^USER (\S+)$", DOCKERFILE)
    assert users == ["kehub"]
    assert DOCKERFILE.count("--require-hashes") == 2


# --- Commands ---


def test_every_make_target_is_explained_and_calls_a_command_that_exists():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", text))
    explained = set(re.findall(r"(?m)^([a-z-]+):.*## \S.* / \S", text))
    assert targets == explained
    (phony,) = re.findall(r"(?m)^\.PHONY: (.+)$", text)
    assert set(phony.split()) == targets
    called = set(re.findall(r"\$\(BOOTSTRAP\) (\w+)", text))
    assert called <= set(bootstrap.COMMANDS)
    assert set(bootstrap.COMMANDS) == set(bootstrap.NEED)
