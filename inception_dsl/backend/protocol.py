"""The backend protocol: the values and classes that a backend package provides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from ..diagnostics.report import Report
from ..ir.typed import TypedProgram

API_VERSION: Final = 2
GROUP: Final = "inception_dsl.backends"
SCRIPT: Final = "train_"
"""How the names of training scripts start."""


class Option(NamedTuple):
    """An option of a backend, which ``build --option NAME=VALUE`` sets.

    ``choices`` are its values, the default first; ``help`` is one line for users.
    """

    name: str
    choices: tuple[str, ...]
    help: str


class Request(NamedTuple):
    """A build request. ``name`` is the stem of the generated file names; ``options`` has the value
    of each option that the user sets; ``train`` asks for a training script too. ``others``: other
    backends write files of the program, so that documents which cannot be written are left out with
    a warning, and not an error.
    """

    name: str
    options: Mapping[str, str] = MappingProxyType({})
    train: bool = False
    others: bool = False

    @property
    def script(self) -> str:
        """The stem of the training script."""
        return f"{SCRIPT}{self.name}"

    def value(self, option: Option) -> str:
        """The value of an option: what the user sets, or its default."""
        return self.options.get(option.name, option.choices[0])


Files: TypeAlias = Mapping[str, str | bytes]
"""Generated files, text or bytes, by file name; users import or load the first one."""


class Engine(NamedTuple):
    """An engine that a framework can run on: Keras runs on TensorFlow, JAX or PyTorch.

    ``environment`` holds environment variables to set before the runner is imported. ``exact``:
    the engine computes in float64 throughout; otherwise its results are compared in float32.
    """

    name: str
    environment: tuple[tuple[str, str], ...] = ()
    exact: bool = True


class Backend(NamedTuple):
    """A backend.

    ``emit`` compiles a typed program to files, or reports errors and returns ``None``. The first
    file is named ``request.name`` plus ``suffix``; the names of all other files start with
    ``request.name``. One that writes ``documents`` can leave files out.

    ``title`` is the framework's name, ``suffix`` the file name extension. ``runner`` names the only
    module that imports the framework; it is imported only to run generated code (empty if the
    backend cannot run it). ``engines`` are the engines of the framework, the default first.
    ``unbiased_variance``: batch norm divides by n - 1, not n, for the moving variance.
    ``packages`` are the packages that the framework imports; generated files cannot have their
    names. ``several_inputs``: it can compile networks with several inputs. ``shares``: it writes
    steps that share weights as calls of one layer; without it, a spec with such steps is an error.
    ``documents``: it writes figures or tables, not source; ``build`` uses it only if it is asked
    for. ``options`` are what users can choose. ``trains``: if the request asks for it, it adds a
    script that trains the network by its recipe, named ``request.script`` plus ``suffix``.
    ``splits``: the script can compute a batch in parts, one after the other. ``processes``: several
    processes of the script can share a batch.
    """

    name: str
    title: str
    emit: Callable[[TypedProgram, Request, Report], Files | None]
    suffix: str = ".py"
    runner: str = ""
    api_version: int = API_VERSION
    engines: tuple[Engine, ...] = ()
    unbiased_variance: bool = False
    packages: tuple[str, ...] = ()
    several_inputs: bool = False
    shares: bool = False
    documents: bool = False
    options: tuple[Option, ...] = ()
    trains: bool = False
    splits: bool = False
    processes: bool = False


class Binding(NamedTuple):
    """Where a weight of the spec is stored in a framework's model.

    ``path`` is its name in the spec, ``key`` its name in the model. ``layout`` selects the runner's
    conversion between the neutral layout (see :class:`~inception_dsl.types.weight.Weight`) and the
    framework's layout.
    """

    path: str
    key: str
    layout: str


class Step(NamedTuple):
    """The result of one training step.

    The loss before the update, the gradients of all trainable weights, all weights after the
    update.
    """

    loss: float
    gradients: dict[str, Any]
    weights: dict[str, Any]


class Updated(NamedTuple):
    """The state of a training script after some steps, by path: all weights, the slots of the
    optimiser of each trainable one (``velocity``, ``mean``, ``mean_square``), and the running
    average, which is empty without one.
    """

    step: int
    weights: dict[str, Any]
    slots: dict[str, dict[str, Any]]
    average: dict[str, Any]


class ImageBatch(NamedTuple):
    """A batch of a training script: pixels from 0 to 255 (N, height, width, channels) in float64,
    the class index of each image (N), and how the script computes it if its backend can: in
    ``parts`` of the same size, one after the other, as the first of ``processes``.
    """

    images: Any
    classes: Any
    parts: int = 1
    processes: int = 1


class Trained(NamedTuple):
    """The loss of a step of a training script, and the state after it."""

    loss: float
    state: Updated


Feed: TypeAlias = Callable[[Mapping[str, Any], int], Mapping[str, Any]]
"""The gradients of all trainable weights, and new moving statistics, from all weights before a
step, which counts from 0.
"""


class Model(Protocol):
    """A model held by a runner.

    Arrays are NumPy arrays, channels last, with a batch axis; weights are keyed by path. If the
    network has several inputs, ``x`` is a mapping with an array for each, by name.
    """

    def weights(self) -> dict[str, Any]:
        """Return all variables, in the neutral layout."""

    def load(self, weights: Mapping[str, Any]) -> None:
        """Set all variables.

        Raises ``KeyError`` or ``ValueError`` if one is missing, unknown or has the wrong shape.
        """

    def parameters(self) -> tuple[int, int]:
        """The numbers of trainable and of other parameters, as the framework counts them."""

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name.

        Training mode includes the auxiliary heads; it uses batch statistics, but no dropout.
        """

    def inference(self, x: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The outputs by name, and the output of every block instance by path, from one pass.

        In inference mode. Top-level steps that are layers count as block instances.
        """

    def step(self, x: Any, targets: Any, rate: float) -> Step:
        """Run one step of SGD without momentum in training mode, without dropout.

        ``rate`` is the learning rate, ``targets`` are by output. If the program
        :attr:`~inception_dsl.ir.typed.TypedProgram.has_loss`, they are those of its ``targets``, in
        this order: class indices (N) for the final output, and what the losses of outputs take; the
        loss is that of the generated source. Otherwise each output has an array of its shape, and
        the loss is the sum of ``output * target`` over all outputs.
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
        the framework pass, by a description of them. ``targets`` are those of :meth:`step`.
        """

    def rates(self, files: Files, samples: int, steps: Iterable[int]) -> tuple[int, list[float]]:
        """The steps of a whole run of the training script with so many images, and the learning
        rate of each of ``steps``, from 0.
        """

    def updates(
        self, files: Files, feed: Feed, samples: int, steps: Iterable[int]
    ) -> Iterator[Updated]:
        """Run the optimiser and the running average of the training script from the weights that
        are loaded, and give their state after each of ``steps``, which ascend.
        """

    def train_steps(
        self, files: Files, samples: int, given: Sequence[tuple[Updated, ImageBatch]]
    ) -> Iterator[Trained]:
        """Run whole steps of the training script, each from its own state, without dropout.

        From pixels to the loss, its gradients, the update and the running average. States have the
        steps 0, 1, 2, …; at step 0 the script begins with the weights of the state, so that slots
        and average are those that it makes itself.
        """

    def save(self, path: Path) -> None:
        """Write the weights to ``path`` in the framework's format for its extension."""

    def restore(self, path: Path) -> None:
        """Read a file written by :meth:`save`.

        Raises ``ValueError`` that lists every difference; the model is then unchanged.
        """


class Runner(Protocol):
    """The interface of the module named by :attr:`Backend.runner`.

    ``SUFFIXES`` are the extensions of the weight files that it reads and writes.
    """

    SUFFIXES: tuple[str, ...]

    def create(self, typed: TypedProgram, files: Files, dtype: str, *, heads: bool = True) -> Model:
        """Create a model from generated files, for the input and the classes of ``typed``.

        ``dtype`` is ``float32`` or ``float64``. Without ``heads`` it is built as the file builds it
        without auxiliary heads, and has no weights of them.
        """

    def rejected(self, typed: TypedProgram, files: Files, *, heads: bool = False) -> str:
        """The message of the ``ValueError`` for an input of this size; else empty.

        In inference, or with ``heads`` in training with the auxiliary heads.
        """

    def preprocess(self, files: Files, images: Any) -> Any:
        """What the function of the file makes of images (N, spatial axes, channels).

        They are bytes, or float64, which the result then is, too.
        """


def main_text(files: Files) -> str:
    """The text of the first file; raises ``ValueError`` if it is binary."""
    found = next(iter(files.values()))
    if isinstance(found, bytes):
        raise ValueError(f"{next(iter(files))} is not a text file")
    return found
