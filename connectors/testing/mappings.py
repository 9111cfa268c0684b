"""The rules of the suite about the mappings that a connector brings."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sdk.contract import DescribesSchema, Native, ReadsChanges
from connectors.sdk.registry import mapping_files
from connectors.testing.rules import Target, needs
from mapping.engine import canonicalise, project, reads
from mapping.lint import lint
from mapping.loader import load
from mapping.paths import ABSENT, read
from mapping.spec import MappingSpec


class MappingRules:
    """Part of the suite: each mapping fits what the system describes, and can be undone."""

    @needs(DescribesSchema)
    def test_mappings_fit_the_schema(self, connector: Any) -> None:
        for spec in _specs(connector):
            findings = lint(spec, connector.schema(spec.object), connector.objects())
            errors = [finding.text() for finding in findings if finding.level == "error"]
            assert not errors, (spec.object, errors)

    @needs(ReadsChanges)
    def test_mappings_round_trip(self, connector: Any, target: Target) -> None:
        """What a record says in canonical form is said again by what would be written for it."""
        target.seed(1)
        target.populate()
        tried = 0
        for spec in _specs(connector):
            for native in _natives(connector, spec):
                missing = [p for p in spec.native_paths if read(native, p) is ABSENT]
                assert not missing, f"{spec.object}: empty fields must be there as None"
                values = canonicalise(spec, native)
                sent = _said(values, spec.out_paths & spec.in_paths)
                back = _said(canonicalise(spec, project(spec, values)), sent)
                assert back == sent, spec.object
                tried += bool(sent)
        assert tried


def _specs(connector: Any) -> Iterator[MappingSpec]:
    files = mapping_files(type(connector))
    assert files, "a connector brings a mapping for each of its objects"
    for file in files:
        yield load(file.read_text(encoding="utf-8"), name=file.name)


def _natives(connector: Any, spec: MappingSpec) -> Iterator[Native]:
    for page in connector.changes(spec.object, None):
        for change in page.changes:
            if change.data is not None and reads(spec, change.data):
                yield change.data


def _said(values: Mapping[str, Any], paths: Any) -> dict[str, Any]:
    return {path: values[path] for path in paths if values.get(path) is not None}
