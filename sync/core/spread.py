"""Where the steps of a batch run: one after the other, or side by side."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Spread(Protocol):
    """A way to take steps that do not depend on each other."""

    def array(self, shape: tuple[int, ...], dtype: type[np.generic]) -> npt.NDArray[Any]:
        """Zeros that all steps may write into."""

    def each(self, work: Callable[[int], None], count: int) -> None:
        """Calls `work` with every number below `count`, in any order."""


class Alone:
    """One step after the other, in this process."""

    def array(self, shape: tuple[int, ...], dtype: type[np.generic]) -> npt.NDArray[Any]:
        return np.zeros(shape, dtype)

    def each(self, work: Callable[[int], None], count: int) -> None:
        for number in range(count):
            work(number)


ALONE = Alone()
