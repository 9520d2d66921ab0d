"""The language reference, generated from the classes that implement it."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from pydantic.fields import FieldInfo

from ..language.checkpoints import Naming
from ..language.each import ABOUT, EACH
from ..language.models import AuxHead, BlockFile, NetworkFile, Output
from ..language.optimizer import Optimizer, Schedule
from ..language.parameters import Parameter
from ..language.recipe import (
    Augmentation,
    Average,
    GradientClip,
    Group,
    WeightDecay,
)
from ..language.sections import Paper, Preprocessing, Resize
from ..language.steps import Fork
from ..language.training import Initializer, Training
from ..ops import CORE_OPS, Op, Weighted, attribute_names

TABLES = (
    ("Network file", NetworkFile),
    ("Block file", BlockFile),
    ("Every step", Weighted),
    ("Fork", Fork),
    ("Parameter", Parameter),
    ("Auxiliary head", AuxHead),
    ("Output", Output),
    ("Paper", Paper),
    ("Preprocessing", Preprocessing),
    ("Resizing", Resize),
    ("Training", Training),
    ("Initial weights", Initializer),
    ("Optimizer", Optimizer),
    ("Schedule", Schedule),
    ("Weight decay", WeightDecay),
    ("Groups: `kernels`, `biases`, `norms`", Group),
    ("Gradient clip", GradientClip),
    ("Running average", Average),
    ("Augmentation", Augmentation),
    ("Names in published files", Naming),
)


def describe(kind: type[Op]) -> str:
    """The output of ``inception-dsl ops NAME``."""
    lines = [f"{kind.kind}: {kind.summary}", "", _text(kind), ""]
    fields = {name: kind.model_fields[name] for name in attribute_names(kind)}
    width = max(map(len, fields), default=0)
    for name, field in fields.items():
        lines.append(f"  {name.ljust(width)}  {field.description or ''} ({_default(name, field)})")
    every = ", ".join(field.alias or name for name, field in _step_fields().items())
    lines += ["", f"  Every step also has {every}."]
    return "\n".join([*lines, "", f"  {kind.example}"])


def _step_fields() -> dict[str, FieldInfo]:
    """The fields of every step; the reader of specs, not the model, takes ``each``."""
    found: dict[str, FieldInfo] = {}
    for name, field in Weighted.model_fields.items():
        found[name] = field
        if name == "repeat":
            found[EACH] = FieldInfo(default=None, description=ABOUT)
    return found


def markdown_reference() -> str:
    """The contents of ``specs/README.md``."""
    guide = resources.files(__package__).joinpath("guide.md").read_text(encoding="utf-8")
    parts = [guide.rstrip()]
    for title, model in TABLES:
        fields = _step_fields() if model is Weighted else dict(model.model_fields)
        parts += [f"### {title}", _table(fields)]
    parts.append("## Ops")
    parts.append(
        "Every attribute except `initializer` also takes `$name` or `${arithmetic}`; "
        "`inception-dsl ops NAME` prints one op."
    )
    for kind in CORE_OPS:
        fields = {name: kind.model_fields[name] for name in attribute_names(kind)}
        parts += [
            f"### `{kind.kind}`",
            _text(kind),
            *([_table(fields)] if fields else []),
            f"```yaml\n{kind.example}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = ["| field | | default |", "|---|---|---|"]
    for name, field in fields.items():
        text = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{field.alias or name}` | {text} | {_default(name, field)} |")
    return "\n".join(rows)


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:  # attributes of another op
        return f"those of `{name}`"
    if field.default is None:
        return "none"
    return _plain(field.default)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(kind: type[Op]) -> str:
    return " ".join((kind.__doc__ or "").replace("``", "`").split())
