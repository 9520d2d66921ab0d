"""The views that the templates print: dataclasses of source text."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.backend import Code


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function: its signature up to the colon, its docstring, its lines."""

    signature: Code
    docstring: Code
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class HelperView:
    """A helper function that has a template; ``slots`` are the template's variables."""

    template: Code
    slots: dict[str, Code]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A part of the network: a comment above it (or none), its lines."""

    title: tuple[Code, ...]
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class CheckView:
    """A test for wrong arguments, and the line that raises the error."""

    test: Code
    error: Code


@dataclass(frozen=True, slots=True)
class NetworkView:
    """The function that builds the model: checks, sections, return values.

    Tuples of one item or none are optional parts; ``without_top`` and ``without_heads`` are early
    returns.
    """

    signature: Code
    docstring: Code
    checks: tuple[CheckView, ...]
    size_checks: tuple[Code, ...]
    inputs: Code
    channels: tuple[Code, ...]
    features: tuple[SectionView, ...]
    without_top: tuple[Code, ...]
    head: tuple[SectionView, ...]
    without_heads: tuple[Code, ...]
    heads: tuple[Code, ...]
    result: Code


@dataclass(frozen=True, slots=True)
class PreprocessView:
    """The function that converts pixels to the network's input."""

    docstring: Code
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class InitialView:
    """The function that sets the initial weights; ``operating``: it uses ``keras.ops``."""

    docstring: Code
    lines: tuple[Code, ...]
    operating: bool


@dataclass(frozen=True, slots=True)
class LossView:
    """The loss functions, ``loss`` in ``last``; ``weights`` and ``losses``, the tables of several
    outputs, may be empty.
    """

    weights: tuple[Code, ...]
    losses: tuple[Code, ...]
    functions: tuple[FunctionView, ...]
    last: tuple[FunctionView]


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A whole file. ``layers`` is the expression for all layers of the model; ``nesting``: that is
    a call of a function of the file.
    """

    docstring: Code
    imports: tuple[Code, ...]
    constants: tuple[Code, ...]
    helpers: tuple[HelperView, ...]
    functions: tuple[FunctionView, ...]
    network: NetworkView
    layers: Code
    nesting: bool
    initial: tuple[InitialView, ...]
    recalibrates: bool
    several: bool
    preprocess: tuple[PreprocessView, ...]
    loss: tuple[LossView, ...]

    @property
    def batch(self) -> Code:
        """The type of a batch: a tensor, or several by name."""
        return Code("dict" if self.several else "keras.KerasTensor")
