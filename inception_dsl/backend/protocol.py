"""What a backend is: the values and protocols that a backend package provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from ..diagnostics.report import Report
from ..ir.typed import TypedProgram

API_VERSION: Final = 2
GROUP: Final = "inception_dsl.backends"


class Request(NamedTuple):
    """What is asked of a backend. ``name`` is the stem of the files that it gives."""

    name: str


Files: TypeAlias = Mapping[str, str | bytes]
"""Files by name, texts or bytes; the first is the one that users import or load."""


class Engine(NamedTuple):
    """What a framework runs on, where it has a choice: Keras on TensorFlow, JAX or PyTorch.

    ``environment`` holds variables that are set before the runner is imported. ``exact`` says
    whether the engine keeps float64 throughout; one that does not is judged in float32.
    """

    name: str
    environment: tuple[tuple[str, str], ...] = ()
    exact: bool = True


class Backend(NamedTuple):
    """A backend.

    ``emit`` turns a typed program into files, or adds to the report and returns ``None``. The first
    file is called ``request.name`` with ``suffix``; the names of others begin with
    ``request.name``.

    ``title`` is the framework's name, ``suffix`` the ending of the file. ``runner`` names the one
    module that imports the framework, to run what was emitted; it is imported only then (empty
    where nothing can be run). ``engines`` are what the framework can run on, the first where
    nothing is said; ``unbiased_variance`` says whether it divides by n - 1 for the moving variance
    of batch norm.
    """

    name: str
    title: str
    emit: Callable[[TypedProgram, Request, Report], Files | None]
    suffix: str = ".py"
    runner: str = ""
    api_version: int = API_VERSION
    engines: tuple[Engine, ...] = ()
    unbiased_variance: bool = False


class Binding(NamedTuple):
    """Where a weight of the spec lives in a framework's model.

    ``path`` is its name in the spec, ``key`` its name in the model, ``layout`` the word by which
    the runner converts between the neutral layout (see :class:`~inception_dsl.types.weight.Weight`)
    and the framework's.
    """

    path: str
    key: str
    layout: str


class Step(NamedTuple):
    """One training step.

    The loss before it, the gradient of every trainable weight, and all weights after it.
    """

    loss: float
    gradients: dict[str, Any]
    weights: dict[str, Any]


class Model(Protocol):
    """A model that a runner holds.

    Arrays are NumPy's, channels last, with a batch axis; weights are named by path.
    """

    def weights(self) -> dict[str, Any]:
        """Every variable in the neutral layout."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set every variable.

        Raises ``KeyError`` or ``ValueError`` if one is missing, left over or misshapen.
        """

    def parameters(self) -> tuple[int, int]:
        """Trainable and other parameters, as the framework counts them."""

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name.

        In training mode those of the auxiliary heads too (dropout off, batch statistics on).
        """

    def boundaries(self, x: Any) -> dict[str, Any]:
        """The output of every used block by path, in inference.

        Of a step at the top too, where it is a layer.
        """

    def step(self, x: Any, targets: Any, rate: float) -> Step:
        """One step of plain gradient descent at learning rate ``rate`` in training mode, dropout
        off.

        Where the program :attr:`~inception_dsl.ir.typed.TypedProgram.has_loss`, ``targets`` are
        classes (N) and the loss is that of the emitted source. Else ``targets`` has an array like
        each output, by name, and the loss is the sum of all products of outputs and targets.
        """

    def initial(self) -> dict[str, Any]:
        """New initial values for every weight by path, as the emitted file sets them."""

    def features(self, x: Any) -> dict[str, Any]:
        """What the file computes before its head, in inference: ``features``, and ``pre_logits``
        before its last layer. Left out: what the file does not offer.
        """

    def dropped(self, x: Any) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
        """Training mode with dropout on: input and output of every dropout layer, in any order, and
        the outputs by name. Moving statistics change.
        """

    def losses(self, x: Any, targets: Any) -> dict[str, float]:
        """The loss in training mode, dropout off, for every type and shape of labels that users of
        the framework pass, by a description of them.
        """

    def save(self, path: Path) -> None:
        """Write the weights to ``path`` in the framework's own format, told by its ending."""

    def restore(self, path: Path) -> None:
        """Read what :meth:`save` writes.

        Raises ``ValueError`` with every difference, and changes nothing then.
        """


class Runner(Protocol):
    """What the module named by :attr:`Backend.runner` offers.

    ``SUFFIXES`` are the endings of weight files it knows.
    """

    SUFFIXES: tuple[str, ...]

    def create(self, typed: TypedProgram, files: Files, dtype: str, *, heads: bool = True) -> Model:
        """A model from emitted files, on the input of ``typed``, with its classes and channels.

        ``dtype`` is ``float32`` or ``float64``. Without ``heads`` it is built as the file builds it
        without auxiliary heads, and has no weights of them.
        """

    def rejected(self, typed: TypedProgram, files: Files) -> str:
        """The message of the ``ValueError`` for an input of this size in inference; else empty."""

    def preprocess(self, files: Files, images: Any) -> Any:
        """What the function of the file makes of images (N, spatial axes, 3) of bytes."""


def main_text(files: Files) -> str:
    """The text of the first file; raises ``ValueError`` where that is bytes."""
    found = next(iter(files.values()))
    if isinstance(found, bytes):
        raise ValueError(f"{next(iter(files))} is no text")
    return found
