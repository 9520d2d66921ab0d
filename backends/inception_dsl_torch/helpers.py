"""The small classes that a generated file needs beside its blocks, and only those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from inception_dsl.backend import (
    BatchNormFields,
    Code,
    ConvBn,
    Expression,
    docstring,
    literal,
    name,
    signature,
)

from .activations import SUFFIXES, applied, called
from .helper_view import HelperView
from .norms import norm_class


def batch_norm_settings(op: BatchNormFields) -> dict[str, Expression]:
    """``eps`` and ``momentum`` where they differ from PyTorch's defaults."""
    keywords: dict[str, Expression] = {}
    if op.epsilon != 1e-5:
        keywords["eps"] = literal(op.epsilon)
    if momentum(op) != 0.1:
        keywords["momentum"] = literal(momentum(op))
    return keywords


def momentum(op: BatchNormFields) -> float:
    """PyTorch's momentum: the share of the new value."""
    return round(1.0 - op.decay, 12)


class ConvBnUse(NamedTuple):
    """One ``conv_bn`` of the program, as its call will be written."""

    op: ConvBn
    keywords: tuple[tuple[str, str], ...]
    rank: int
    dynamic: bool


class Helpers:
    """Names the helpers as the lowering asks for them, and prints those that were asked for."""

    def __init__(self, uses: Iterable[ConvBnUse]) -> None:
        self.uses = list(uses)
        self.found: dict[str, HelperView] = {}
        self.same_dilation = False
        self.choices = self._choices()

    def views(self) -> tuple[HelperView, ...]:
        """The helpers in the order in which they depend on each other."""
        order = [
            "same_padding",
            "same_conv",
            "conv",
            "same_pool",
            "padded_avg_pool",
            "channel_layer_norm",
            "norm",
        ]
        order += ["linear", "flatten", "scale", "conv_bn"]
        found = sorted(
            self.found.values(), key=lambda h: order.index(h.template.split("/")[1].split(".")[0])
        )
        return tuple(found)

    def _add(self, template: str, helper: str, **fields: Any) -> str:
        self.found.setdefault(
            helper, HelperView(f"helpers/{template}.py.j2", name(helper), **fields)
        )
        return helper

    def _same_padding(self, *, dilation: bool) -> None:
        self.same_dilation |= dilation
        parameters = [
            "x: Tensor",
            "kernel_size: int | tuple[int, ...]",
            "stride: int | tuple[int, ...]",
        ]
        window, spanned = "kernel_size, stride", "k"
        if self.same_dilation:
            parameters.append("dilation: int | tuple[int, ...] = 1")
            window, spanned = "kernel_size, stride, dilation", "(k - 1) * d + 1"
        head = signature("same_padding", parameters, "list[int]")
        letters = "k, s, d" if self.same_dilation else "k, s"
        self.found["same_padding"] = HelperView(
            "helpers/same_padding.py.j2",
            Code("same_padding"),
            head=head,
            lines=(Code(window), Code(letters)),
            result=Code(spanned),
        )

    def conv(self, rank: int, dynamic: bool, activation: str) -> str:
        """The class of a convolution, with ``same`` padding and an activation of its own where
        asked for.
        """
        base = f"nn.Conv{rank}d"
        if dynamic:
            self._same_padding(dilation=True)
            base = self._add("same_conv", f"SameConv{rank}d", base=Code(base))
        return self._activated(base, "conv", "convolution", activation)

    def linear(self, activation: str) -> str:
        """The class of a dense layer."""
        return self._activated("nn.Linear", "linear", "dense layer", activation)

    def _activated(self, base: str, template: str, what: str, activation: str) -> str:
        if activation == "none":
            return base
        helper = base.removeprefix("nn.") + SUFFIXES[activation]
        doc = docstring(f"A {what} and {SUFFIXES[activation]}.", indent=4)
        result = Code(applied(activation, "super().forward(x)"))
        return self._add(template, helper, base=Code(base), doc=doc, result=result)

    def same_pool(self, kind: str, *, counted: bool) -> str:
        """A pool with ``same`` padding that depends on the size.

        ``counted``: an average whose padding counts.
        """
        self._same_padding(dilation=False)
        template = (
            "same_max_pool"
            if kind.startswith("Max")
            else "same_counted_pool"
            if counted
            else "same_avg_pool"
        )
        helper = f"Same{'Counted' if counted else ''}{kind}"
        return self._add(f"same_pool.{template}", helper, base=Code(f"nn.{kind}"))

    def padded_avg_pool(self, kind: str) -> str:
        """An average pool whose padding differs by side and does not count."""
        return self._add("padded_avg_pool", f"Padded{kind}", base=Code(f"nn.{kind}"))

    def channel_layer_norm(self) -> str:
        return self._add("channel_layer_norm", "ChannelLayerNorm", base=Code("nn.LayerNorm"))

    def flatten(self) -> str:
        return self._add("flatten", "FlattenChannelsLast")

    def scale(self) -> str:
        return self._add("scale", "Scale")

    def norm(self, base: str, scale: bool, center: bool) -> str:
        """The class of a normalisation with the learned parameters that it has."""
        if scale and center:
            return base
        helper = norm_class(base, scale, center)
        self.found.setdefault(str(helper.name), helper)
        return str(helper.name)

    def _choices(self) -> dict[str, Counter[Any]]:
        """Every value of every setting of the program's ``conv_bn``."""
        found: dict[str, Counter[Any]] = {}
        for use in self.uses:
            settings = {
                "bias": use.op.use_bias,
                "eps": use.op.batch_norm.epsilon,
                "momentum": momentum(use.op.batch_norm),
                "norm": (use.op.batch_norm.scale, use.op.batch_norm.center),
                "activation": use.op.activation,
                "conv": use.dynamic,
                "groups": use.op.groups,
            }
            for key, value in settings.items():
                found.setdefault(key, Counter())[value] += 1
        return found

    def _written(self, key: str, value: Any, rank: int) -> str:
        if key == "norm":
            return self.norm(f"nn.BatchNorm{rank}d", *value)
        if key == "conv":
            return self.conv(rank, value, "none")
        if key == "activation":
            return called(value)
        return literal(value)

    def conv_bn_options(self, op: ConvBn, rank: int, dynamic: bool) -> dict[str, Expression]:
        """The settings of a ``conv_bn`` that differ from what most others have."""
        self._conv_bn(rank)
        values = {
            "bias": op.use_bias,
            "eps": op.batch_norm.epsilon,
            "momentum": momentum(op.batch_norm),
            "norm": (op.batch_norm.scale, op.batch_norm.center),
            "activation": op.activation,
            "conv": dynamic,
            "groups": op.groups,
        }
        return {
            k: self._written(k, v, rank)
            for k, v in values.items()
            if v != self.choices[k].most_common(1)[0][0]
        }

    def _conv_bn(self, rank: int) -> None:
        if "ConvBN" in self.found:
            return
        common = {key: counts.most_common(1)[0][0] for key, counts in self.choices.items()}
        varied = [key for key, counts in self.choices.items() if len(counts) > 1]
        parameters = ["self", "in_channels: int", "out_channels: int"]
        conv = ["in_channels", "out_channels"]
        for key, default in (
            ("kernel_size", ""),
            ("stride", " = 1"),
            ("padding", " = 0"),
            ("dilation", " = 1"),
        ):
            values = [dict(use.keywords)[key] for use in self.uses if key in dict(use.keywords)]
            if values:
                kinds = (
                    [f"tuple[{', '.join(['int'] * rank)}]"]
                    if any(v.startswith("(") for v in values)
                    else []
                )
                kinds += ["str"] if any(v.startswith('"') for v in values) else []
                parameters.append(f"{key}: {' | '.join(['int', *kinds])}{default}")
                conv.append(key if key in ("kernel_size", "stride") else f"{key}={key}")
        types = {"bias": "bool", "eps": "float", "momentum": "float", "groups": "int"}
        types |= {
            "activation": "Callable[[Tensor], Tensor]",
            "norm": "type[nn.Module]",
            "conv": f"type[nn.Conv{rank}d]",
        }
        parameters += [
            f"{key}: {types[key]} = {self._written(key, common[key], rank)}" for key in varied
        ]
        value = {
            key: key if key in varied else self._written(key, common[key], rank) for key in common
        }
        conv += [f"groups={value['groups']}"] if value["groups"] != "1" else []
        conv += [f"bias={value['bias']}"] if value["bias"] != "True" else []
        norm = ["out_channels", *(f"{k}={value[k]}" for k in ("eps", "momentum"))]
        self._print_conv_bn(parameters, conv, norm, value, varied)

    def _print_conv_bn(
        self,
        parameters: list[str],
        conv: list[str],
        norm: list[str],
        value: dict[str, str],
        varied: list[str],
    ) -> None:
        from inception_dsl.backend import Group, Item, layout

        lines = [
            layout(
                "self.conv = ", Group(f"{value['conv']}(", tuple(Item(c) for c in conv)), indent=8
            ),
            layout(
                "self.bn = ", Group(f"{value['norm']}(", tuple(Item(c) for c in norm)), indent=8
            ),
        ]
        if "activation" in varied:
            lines.append(Code("        self.activation = activation"))
        activation = (
            "an activation"
            if "activation" in varied
            else SUFFIXES[self.choices["activation"].most_common(1)[0][0]]
        )
        inner = "self.bn(self.conv(x))"
        if "activation" in varied:
            result = f"self.activation({inner})"
        else:
            kind = self.choices["activation"].most_common(1)[0][0]
            result = applied(kind, inner)
        doc = docstring(
            f"Convolution, batch norm{', ' + activation if activation else ''}.", indent=4
        )
        head = signature("__init__", parameters, "None", indent=4)
        self._add("conv_bn", "ConvBN", doc=doc, head=head, lines=tuple(lines), result=Code(result))
