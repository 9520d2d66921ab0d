"""Random specs: one valid network or block for each seed, always the same.

Specs are valid by construction: each step is checked against its input shape with
:mod:`~inception_dsl.testing.random_sizes`, not with the compiler or a backend.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from .random_blocks import Block, Given, Step
from .random_inputs import SHARE, several, sizes, untied
from .random_outputs import outputs
from .random_policies import POLICIES, Policy
from .random_shapes import Misfit, Shape, resolved
from .random_sizes import Book
from .random_steps import Steps
from .random_values import Scope

MAIN: Final = "spec.yaml"
_PLAIN: Final = re.compile(r"\$?[a-z][a-z0-9_]*(\.yaml)?\Z")
_WORDS: Final = frozenset({"true", "false", "null"})


class RandomSpec(NamedTuple):
    """A spec: its files by name (``spec.yaml`` is the main one), its policy, and the dtype of the
    comparison.

    ``base`` is a folder of specs that the main file can extend, as ``base/NAME.yaml``.
    """

    seed: int
    policy: str
    dtype: str
    files: dict[str, str]
    base: Path | None = None

    @property
    def text(self) -> str:
        """The text of the file, or of all files with their names as comments."""
        if len(self.files) == 1:
            return self.files[MAIN]
        return "\n".join(f"# {name}\n{text}" for name, text in self.files.items())

    def write(self, folder: Path) -> Path:
        """Write all files to a folder; the main one."""
        if self.base:
            shutil.copytree(self.base, folder / "base", dirs_exist_ok=True)
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder / MAIN


def random_spec(seed: int) -> RandomSpec:
    """The spec of a seed."""
    rng = random.Random(seed)
    policy = rng.choices(POLICIES, [p.share for p in POLICIES])[0]
    while True:
        try:
            files = _Writer(rng, policy, seed).files()
        except Misfit:
            continue
        return RandomSpec(seed, policy.name, policy.dtype, files)


class _Writer:
    def __init__(self, rng: random.Random, policy: Policy, seed: int) -> None:
        self.rng, self.policy, self.seed = rng, policy, seed
        rank = rng.choice(policy.ranks)
        low, high = policy.sizes
        spatial = tuple(min(rng.randint(low, high), 7 if rank == 3 else high) for _ in range(rank))
        self.x = Shape(spatial, rng.choice(policy.channels))
        self.book = Book({}, self.defaults() if rng.random() < 0.25 else {})
        self.steps = Steps(rng, policy, self.book, seed)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def defaults(self) -> dict[str, Step]:
        """Default fields for some ops."""
        exact = [
            f for f in self.policy.functions if f not in ("leaky_relu", "gelu_tanh", "softmax")
        ]
        possible: dict[str, Step] = {
            "batch_norm": {"epsilon": 0.01, "scale": False, "decay": 0.9},
            "conv": {"padding": "valid", "use_bias": False},
            "conv_bn": {
                "activation": self.rng.choice(exact),
                "padding": self.rng.choice(("valid", "same")),
            },
            "avg_pool": {"count_include_pad": True, "stride": 2},
            "max_pool": {"stride": 2, "padding": "valid", "ceil_mode": True},
            "local_response_norm": {"size": 3, "alpha": 0.5},
            "layer_norm": {"epsilon": 0.01, "center": False},
        }
        chosen = self.rng.sample(sorted(possible), self.rng.randint(1, 3))
        found = {}
        for name in chosen:
            keys = self.rng.sample(sorted(possible[name]), self.rng.randint(1, len(possible[name])))
            found[name] = {key: possible[name][key] for key in keys}
        return found

    def files(self) -> dict[str, str]:
        data = self.block() if self.chance(self.policy.block) else self.network()
        files = self.imported(data)
        if "network" in data and self.chance(0.2):
            base, data = self.overlay(data)
            files["base.yaml"] = written(base)
        return {MAIN: written(data), **files}

    def block(self) -> Step:
        scope = Scope({"in_channels": self.x.channels}, {}, self.policy.lifted)
        steps, _ = self.steps.chain(self.x, self.rng.randint(1, 6), scope)
        if not steps:
            raise Misfit
        head = {"block": f"block_{self.seed}", "input": sizes(self.x), **self.head(scope)}
        return {**head, "blocks": self.own_blocks(), "steps": steps}

    def head(self, scope: Scope) -> Step:
        found: Step = {
            "params": {n: {"type": p.type, "default": p.value} for n, p in scope.parameters.items()}
        }
        return {**found, "defaults": self.book.defaults}

    def own_blocks(self) -> dict[str, Step]:
        """The blocks of the main file; a few others are moved to files of their own."""
        for block in self.book.blocks.values():
            block.imported = self.chance(0.15)
        return {name: body(block) for name, block in self.book.blocks.items() if not block.imported}

    def imported(self, data: Step) -> dict[str, str]:
        """The other blocks, one per file."""
        found = {n: b for n, b in self.book.blocks.items() if b.imported}
        if found:
            data["import"] = [f"{name}.yaml" for name in found]
        return {
            f"{name}.yaml": written({"block": name, **body(block)}) for name, block in found.items()
        }

    def network(self) -> Step:
        classes = self.rng.choice((2, 3, 5, 10))
        own = Random(f"inputs of {self.seed}")  # so that the other networks stay as they are
        inputs, first = several(own, self.x) if own.random() < SHARE else ({}, {})
        self.steps.shares.off = untied(inputs)  # Keras may refuse to share what needs one size
        # Keras has one layer of each name, and gives the names of inputs to theirs
        self.steps.odd_names = [n for n in self.steps.odd_names if n not in inputs]
        channels = {} if inputs else {"in_channels": self.x.channels}
        scope = Scope({**channels, "classes": classes}, {}, self.policy.lifted / 2)
        sections: dict[str, list[Step]] = {}
        taps: dict[str, Shape] = {}
        y = self.x
        for name, most in (("stem", 3), ("body", 5)):
            sections[name], y = self.section(y, self.rng.randint(name == "body", most), scope, taps)
        sections["head"] = self.ending(y, classes) if self.chance(0.85) else []
        if not any(sections.values()):
            raise Misfit
        if inputs:
            sections["stem"].insert(0, first)
        beside = {
            "aux_heads": self.heads(taps, classes),
            "outputs": outputs(self.rng, taps, self.policy.heads * 0.6, self.steps.fresh),
            **self.trained(),
        }
        head = {
            "network": f"net_{self.seed}",
            "input": inputs or sizes(self.x),
            "classes": classes,
            **self.head(scope),
        }
        if inputs:
            beside.pop("preprocessing", None)
        return {**head, "blocks": self.own_blocks(), **sections, **beside}

    def section(
        self, x: Shape, length: int, scope: Scope, taps: dict[str, Shape]
    ) -> tuple[list[Step], Shape]:
        """A top-level section; its named steps are added to ``taps`` for heads and outputs."""
        steps, y = self.steps.chain(x, length, scope)
        values, before = self.steps.environment(scope), self.book.layers
        for step in steps:
            x = self.book.after(step, x, values)
            if "branches" in step or "use" in step or self.chance(0.5):
                step.setdefault("name", self.steps.fresh("layer"))
                taps |= {step["name"]: x} if resolved(step.get("repeat", 1), values) else {}
        self.book.layers = before
        return steps, y

    def ending(self, x: Shape, classes: int) -> list[Step]:
        """From features to classes."""
        steps: list[Step] = []
        if x.rank:
            pool = self.rng.choice(
                ("global_avg_pool", "global_avg_pool", "global_max_pool", "flatten")
            )
            keep = pool != "flatten" and self.chance(0.15)
            steps.append({"op": pool, **({"keepdims": True} if keep else {})})
        if self.chance(0.4):
            steps.append({"op": "dropout", "rate": self.rng.choice((0.2, 0.4))})
        if self.chance(0.2):
            steps.append({"op": "dense", "units": self.rng.choice((3, 7)), "activation": "relu"})
        units: Any = (
            Given("$classes", lambda values: values["classes"]) if self.chance(0.8) else classes
        )
        steps.append({"op": "dense", "units": units})
        if self.chance(0.15):
            steps[-1]["activation"] = "softmax"
        elif self.chance(0.1):
            steps.append({"op": "activation", "function": "softmax"})
        self.steps.name(steps)
        return steps

    def heads(self, taps: dict[str, Shape], classes: int) -> dict[str, Step]:
        """Auxiliary classifiers after some steps."""
        found: dict[str, Step] = {}
        if not taps or not self.chance(self.policy.heads):
            return found
        for _ in range(self.rng.choice((1, 1, 2))):
            after = self.rng.choice(sorted(taps))
            x, steps = taps[after], list[Step]()
            if x.rank and self.chance(0.5):
                kernel = self.rng.choice((1, 3))
                filters = self.rng.choice((2, 5))
                steps = [
                    {"op": "conv_bn", "filters": filters, "kernel_size": kernel, "padding": "same"}
                ]
            weight = self.rng.choice((0.3, 0.4, 1.0, 0.25))
            steps += [step for step in self.ending(x, classes) if step.get("function") != "softmax"]
            steps[-1].pop("activation", None)
            found[self.steps.fresh("aux")] = {"after": after, "loss_weight": weight, "steps": steps}
        return found

    def trained(self) -> Step:
        """The sections ``training`` and ``preprocessing``."""
        found: Step = {}
        if self.chance(0.3):
            found["training"] = {"label_smoothing": self.rng.choice((0.0, 0.1, 0.3))}
            if self.chance(0.3):
                name = self.rng.choice(("truncated_normal", "glorot_uniform", "he_normal"))
                found["training"]["initializer"] = {
                    "name": name,
                    "bias": self.rng.choice((0.0, 0.2)),
                }
        if self.chance(0.15):
            mean = [0.5] * self.x.channels if self.chance(0.5) else 0.5
            found["preprocessing"] = {"scale": 0.00392156862745098, "mean": mean, "std": 0.25}
        return found

    def overlay(self, data: Step) -> tuple[Step, Step]:
        """A base and an overlay that together are equal to the spec."""
        base, over = dict(data), {"extends": "base.yaml", "network": data["network"]}
        base["network"] = "base"
        if self.chance(0.5):
            base["classes"], over["classes"] = data["classes"] + 4, data["classes"]
        body, chain = list(data["body"]), dict[str | int, Any]()
        for index, step in enumerate(body):
            key = step.get("name", step.get("use", index))
            if "filters" in step and self.chance(0.5):
                body[index], chain[key] = {**step, "filters": 11}, {"filters": step["filters"]}
            elif self.chance(0.3):
                body[index], chain[key] = {"op": "identity", "name": "stand_in"}, [step]
                chain["stand_in"] = chain.pop(key)
                break
        if self.chance(0.5):
            body.append({"op": "scale", "name": "left_out", "value": 3.0})
            chain["left_out"] = None
        base["body"] = body
        return base, {**over, **({"body": chain} if chain else {})}


def body(block: Block) -> Step:
    """The parameters and steps of a block."""
    params: Step = {}
    for name, parameter in block.parameters.items():
        params[name] = (
            {"type": parameter.type, "default": parameter.value}
            if parameter.optional
            else parameter.type
        )
    return {"params": params, "steps": block.steps}


def written(data: Step) -> str:
    """A document as text, one line per field and step."""
    lines = []
    for key, value in data.items():
        if value in ({}, []) and key != "steps":
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  - {flow(step)}" for step in value)]
        elif key in ("blocks", "aux_heads"):
            lines.append(f"{key}:")
            for name, inner in value.items():
                if inner is None:
                    lines.append(f"  {name}: null")
                    continue
                lines.append(f"  {name}:")
                lines += [f"    {part}" for part in written(inner).splitlines()]
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Given):
        return flow(value.text)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and _PLAIN.match(value) and value not in _WORDS:
        return value
    return json.dumps(value)
