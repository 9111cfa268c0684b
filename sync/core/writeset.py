"""What one remote record needs so that it agrees with its golden record."""

from collections.abc import Collection

from mapping.paths import ABSENT, Values


def fields_to_write(
    golden: Values,
    expected: Values,
    shadow: Values,
    pushed: Values,
    *,
    paths: Collection[str],
    held: Collection[str] = (),
) -> list[str]:
    """The canonical paths to write, in the order of `paths`.

    `expected` is what reading back the projection of `golden` would give; a path that it lacks
    cannot be read back. `held` paths wait for a person's decision. A path that the golden record
    says nothing about is never written.
    """
    return [
        path
        for path in paths
        if path in golden and path not in held and _differs(path, golden, expected, shadow, pushed)
    ]


def _differs(path: str, golden: Values, expected: Values, shadow: Values, pushed: Values) -> bool:
    if path not in expected:
        return bool(golden[path] != pushed.get(path))
    if expected[path] == shadow.get(path):
        return False
    return bool(pushed.get(path, ABSENT) != golden[path])  # accepted as the remote stores it
