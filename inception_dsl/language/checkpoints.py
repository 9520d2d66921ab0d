"""The field ``checkpoints``: the names of a network's weights in published weight files."""

import re
from typing import Annotated, Any, Final

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Id, Texts
from ..ops.fields.refusal import Checked, refuse, shown

_SOURCE: Final = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"
_SEPARATOR: Final = r"^[^{}\s]*$"
_PATH: Final = r"^[a-z0-9_]+(/[a-z0-9_]+)*(/\*(/[a-z0-9_]+)*)?$"
_NAME: Final = r"^[^{}\s]+(\{(0|[1-9][0-9]{0,4})\.\.(0|[1-9][0-9]{0,4})\}[^{}\s]*)?$"
_PART: Final = rf"^$|{_NAME}"
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


def part(value: Any) -> str:
    """Checks a name inside a block: the same, or empty if the use of the block has its name."""
    return "" if value == "" else published(value)


def source(value: Any) -> str:
    """Checks the name of a source, which can be any."""
    if not isinstance(value, str) or len(value) > 64 or not re.fullmatch(_SOURCE, value):
        help = "use letters, digits, `_` and `-`, for example `keras-applications`"
        raise refuse(f"invalid name of a source: {shown(value)}", help=help)
    return value


def separator(value: Any) -> str:
    """Checks what joins the parts of a name."""
    if not isinstance(value, str) or len(value) > 16 or not re.fullmatch(_SEPARATOR, value):
        help = 'write the text between the parts of a name, for example `"_"` or `"/"`'
        raise refuse(f"invalid separator: {shown(value)}", help=help)
    return value


_SOURCE_SCHEMA: Final = {"type": "string", "pattern": _SOURCE, "maxLength": 64}
Source = Annotated[str, Checked(source, _SOURCE_SCHEMA)]
StepPath = Annotated[
    str, Checked(step_path, {"type": "string", "pattern": _PATH, "maxLength": 1024})
]
Published = Annotated[
    str, Checked(published, {"type": "string", "pattern": _NAME, "maxLength": 1024})
]
Part = Annotated[str, Checked(part, {"type": "string", "pattern": _PART, "maxLength": 1024})]
Separator = Annotated[
    str, Checked(separator, {"type": "string", "pattern": _SEPARATOR, "maxLength": 16})
]


class Naming(Fields):
    """Names of layers in one source. The longest matching path is used; the rest of the path is
    appended to the name.
    """

    names: dict[StepPath, Published] = Field(
        default={},
        description="Path of a step, or of a weight such as `fc/kernel`, to its published name. "
        "`/*` matches all repetitions of a step; `{first..last}` in the name has their numbers.",
        examples=[_NAMES],
    )
    blocks: dict[Id, dict[StepPath, Part]] = Field(
        default={},
        description="Names for the paths inside a block, appended to the name of each of its uses "
        "and of those of blocks that extend it. An op of several layers (`conv_bn`) can be one.",
        examples=[{"inception_v3_a": {"branch_5x5/0": "branch5x5_1"}}],
    )
    separator: Separator = Field(".", description="What joins the parts of a name.", examples=["_"])
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
    return source(value) if isinstance(value, str) else Naming.model_validate(value)


NamingField = Annotated[
    Any, Checked(naming, {"anyOf": [_SOURCE_SCHEMA, {"$ref": "#/$defs/Naming"}]})
]
