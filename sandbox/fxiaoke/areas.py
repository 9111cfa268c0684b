"""The area tree with its codes: 248 is 中国, its provinces follow from 249 on in the usual order."""

import functools
import re
from typing import Any

from sandbox.fxiaoke.areas_data import ABROAD, CHINA, COUNTRIES

CHINA_CODE = 248
_LEVELS = ("country", "province", "city", "district")
_CITY = re.compile(r"([^\s(]+)(?:\(([^)]*)\))?")


class Areas:
    def __init__(self) -> None:
        self.labels: dict[str, dict[str, str]] = {level: {} for level in _LEVELS}
        self.parents: dict[str, str] = {}
        self._next = CHINA_CODE
        self._add("country", "中国", None)
        provinces = {name: self._add("province", name, str(CHINA_CODE)) for name in CHINA}
        for name, cities in CHINA.items():
            self._cities(provinces[name], cities)
        self._next = 1
        countries = {name: self._add("country", name, None) for name in COUNTRIES}
        self._next = 10_001
        for country, tree in ABROAD.items():
            for province, cities in tree.items():
                self._cities(self._add("province", province, countries[country]), cities)

    def _add(self, level: str, label: str, parent: str | None) -> str:
        code = str(self._next)
        self._next += 1
        self.labels[level][code] = label
        if parent:
            self.parents[code] = parent
        return code

    def _cities(self, province: str, cities: str) -> None:
        for city, districts in _CITY.findall(cities):
            code = self._add("city", city, province)
            for district in filter(None, districts.split(",")):
                self._add("district", district, code)

    def options(self, level: str) -> list[dict[str, Any]]:
        """The choices of a level, each with the codes below it."""
        below = _LEVELS[_LEVELS.index(level) + 1] if level != "district" else None
        children: dict[str, list[str]] = {}
        for code in self.labels[below] if below else ():
            children.setdefault(self.parents[code], []).append(code)
        return [
            {"label": label, "value": code,
             "child_options": [{below: children[code]}] if code in children else []}
            for code, label in self.labels[level].items()
        ]  # fmt: skip

    def tree(self) -> dict[str, Any]:
        return {level: {"options": self.options(level)} for level in _LEVELS}


@functools.cache
def areas() -> Areas:
    return Areas()
