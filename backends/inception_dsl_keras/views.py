"""The views that the templates print: dataclasses of source text."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.backend import Code


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function: its head up to the colon, its docstring, its lines."""

    signature: Code
    docstring: Code
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class HelperView:
    """A helper function that has a template of its own; ``slots`` are what varies in it."""

    template: Code
    slots: dict[str, Code]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A part of the network: a comment above it (or none), its lines."""

    title: tuple[Code, ...]
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class LimitView:
    """The smallest input, and the test that one is below it."""

    smallest: Code
    too_small: Code


@dataclass(frozen=True, slots=True)
class NetworkView:
    """The function that builds the model: its checks, its sections, what it returns."""

    signature: Code
    docstring: Code
    limits: tuple[LimitView, ...]
    channels: tuple[Code, ...]
    features: tuple[SectionView, ...]
    without_top: tuple[Code, ...]
    head: tuple[SectionView, ...]
    without_heads: tuple[Code, ...]
    heads: tuple[Code, ...]
    result: Code


@dataclass(frozen=True, slots=True)
class PreprocessView:
    """The function from pixels to the network's input."""

    docstring: Code
    lines: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class InitialView:
    """The function that sets the weights as the paper starts; ``operating``: it uses operations."""

    docstring: Code
    lines: tuple[Code, ...]
    operating: bool


@dataclass(frozen=True, slots=True)
class LossView:
    """The loss beside the model, of a ``single`` output or with ``weights`` for several.

    Where the end of the network gives probabilities and heads give logits, ``probabilities`` is the
    body of its function, and ``losses`` are the entries that say which output has which. ``given``
    is what ``compile`` takes, ``called`` the function of an output, ``main`` that of the end.
    """

    docstring: Code
    lines: tuple[Code, ...]
    single: bool
    weights: tuple[Code, ...]
    probabilities: tuple[tuple[Code, ...], ...]
    given: Code
    called: Code
    main: Code
    losses: tuple[Code, ...]
    operating: bool


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A whole file."""

    docstring: Code
    imports: tuple[Code, ...]
    constants: tuple[Code, ...]
    helpers: tuple[HelperView, ...]
    functions: tuple[FunctionView, ...]
    network: NetworkView
    initial: tuple[InitialView, ...]
    preprocess: tuple[PreprocessView, ...]
    loss: tuple[LossView, ...]
