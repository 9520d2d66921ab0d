"""The only door for backends: everything that a backend package may import from the compiler.

A backend is a :class:`Backend` value that a distribution announces under the entry point group
``inception_dsl.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from .cost import cost, layers, minimum_input
from .define import Defined, Definition, define, own_layers, uses_of
from .diagnostics import Report, Span
from .emit.about import bullets, citation, deviations, headline, recorded, shapes
from .emit.module import module_from_source
from .emit.names import Names, class_name, spelled
from .emit.pycode import (
    Code,
    Expression,
    Group,
    Item,
    Repeated,
    call,
    comment,
    docstring,
    flat,
    layout,
    listing,
    literal,
    name,
    rows,
    signature,
)
from .emit.render import render
from .ir.graph import About, AuxHead, ForkNode, Initializer, OpNode, Preprocessing, Program, Training, UseNode
from .ir.typed import (
    Run,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedStep,
    TypedUse,
    applications,
    walk,
    walk_program,
)
from .neutral import check_weights, weight_shapes
from .ops import (
    CORE_OPS,
    SLOPES,
    Activation,
    AvgPool,
    BatchNorm,
    BatchNormFields,
    Composite,
    Conv,
    ConvBn,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    LayerNorm,
    LocalResponseNorm,
    MaxPool,
    Op,
    Pool,
    Scale,
    SeparableConv,
    ZeroPad,
)
from .symbolic import Symbolic, Value
from .values import Padding, ShapeError, TensorType, Weight, Window, known

API_VERSION: Final = 1
GROUP: Final = "inception_dsl.backends"


class Backend(NamedTuple):
    """A backend. ``emit`` turns a typed program into the text of one file, or adds to the report and returns ``None``.

    ``title`` is the framework's name, ``suffix`` the ending of the files. ``runner`` names the one module that imports
    the framework, to run what was emitted; it is imported only then (empty where nothing can be run).
    """

    name: str
    title: str
    emit: Callable[[TypedProgram, Report], str | None]
    suffix: str = ".py"
    runner: str = ""
    api_version: int = API_VERSION


class Binding(NamedTuple):
    """Where a weight of the spec lives in a framework's model.

    ``path`` is its name in the spec, ``key`` its name in the model, ``layout`` the word by which the runner converts
    between the neutral layout (see :class:`~inception_dsl.values.Weight`) and the framework's.
    """

    path: str
    key: str
    layout: str


class Model(Protocol):
    """A model that a runner holds. Arrays are NumPy's, channels last, with a batch axis; weights are named by path."""

    def weights(self) -> dict[str, Any]:
        """Every variable in the neutral layout."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set every variable; raises ``KeyError`` or ``ValueError`` if one is missing, left over or misshapen."""

    def parameters(self) -> tuple[int, int]:
        """Trainable and other parameters, as the framework counts them."""

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name; in training mode those of the auxiliary heads too (dropout off, batch statistics on)."""

    def boundaries(self, x: Any) -> dict[str, Any]:
        """The output of every used block by path, in inference."""


class Runner(Protocol):
    """What the module named by :attr:`Backend.runner` offers."""

    def create(self, typed: TypedProgram, source: str, dtype: str) -> Model:
        """A model from emitted source; ``dtype`` is ``float32`` or ``float64``."""


__all__ = [
    "API_VERSION",
    "CORE_OPS",
    "GROUP",
    "SLOPES",
    "About",
    "Activation",
    "AuxHead",
    "AvgPool",
    "Backend",
    "BatchNorm",
    "BatchNormFields",
    "Binding",
    "Code",
    "Composite",
    "Conv",
    "ConvBn",
    "Defined",
    "Definition",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Expression",
    "Flatten",
    "ForkNode",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "Group",
    "GroupNorm",
    "Identity",
    "Initializer",
    "Item",
    "LayerNorm",
    "LocalResponseNorm",
    "MaxPool",
    "Model",
    "Names",
    "Op",
    "OpNode",
    "Padding",
    "Pool",
    "Preprocessing",
    "Program",
    "Repeated",
    "Report",
    "Run",
    "Runner",
    "Scale",
    "SeparableConv",
    "ShapeError",
    "Span",
    "Symbolic",
    "TensorType",
    "Training",
    "TypedChain",
    "TypedFork",
    "TypedOp",
    "TypedProgram",
    "TypedStep",
    "TypedUse",
    "UseNode",
    "Value",
    "Weight",
    "Window",
    "ZeroPad",
    "applications",
    "bullets",
    "call",
    "check_weights",
    "citation",
    "class_name",
    "comment",
    "cost",
    "define",
    "deviations",
    "docstring",
    "flat",
    "headline",
    "known",
    "layers",
    "layout",
    "listing",
    "literal",
    "minimum_input",
    "module_from_source",
    "name",
    "own_layers",
    "recorded",
    "render",
    "rows",
    "shapes",
    "signature",
    "spelled",
    "uses_of",
    "walk",
    "walk_program",
    "weight_shapes",
]
