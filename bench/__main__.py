"""`python -m bench [main_job|NAME] [options]`: run one benchmark; the main job if none is named."""

import pkgutil
import runpy
import sys

import bench

DEFAULT = "main_job"

if __name__ == "__main__":
    known = {module.name for module in pkgutil.iter_modules(bench.__path__)}
    chosen = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in known else DEFAULT
    runpy.run_module(f"bench.{chosen}", run_name="__main__", alter_sys=True)
