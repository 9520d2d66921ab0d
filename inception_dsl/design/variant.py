"""The specs that ``inception-dsl new NAME --from SPEC`` writes: a variant of another spec."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..diagnostics.report import SHIPPED, Report, Span
from ..language.derived import FIELD, origin
from ..language.file_names import file_name
from ..language.link import Linked, LinkedBlock, given_defaults, link, steps_of
from ..language.load import Spec, load
from ..language.models import BlockBody, NetworkFile
from ..language.roots import MARKER, root_of
from ..language.rules import step_name
from ..language.shipped import meant
from ..language.steps import Use
from ..version import __version__
from ..yaml.edits import flow
from ..yaml.kept import known
from ..yaml.layout import layout
from .copied import copied_text
from .rewrites.comments import comments
from .rewrites.moving import Source

REQUIRES: Final = f"inception-dsl >= {__version__}"
_CHAINS: Final = ("stem", "body", "head", "steps")
_KEYS: Final = frozenset({"op", "use", "name", "branches", "merge", "split", "allow", "deviation"})
_REPLACED: Final = frozenset(
    {"network", "block", "title", "description", "paper", "deviation", FIELD}
    | {"extends", "requires", "import", "blocks"}
)

_WITHOUT: Final = "# The comments of the original are not copied.\n"
_OVERLAY: Final = """\
# A variant of {original}.
# What is not changed here is as there.
requires: {requires}
extends: {extends}
{kind}: {name}
title: {title}

# Examples with the values of the original: remove `# ` and change them. A mapping changes a step,
# a list replaces it (`...` is the old one), `null` removes it, and new fields are added.
{examples}"""


class Base(NamedTuple):
    """The spec to start from, and the blocks that it uses."""

    spec: Spec
    blocks: dict[str, LinkedBlock]

    @property
    def kind(self) -> str:
        return "network" if isinstance(self.spec.model, NetworkFile) else "block"


def based_on(spec: str, report: Report) -> Base | None:
    """The spec to start from, which may have parameters without a value; ``None`` on errors."""
    found = load(spec, {}, report)
    linked = link(found, report) if found is not None else Linked()
    if found is None or not report.ok:
        return None
    used: dict[str, LinkedBlock] = {}
    chains: list[list[Any]] = [getattr(found.model, name, []) for name in _CHAINS]
    for part in ("aux_heads", "outputs"):
        chains += [head.steps for head in getattr(found.model, part, {}).values()]
    while chains:
        for step in steps_of(chains.pop()):
            if isinstance(step, Use) and step.use in linked and step.use not in used:
                used[step.use] = linked[step.use]
                chains.append(linked[step.use].model.steps)
    return Base(found, used)


def reference(spec: str, path: Path, report: Report) -> str:
    """How the new file at ``path`` names ``spec`` in ``extends``; empty if it must not."""
    name = meant(spec)
    if name is not None:
        return f"{SHIPPED}{name}"
    file = os.path.realpath(spec)
    if not Path(file).is_relative_to(root_of(path)):
        help = f"copy it with `--copy`, or put a file `{MARKER}` into a folder above both"
        message = f"{file_name(Path(spec))} is outside the root folder of the new spec"
        report.error("E301", message, Span(file_name(Path(spec)), 1, 1, 1, 2), help=help)
        return ""
    return Path(os.path.relpath(file, os.path.realpath(path.parent))).as_posix()


def overlay_text(name: str, title: str, base: Base, extends: str) -> str:
    """A spec that extends ``base`` and changes nothing yet, with examples of changes."""
    return _OVERLAY.format(
        original=origin(base.spec.document.data),
        requires=REQUIRES,
        extends=flow(extends),
        kind=base.kind,
        name=name,
        title=title,
        examples="".join(f"# {line}\n" for line in _examples(base)),
    )


def _examples(base: Base) -> Iterator[str]:
    """Changes of the base, each with its present value."""
    data, model = base.spec.document.data, base.spec.model
    if isinstance(model, NetworkFile):
        yield f"classes: {model.classes}"
    if "input" in data:
        yield f"input: {flow(data['input'])}"
    for section in _CHAINS:
        chain = data.get(section, [])
        names = [step_name(step, index) for index, step in enumerate(chain)]
        changes = {
            flow(name if names.count(name) == 1 else index): fields
            for index, (name, step) in enumerate(zip(names, chain, strict=True))
            if (fields := {k: v for k, v in step.items() if k not in _KEYS})
        }
        if section == "steps" and not changes:
            changes = {flow(key): change for key, change in (_filters(chain) or {}).items()}
        yield from _listed(section, {key: flow(fields) for key, fields in changes.items()})
    first = {name: _filters(_raw(block)["steps"]) for name, block in base.blocks.items()}
    yield from _listed("blocks", {k: flow({"steps": v}) for k, v in first.items() if v})


def _listed(section: str, changes: dict[str, str]) -> Iterator[str]:
    if changes:
        yield f"{section}:"
        yield from (f"  {key}: {change}" for key, change in changes.items())


def _filters(chain: list[Any]) -> dict[str | int, Any] | None:
    """The change of a chain that sets its first number of filters to what it is."""
    for index, step in enumerate(chain):
        key = step_name(step, index)
        if "filters" in step:
            return {key: {"filters": step["filters"]}}
        for name, branch in step.get("branches", {}).items():
            if found := _filters(branch):
                return {key: {"branches": {name: found}}}
    return None


def copy_text(name: str, title: str, base: Base, path: Path, report: Report) -> str:
    """A spec at ``path`` with everything in ``base`` and the blocks that it uses; empty on errors.

    Comments and layout stay, unless what it says is not in its own text: it extends another spec.
    """
    document, defaults = base.spec.document, given_defaults(base.spec.model)
    for block in base.blocks.values():
        if block.defaults and block.defaults != defaults:
            message = f"the block `{block.id}` cannot be copied: its file has defaults of its own"
            span = block.document.key_span(("defaults",))
            report.error("E301", message, span, help="start from the spec without `--copy`")
    data = {**document.data}
    if "checkpoints" in data:
        data["checkpoints"] = _whole_names(data["checkpoints"], base.blocks)
    blocks = {name: _raw(block) for name, block in base.blocks.items()}
    about = {"requires": REQUIRES, base.kind: name, "title": title, FIELD: origin(data)}
    rest = [key for key in data if key not in _REPLACED]
    first = next((i for i, key in enumerate(rest) if key in _CHAINS), len(rest))
    copied = {
        **about,
        **{key: data[key] for key in rest[:first]},
        **({"blocks": blocks} if blocks else {}),
        **{key: data[key] for key in rest[first:]},
    }
    if not report.ok:
        return ""
    files = dict.fromkeys(block.document.file for block in base.blocks.values())
    spec, *others = (
        Source(file, text, known(text, file))
        for file in dict.fromkeys([document.file, *files])
        for text in [report.texts[file].replace("\r\n", "\n")]
    )
    if text := copied_text(spec, others, str(path), copied, [*about]):
        return text
    lost = any(comments(source.text, source.document) for source in (spec, *others))
    return f"{_WITHOUT * lost}{layout(copied)}"


def _whole_names(sources: dict[str, Any], blocks: dict[str, LinkedBlock]) -> dict[str, Any]:
    """``checkpoints`` in which each block has all its names, also those of what it extends."""
    found = dict(sources)
    for source, naming in sources.items():
        if isinstance(naming, dict) and "blocks" in naming:
            names = dict(naming["blocks"])
            for name, block in blocks.items():
                above = block.document.origins.get(name, "")
                while above:
                    names[name] = {**naming["blocks"].get(above, {}), **names.get(name, {})}
                    above = block.document.origins.get(above, "")
            found[source] = {**naming, "blocks": {k: v for k, v in names.items() if v}}
    return found


def _raw(block: LinkedBlock) -> dict[str, Any]:
    """The fields of a block as they are written."""
    data = block.document.data
    for part in block.path:
        data = data[part]
    return {k: v for k, v in data.items() if k in BlockBody.model_fields}
