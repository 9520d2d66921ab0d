"""The field ``checkpoints``: what a published implementation calls the weights of a network."""

import re
from typing import Annotated, Any, Final

from pydantic import Field

from ..ops import Fields
from ..ops.fields.kinds import Id, Texts, choice
from ..ops.fields.refusal import Checked, refuse, shown

SOURCES: Final = ("torchvision", "timm", "keras-applications")
_PLACE: Final = r"^[a-z0-9_]+(/[a-z0-9_]+)*(/\*(/[a-z0-9_]+)*)?$"
_NAME: Final = r"^[^{}\s]+(\{(0|[1-9][0-9]{0,4})\.\.(0|[1-9][0-9]{0,4})\}[^{}\s]*)?$"
_NAMES: Final = {"conv_1a": "Conv2d_1a_3x3", "inception_a/*": "features.{6..9}"}


def place(value: Any) -> str:
    """Checks the path of a step, in which `*` may stand for an index."""
    if not isinstance(value, str) or len(value) > 1024 or not re.fullmatch(_PLACE, value):
        help = "write the path of a step; one `*` stands for the index of a repeated step"
        raise refuse(f"{shown(value)} is not a path", help=help)
    return value


def published(value: Any) -> str:
    """Checks a name in a file of weights, in which `{first..last}` may stand for numbers."""
    if not isinstance(value, str) or len(value) > 1024 or not re.fullmatch(_NAME, value):
        help = "write the name, with `{first..last}` for the numbers of a repeated step"
        raise refuse(f"{shown(value)} is not a name in a file of weights", help=help)
    return value


Source = Annotated[str, Checked(choice(SOURCES), {"enum": list(SOURCES)})]
Place = Annotated[str, Checked(place, {"type": "string", "pattern": _PLACE, "maxLength": 1024})]
Published = Annotated[
    str, Checked(published, {"type": "string", "pattern": _NAME, "maxLength": 1024})
]


class Naming(Fields):
    """The names that one source gives to layers. The longest path that fits counts; what is left of
    a path follows.
    """

    names: dict[Place, Published] = Field(
        default={},
        description="Path in the network to name. `/*` is a repetition, its number in the name "
        "`{first..last}`.",
        examples=[_NAMES],
    )
    blocks: dict[Id, dict[Place, Published]] = Field(
        default={},
        description="The same inside of a block: what follows the name of each of its uses.",
        examples=[{"inception_v3_a": {"branch_5x5/0": "branch5x5_1"}}],
    )
    numbered: dict[Id, Published] = Field(
        default={},
        description="Last part of a path to word: layers without a name are numbered, in the "
        "order of the network.",
        examples=[{"conv": "conv2d", "bn": "batch_normalization"}],
    )
    optional: Texts | None = Field(
        None,
        description="Names that the network or a file may do without.",
        examples=[["AuxLogits"]],
    )


def naming(value: Any) -> Any:
    """Names, or the source that has the same ones."""
    return choice(SOURCES)(value) if isinstance(value, str) else Naming.model_validate(value)


NamingField = Annotated[
    Any, Checked(naming, {"anyOf": [{"enum": list(SOURCES)}, {"$ref": "#/$defs/Naming"}]})
]
