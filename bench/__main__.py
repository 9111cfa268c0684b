"""`python -m bench [main_job|NAME] [options]`: run one benchmark; the main job if none is named."""

import importlib
import pkgutil
import sys

import bench

DEFAULT = "main_job"


def main(arguments):
    known = {module.name for module in pkgutil.iter_modules(bench.__path__)}
    named = bool(arguments) and arguments[0] in known
    name = arguments[0] if named else DEFAULT
    return importlib.import_module(f"bench.{name}").main(arguments[1:] if named else arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
