"""The conformance tests for backends, as pytest classes to inherit.

For a backend that only emits source::

    from inception_dsl.testing.conformance import Prints

    class TestText(Prints):
        backend = "text"

A backend with a runner inherits :class:`Agrees`. It also compares the emitted code with the NumPy
reference: every op and field, and whole networks, in inference and in one training step. A failure
names the block and the line of the spec.
"""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from .. import plugins
from ..backend.protocol import Backend
from ..compiler import compile_spec
from ..diagnostics.report import Report
from ..ir.typed import TypedProgram
from ..reference.arrays import each
from ..verify.bounds import FLOAT32
from ..verify.case import RATE, Case, expect, prepare
from ..verify.compare import BOUNDS, compare
from ..verify.errors import errors
from ..verify.observe import observe
from .cases import Case as Sample
from .cases import all_cases

SAMPLES = all_cases()


def every_sample(check: Any) -> Any:
    """Run a test on every op and every field."""
    return pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])(
        check
    )


class Prints:
    """Tests for every backend.

    It emits source or reports an error with a location, its output is deterministic, and it does
    not import a framework.

    ``backend`` is its name. ``specs`` are networks to test in addition to the samples of every op.
    """

    backend: ClassVar[str]
    specs: ClassVar[Sequence[str | os.PathLike[str]]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize by network, with its name as the id."""
        if "network" in metafunc.fixturenames:
            metafunc.parametrize(
                "network", self.specs, ids=[Path(spec).stem for spec in self.specs]
            )

    def loaded(self) -> tuple[plugins.Plugin, Backend]:
        """The installed backend."""
        report = Report()
        found = plugins.chosen([self.backend], report)
        assert found, report.render()
        return found[0]

    def printed(self, typed: TypedProgram) -> dict[str, str | bytes] | None:
        """The emitted files, or ``None`` if the backend reports an error in the spec."""
        report = Report()
        files = plugins.emit(*self.loaded(), typed, report)
        for found in report:
            assert found.code == "E503", found.message
            assert found.span.file == typed.program.origin.span().file, (
                f"{found.message}: the location is not in the spec"
            )
        assert (files is None) != report.ok, "emit must return files or report an error"
        for name, content in (files or {}).items():
            if name.endswith(".py"):
                ast.parse(content, name)
        return files

    @every_sample
    def test_every_op_is_emitted_or_rejected(self, sample: Sample, tmp_path: Path) -> None:
        self.printed(compiled(written(sample, tmp_path)))

    def test_networks_are_emitted_or_rejected(self, network: str | os.PathLike[str]) -> None:
        self.printed(compiled(network))

    def test_output_is_the_same_for_every_hash_seed(self, tmp_path: Path) -> None:
        specs = [*self.specs, written(SAMPLES[0], tmp_path)]
        code = (
            "import sys; from inception_dsl import plugins; "
            "from inception_dsl.compiler import compile_spec as compiled; "
            "from inception_dsl.diagnostics.report import Report; r = Report(); "
            "((p, b),) = plugins.chosen([sys.argv[1]], r); "
            "print([plugins.emit(p, b, compiled(s, {}, r), Report()) for s in sys.argv[2:]])"
        )
        call = [sys.executable, "-c", code, self.backend, *map(str, specs)]
        texts = {
            subprocess.run(
                call, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
            ).stdout
            for seed in ("0", "1", "2")
        }
        assert len(texts) == 1

    def test_emitting_does_not_import_the_runner(self, tmp_path: Path) -> None:
        spec = written(SAMPLES[0], tmp_path)
        code = (
            "import sys; from inception_dsl import plugins; "
            "from inception_dsl.compiler import compile_spec as compiled; "
            "from inception_dsl.diagnostics.report import Report; r = Report(); "
            "((p, b),) = plugins.chosen([sys.argv[1]], r); "
            "plugins.emit(p, b, compiled(sys.argv[2], {}, r), r); before = set(sys.modules); "
            "assert 'numpy' not in before; assert not b.runner or b.runner not in before"
        )
        subprocess.run([sys.executable, "-c", code, self.backend, str(spec)], check=True)


class Agrees(Prints):
    """Tests for a backend with a runner.

    With identical weights it computes the same as the NumPy reference.

    ``inputs`` maps the name of a spec to a smaller input, where its own input makes the test slow.
    """

    inputs: ClassVar[Mapping[str, str]] = {}

    def defect(self, sample: str) -> str:
        """The reason why the framework itself fails a sample in float64, or an empty text.

        Such a sample is expected to fail in float64 and to pass in float32.
        """
        return ""

    def model(self, typed: TypedProgram, dtype: str = "float64") -> Any:
        """A model of the framework."""
        files = self.printed(typed)
        assert files is not None, "the backend does not emit this program"
        return importlib.import_module(self.loaded()[1].runner).create(typed, files, dtype)

    def agree(self, case: Case, dtype: str = "float64") -> None:
        """Check that all compared values are within the bounds."""
        unbiased = self.loaded()[1].unbiased_variance
        found = observe(
            self.model(case.typed, dtype), case.weights, case.x, dtype, case.targets, RATE
        )
        expected = expect(case, train=True)
        deviations = errors(case, expected, found, dtype, unbiased_variance=unbiased)
        bounds = BOUNDS if dtype == "float64" else dict.fromkeys(BOUNDS, FLOAT32)
        for check in compare(case, found, deviations, bounds):
            where = f"\n  --> {check.place.span} ({check.place.what})" if check.place else ""
            assert not check.problem, f"{check.problem}{where}"

    @every_sample
    def test_every_op_agrees(
        self, sample: Sample, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        case = prepared(written(sample, tmp_path), own_input=True, seed=2)
        own, several = self.loaded()[1], case.typed.program.several
        if ("weights:" in sample.steps and not own.shares) or (several and not own.several_inputs):
            assert self.printed(case.typed) is None
            return
        # beyond 6, where relu6 and hard_swish saturate
        case = case._replace(x=each(lambda x: 3.0 * x, case.x))
        if reason := self.defect(sample.name):
            self.agree(case, "float32")
            request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
        self.agree(case)

    def test_networks_agree(self, network: str | os.PathLike[str]) -> None:
        size = self.inputs.get(Path(network).stem)
        self.agree(prepared(network, {"input": size} if size else {}))

    def test_wrong_weights_are_rejected(self, tmp_path: Path) -> None:
        sample = next(
            sample
            for sample in SAMPLES
            if "op: conv," in sample.steps and "use_bias" not in sample.steps
        )
        case = prepared(written(sample, tmp_path), own_input=True)
        model, (path, value) = self.model(case.typed), next(iter(case.weights.items()))
        with pytest.raises(KeyError, match=path):
            model.load({name: w for name, w in case.weights.items() if name != path})
        with pytest.raises(KeyError, match="one_more"):
            model.load({**case.weights, "one_more": value})
        with pytest.raises(ValueError, match=path):
            model.load({**case.weights, path: value[..., None]})

    def test_restored_weights_equal_saved_ones(self, tmp_path: Path) -> None:
        (sample,) = [sample for sample in SAMPLES if sample.name == "files"] or SAMPLES[:1]
        case = prepared(written(sample, tmp_path), own_input=True)
        first, second = self.model(case.typed), self.model(case.typed)
        first.load(case.weights)
        suffixes = importlib.import_module(self.loaded()[1].runner).SUFFIXES
        assert suffixes
        for suffix in suffixes:
            path = tmp_path / f"weights{suffix}"
            first.save(path)
            second.load({name: np.zeros_like(value) for name, value in case.weights.items()})
            second.restore(path)
            held = second.weights()
            assert held.keys() == case.weights.keys()
            assert all(np.array_equal(held[name], value) for name, value in case.weights.items())


def written(sample: Sample, folder: Path) -> Path:
    """Write a sample as a spec in a folder."""
    spec = folder / "sample.yaml"
    spec.write_text(sample.text, encoding="utf-8")
    return spec


def compiled(spec: str | os.PathLike[str]) -> TypedProgram:
    """The typed program of a spec without errors."""
    report = Report()
    typed = compile_spec(spec, {}, report)
    assert typed is not None, report.render()
    return typed


def prepared(
    spec: str | os.PathLike[str],
    settings: Mapping[str, str] | None = None,
    *,
    own_input: bool = False,
    seed: int = 0,
) -> Case:
    """The test case of a spec without errors."""
    report = Report()
    case = prepare(spec, settings or {}, report, own_input=own_input, seed=seed)
    assert case is not None, report.render()
    return case
