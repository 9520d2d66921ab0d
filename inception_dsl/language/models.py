"""The schema of a spec, as pydantic models: networks, blocks, forks, uses, and what stands around them."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..ops import OPS, Fields, Op, Step, attribute_names, expressions
from ..ops.fields.allow import Codes
from ..ops.fields.kinds import (
    EXPRESSION_SCHEMA,
    Classes,
    Constant,
    Id,
    Path,
    Text,
    Texts,
    expressible,
)
from ..ops.fields.refusal import Checked, below, did_you_mean, located, refuse, shown
from ..types.merge import Merge
from .checkpoints import NamingField, Source
from .meant import (
    KINDS,
    default_alone,
    misplaced_merge,
    not_a_step,
    not_an_input,
    unknown_axis,
    unknown_op,
    wrapped_arguments,
)
from .rest import Rest
from .sections import Paper, Preprocessing, Recorded, Training, argument

_STEP: Final = {"op": "conv_bn", "filters": 64, "kernel_size": 3}
_INPUT: Final = {"channels": 3, "height": 299, "width": 299}
_HEADS: Final = {"aux": {"after": "mixed_6e", "loss_weight": 0.4, "steps": [_STEP]}}
_PARAMS: Final = {"filters": "int", "pool_filters": {"type": "int", "default": 64}}
_DEFAULTS: Final = {"batch_norm": {"epsilon": 0.001, "scale": False}}
_NOTE: Final = "The figure is silent; the authors' code is followed."
_SAME: Final = {"timm": {"names": {"conv_1a": "Conv2d_1a_3x3"}}}
ParameterType: TypeAlias = Literal["int", "float", "bool", "str"]
PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}


def fits(value: object, kind: str) -> bool:
    """Whether ``value`` may be given to a parameter of type ``kind``."""
    return isinstance(value, PYTHON_TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def step(value: Any) -> Any:
    """One step of a chain: an op, a fork or a use."""
    if isinstance(value, Rest):
        return Broken.model_validate(dict(value))
    kinds = [key for key in KINDS if isinstance(value, dict) and key in value]
    if len(kinds) != 1:
        raise not_a_step(value)
    if kinds[0] == "op":
        kind = OPS.get(value["op"]) if isinstance(value["op"], str) else None
        if kind is None:
            raise located(unknown_op(value["op"]), ("op",), value["op"])
        return kind.model_validate(value)
    if kinds[0] == "branches":
        misplaced = misplaced_merge(value)
        if misplaced:
            raise misplaced
        return Fork.model_validate(value)
    wrapped = wrapped_arguments(value)
    if wrapped:
        raise wrapped
    own = {k: v for k, v in value.items() if k in Use.model_fields and k != "arguments"}
    return Use.model_validate(
        {**own, "arguments": {k: v for k, v in value.items() if k not in own}}
    )


def _partial(kind: type[Op]) -> Callable[[Any], dict[str, Any]]:
    def check(value: Any) -> dict[str, Any]:
        known = attribute_names(kind)
        if not isinstance(value, dict):
            raise refuse(f"expected a mapping of attributes, found {shown(value)}")
        for key in value:
            if key in Step.model_fields or key == "op":
                error = refuse(
                    f"`{key}` is no attribute of `{kind.kind}`",
                    code="E201",
                    help=f"it has {', '.join(known)}",
                )
                raise located(error, (key, "[key]"), value)
        checked = kind.partial(value)
        for key, given in checked.items():
            if expressions(given):
                error = refuse(
                    "a default is a plain value, as parameters differ from block to block",
                    code="E207",
                )
                raise located(error, (key,), value[key])
        return checked

    return check


def defaults(value: Any) -> dict[str, dict[str, Any]]:
    """Attributes op by op, each checked as the op's own field is; all mistakes at once."""
    if not isinstance(value, dict):
        raise refuse(f"expected a mapping from ops to attributes, found {shown(value)}")
    found: dict[str, dict[str, Any]] = {}
    wrong: list[InitErrorDetails] = []
    for name, attributes in value.items():
        if name not in OPS:
            wrong.append(InitErrorDetails(type="extra_forbidden", loc=(name,), input=attributes))
            continue
        try:
            found[name] = _partial(OPS[name])(attributes)
        except PydanticCustomError as error:
            wrong.append(InitErrorDetails(type=error, loc=(name,), input=attributes))
        except ValidationError as error:
            wrong += [below(problem, name) for problem in error.errors(include_url=False)]
    if wrong:
        raise ValidationError.from_exception_data("defaults", wrong)
    return found


DefaultsField = Annotated[
    dict[str, dict[str, Any]], Checked(defaults, {"$ref": "#/$defs/Defaults"})
]
StepField = Annotated[Any, Checked(step, {"$ref": "#/$defs/step"})]
Chain = Annotated[
    list[StepField],
    Field(
        description="Steps, one after the other; an empty list is the input itself.",
        examples=[[_STEP]],
    ),
]
Argument = Annotated[
    Any,
    Checked(
        expressible(argument),
        {
            "anyOf": [
                {"type": ["number", "boolean"]},
                {"type": "string", "pattern": r"^(?!\$)"},
                EXPRESSION_SCHEMA,
            ]
        },
    ),
]


class Fork(Step):
    """Branches that all take the same input, and how their outputs become one."""

    branches: Annotated[dict[Id, Chain], Field(min_length=1)] = Field(
        description="The branches by name, in the order of the merge.",
        examples=[{"shortcut": [], "branch_3x3": [_STEP]}],
    )
    merge: Merge = Field(
        description="`concat` joins channels; `add` and `multiply` work element by element and broadcast vectors."
    )


class Use(Step):
    """A block with values for its parameters."""

    use: Id = Field(
        description="The id of a block: of this file or of an imported one.",
        examples=["inception_a"],
    )
    arguments: dict[Id, Argument] = Field(default={})


class Broken(Step):
    """What is left of a step that has a mistake."""

    branches: dict[Id, Chain] = Field(default={})
    use: Id | None = None


class Parameter(Fields):
    """A parameter with its type and, if it may be left out, its default."""

    type: ParameterType = Field(description="Type of the value.")
    default: Recorded | None = Field(
        None, description="Value where a use gives none.", examples=[64]
    )
    description: Text | None = Field(
        None, description="What it is.", examples=["filters after the pool"]
    )


def parameter(value: Any) -> Parameter:
    if isinstance(value, str) and value in PYTHON_TYPES:
        return Parameter.model_construct(type=cast("ParameterType", value))
    if not isinstance(value, dict):
        types = ", ".join(PYTHON_TYPES)
        message = f"expected a type ({types}) or {{type: …, default: …}}, found {shown(value)}"
        raise refuse(
            message, meant=lambda: default_alone(value) or did_you_mean(value, PYTHON_TYPES)()
        )
    checked = Parameter.model_validate(value)
    if checked.default is not None and not fits(checked.default, checked.type):
        error = refuse(f"the default {shown(checked.default)} is not of type {checked.type}")
        raise located(error, ("default",), checked.default)
    return checked


ParameterField = Annotated[
    Parameter,
    Checked(parameter, {"anyOf": [{"enum": list(PYTHON_TYPES)}, {"$ref": "#/$defs/Parameter"}]}),
]


def input_type(value: Any) -> dict[str, int]:
    """``{channels, …}`` with one, two or three spatial axes, named as the frameworks do; nothing after a mistake."""
    if isinstance(value, Rest):
        return {}
    if not isinstance(value, dict):
        raise not_an_input(value)
    misspelt = unknown_axis(value, ("channels", "length", "height", "width", "depth"))
    if misspelt:
        raise misspelt
    spatial = tuple(k for k in value if k != "channels")
    if "channels" not in value or set(spatial) not in [
        set(axes) for rank, axes in AXES.items() if rank
    ]:
        help = "write channels with length, with height and width, or with depth, height and width"
        raise refuse(
            f"an input has channels and spatial axes, found {', '.join(map(str, value)) or 'nothing'}",
            help=help,
        )
    for name, size in value.items():
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 65_536:
            raise located(
                refuse(f"expected a whole number from 1 to 65536, found {shown(size)}"),
                (name,),
                size,
            )
    return value


AXES: Final[dict[int, tuple[str, ...]]] = {
    0: (),
    1: ("length",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}


def _size(axis: str) -> dict[str, Any]:
    example = 3 if axis == "channels" else 299
    return {
        "description": f"Size of {axis}.",
        "examples": [example],
        "type": "integer",
        "minimum": 1,
        "maximum": 65_536,
    }


_INPUTS: Final = [
    {
        "type": "object",
        "properties": {n: _size(n) for n in ("channels", *names)},
        "required": ["channels", *names],
        "additionalProperties": False,
    }
    for rank, names in AXES.items()
    if rank
]
InputField = Annotated[dict[str, int], Checked(input_type, {"anyOf": _INPUTS})]


class Described(Fields):
    """What documents a network, a block or a head."""

    title: Text | None = Field(None, description="The name as printed.", examples=["Inception-v4"])
    description: Text | None = Field(
        None, description="For the documentation.", examples=["Four branches."]
    )
    paper: Paper | None = Field(
        None, description="Where it is published.", examples=[{"arxiv": "1602.07261", "figure": 4}]
    )
    deviation: Texts | None = Field(
        None, description="Where this differs from the paper.", examples=[_NOTE]
    )
    allow: Codes = Field(
        (), description="Warnings that are meant, anywhere in this.", examples=[["W403"]]
    )


class BlockBody(Described):
    """A block under ``blocks:``."""

    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    steps: Chain


class Linked(Described):
    """What a file may say, whatever it holds."""

    extends: Path | None = Field(
        None, description="Another spec that this one changes.", examples=["v4.yaml"]
    )
    imports: list[Path] = Field(
        default=[],
        alias="import",
        description="Files whose blocks are used here, from this file's folder.",
        examples=[["blocks/reduction_a.yaml"]],
    )
    params: dict[Id, ParameterField] = Field(
        default={}, description="Parameters by name.", examples=[_PARAMS]
    )
    defaults: DefaultsField | None = Field(
        None, description="Attributes where a step says nothing.", examples=[_DEFAULTS]
    )
    blocks: dict[Id, BlockBody] = Field(
        default={}, description="Blocks of this file.", examples=[{"tower": {"steps": [_STEP]}}]
    )


class BlockFile(Linked):
    """A file that defines one block; it can be built alone on an input."""

    block: Id = Field(description="The block's id.", examples=["inception_a"])
    input: InputField | None = Field(
        None, description="The input to build it on, alone.", examples=[_INPUT]
    )
    steps: Chain


class AuxHead(Described):
    """A classifier off the middle of the network that only stands in training."""

    after: Id = Field(
        description="Name of the step of stem or body whose output it takes.", examples=["mixed_6e"]
    )
    loss_weight: Constant = Field(description="Factor of its loss.", examples=[0.3, 0.4])
    steps: Chain


class NetworkFile(Linked):
    """A file that defines a network."""

    network: Id = Field(description="The network's id.", examples=["inception_v4"])
    input: InputField = Field(
        description="Channels and spatial axes of one sample.", examples=[_INPUT]
    )
    classes: Classes = Field(
        1000, description="Number of classes; `$classes` in steps.", examples=[10]
    )
    preprocessing: Preprocessing | None = Field(
        None,
        description="What the network expects of its input.",
        examples=[{"scale": 0.00784313725490196, "mean": 1}],
    )
    stem: Chain = Field(default=[], description="The first steps.", examples=[[_STEP]])
    body: Chain = Field(
        default=[], description="The steps up to the last feature map.", examples=[[_STEP]]
    )
    aux_heads: dict[Id, AuxHead] = Field(
        default={}, description="Auxiliary classifiers.", examples=[_HEADS]
    )
    head: Chain = Field(
        default=[], description="The steps from features to output.", examples=[[_STEP]]
    )
    outputs: dict[Id, Id] = Field(
        default={},
        description="Further outputs by name: the step at the top whose output each is.",
        examples=[{"features": "mixed_5b"}],
    )
    training: Training | None = Field(
        None, description="How the paper trains it.", examples=[{"label_smoothing": 0.1}]
    )
    checkpoints: dict[Source, NamingField] = Field(
        default={},
        description="What published files call its weights, by where they come from.",
        examples=[_SAME],
    )
