"""Small charts as SVG, so that they need no script."""

from collections.abc import Sequence

WIDTH, HEIGHT = 600, 120


def line(values: Sequence[float], *, lowest: float = 0.0, highest: float = 100.0) -> str:
    """The points of a polyline in a box of 600 x 120; one value alone is a level line."""
    if not values:
        return ""
    shown = [values[0], values[0]] if len(values) == 1 else list(values)
    step = WIDTH / (len(shown) - 1)
    span = highest - lowest
    heights = [HEIGHT - HEIGHT * (min(max(v, lowest), highest) - lowest) / span for v in shown]
    return " ".join(f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
