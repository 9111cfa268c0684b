"""When something that failed comes back."""

FIRST, LONGEST = 2.0, 900.0  # seconds


def delay(attempts: int, hint: float | None, chance: float) -> float:
    """Seconds until the next try: the system's own hint, else doubling with full jitter.

    `chance` is a random number in [0, 1).
    """
    if hint is not None:
        return hint + chance * min(1.0, 0.1 * hint)
    most = min(LONGEST, FIRST * float(1 << min(attempts, 20)))
    return most * (0.5 + 0.5 * chance)
