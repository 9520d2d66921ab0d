"""The field ``checkpoints``: the names of a network's weights in published weight files."""

import re
from typing import Annotated, Any, Final

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Id, Texts, choice
from ..ops.fields.refusal import Checked, refuse, shown

SOURCES: Final = ("torchvision", "timm", "keras-applications")
_PATH: Final = r"^[a-z0-9_]+(/[a-z0-9_]+)*(/\*(/[a-z0-9_]+)*)?$"
_NAME: Final = r"^[^{}\s]+(\{(0|[1-9][0-9]{0,4})\.\.(0|[1-9][0-9]{0,4})\}[^{}\s]*)?$"
_NAMES: Final = {"conv_1a": "Conv2d_1a_3x3", "inception_a/*": "features.{6..9}"}


def step_path(value: Any) -> str:
    """Checks the path of a step, in which one `*` can match an index."""
    if not isinstance(value, str) or len(value) > 1024 or not re.fullmatch(_PATH, value):
        help = "write the path of a step; one `*` matches the indices of a repeated step"
        raise refuse(f"invalid path: {shown(value)}", help=help)
    return value


def published(value: Any) -> str:
    """Checks a name in a weight file, in which `{first..last}` can be a range of numbers."""
    if not isinstance(value, str) or len(value) > 1024 or not re.fullmatch(_NAME, value):
        help = "write the name in the weight file; `{first..last}` is the range of a repeated step"
        raise refuse(f"invalid name of weights: {shown(value)}", help=help)
    return value


Source = Annotated[str, Checked(choice(SOURCES), {"enum": list(SOURCES)})]
StepPath = Annotated[
    str, Checked(step_path, {"type": "string", "pattern": _PATH, "maxLength": 1024})
]
Published = Annotated[
    str, Checked(published, {"type": "string", "pattern": _NAME, "maxLength": 1024})
]


class Naming(Fields):
    """Names of layers in one source. The longest matching path is used; the rest of the path is
    appended to the name.
    """

    names: dict[StepPath, Published] = Field(
        default={},
        description="Path in the network to published name. `/*` matches all repetitions of a "
        "step; `{first..last}` in the name has their numbers.",
        examples=[_NAMES],
    )
    blocks: dict[Id, dict[StepPath, Published]] = Field(
        default={},
        description="Names for the paths inside a block, appended to the name of each of its uses.",
        examples=[{"inception_v3_a": {"branch_5x5/0": "branch5x5_1"}}],
    )
    numbered: dict[Id, Published] = Field(
        default={},
        description="Last part of a path to a word. Layers without another name are called by it "
        "and numbered in the order of the network, as in Keras: `conv2d_7`.",
        examples=[{"conv": "conv2d", "bn": "batch_normalization"}],
    )
    optional: Texts | None = Field(
        None,
        description="Names that may be missing in the network or in a file.",
        examples=[["AuxLogits"]],
    )


def naming(value: Any) -> Any:
    """Checks a mapping of names, or a source with the same names."""
    return choice(SOURCES)(value) if isinstance(value, str) else Naming.model_validate(value)


NamingField = Annotated[
    Any, Checked(naming, {"anyOf": [{"enum": list(SOURCES)}, {"$ref": "#/$defs/Naming"}]})
]
