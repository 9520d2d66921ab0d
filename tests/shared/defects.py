"""Deliberate defects of the compiler and its backends, one at a time: a rule of shapes or a
lowering is changed.

A defect is a piece of source and what stands there instead. The functions that hold it run the
changed code while the defect is in place; templates are read with the change. Every one keeps the
generated source valid: it builds another network than the spec says.
"""

from __future__ import annotations

from defect import CORE, TORCH, Defect
from keras_defects import KERAS_DEFECTS

COUNT = 200
"""How many random networks are tried, of which one must show each defect."""


DEFECTS = (
    # shape rules
    Defect(
        "the size of `same` is rounded down",
        CORE,
        "types.window",
        "size + (self.stride - 1)) //",
        "size) //",
    ),
    Defect(
        "a window that starts in the padding counts",
        CORE,
        "types.window",
        "count -= 1",
        "count -= 0",
    ),
    Defect(
        "the size of `ceil_mode` is rounded down",
        CORE,
        "types.window",
        "2 * self.stride - 1",
        "self.stride",
    ),
    Defect(
        "dilation spans a tap too many",
        CORE,
        "types.window",
        "(self.kernel - 1) * self.dilation + 1",
        "self.kernel * self.dilation",
    ),
    Defect(
        "the odd pixel of a constant `same` is at the start",
        CORE,
        "types.window",
        "(self.extent - 1) // 2, self.extent - 1 - (self.extent - 1) // 2",
        "self.extent - 1 - (self.extent - 1) // 2, (self.extent - 1) // 2",
    ),
    Defect(
        "the odd pixel of `same` at a stride is at the start",
        CORE,
        "types.window",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
    ),
    Defect(
        "zero padding is that before, twice",
        CORE,
        "ops.zero_pad",
        "dim(n + sum(p))",
        "dim(n + 2 * p[0])",
    ),
    Defect(
        "the kernel of a grouped convolution sees all channels",
        CORE,
        "ops.conv",
        "dim(x.channels // self.groups)",
        "x.channels",
    ),
    Defect(
        "a depthwise bias is one for each input channel",
        CORE,
        "ops.depthwise_conv",
        'Weight("bias", (dim(x.channels * self.depth_multiplier),))',
        'Weight("bias", (x.channels,))',
    ),
    Defect(
        "a concat has the channels of its first branch twice",
        CORE,
        "analysis.clash",
        "total = total + t.channels",
        "total = total + types[0].channels",
    ),
    Defect(
        "defaults replace what a step says",
        CORE,
        "ops.base",
        "if k not in self.model_fields_set",
        "",
    ),
    # PyTorch
    Defect("no groups", TORCH, "lowering", "if op.groups != 1:", "if op.groups < 1:"),
    Defect(
        "epsilon of batch norm is PyTorch's",
        TORCH,
        "helpers",
        "if op.epsilon != 1e-5:",
        "if op.epsilon < 1e-5:",
    ),
    Defect(
        "epsilon of conv_bn is PyTorch's",
        TORCH,
        "helpers",
        'for k in ("eps", "momentum"))',
        'for k in ("momentum",))',
    ),
    Defect(
        "epsilon of group norm is PyTorch's",
        TORCH,
        "lowering",
        'kind = helpers.norm("nn.GroupNorm"',
        'keywords = {}; kind = helpers.norm("nn.GroupNorm"',
    ),
    Defect(
        "momentum is the decay",
        TORCH,
        "helpers",
        "round(1.0 - op.decay, 12)",
        "op.decay",
        training=True,
    ),
    Defect(
        "axes of the padding are swapped",
        TORCH,
        "windows",
        "for pair in reversed(pads) for n in pair",
        "for pair in pads for n in pair",
    ),
    Defect(
        "sides of the padding are swapped",
        TORCH,
        "windows",
        "for pair in reversed(pads) for n in pair",
        "for pair in reversed(pads) for n in pair[::-1]",
    ),
    Defect(
        "`same` at a stride pads the odd pixel first",
        TORCH,
        "helpers/same_padding.py.j2",
        "[total // 2, total - total // 2, *pads]",
        "[total - total // 2, total // 2, *pads]",
    ),
    Defect(
        "stride of a convolution is that of the first axis",
        TORCH,
        "windows",
        'keywords["stride"] = short(tuple(w.stride for w in windows))',
        'keywords["stride"] = short((windows[0].stride,) * len(windows))',
    ),
    Defect(
        "dilation only where every axis has it",
        TORCH,
        "windows",
        "if any(w.dilation != 1",
        "if all(w.dilation != 1",
    ),
    Defect(
        "an average counts its padding",
        TORCH,
        "lowering",
        'items.append(Item(literal(False), "count_include_pad"))',
        "pass",
    ),
    Defect(
        "an average with `same` counts its padding",
        TORCH,
        "helpers/same_pool.same_avg_pool.py.j2",
        " / share",
        "",
    ),
    Defect(
        "an average with padding by side counts it",
        TORCH,
        "helpers/padded_avg_pool.py.j2",
        " / share",
        "",
    ),
    Defect(
        "a maximum is padded by zeros", TORCH, "lowering", 'literal(float("-inf"))', "literal(0.0)"
    ),
    Defect(
        "a maximum with `same` is padded by zeros",
        TORCH,
        "helpers/same_pool.same_max_pool.py.j2",
        ', value=float("-inf")',
        "",
    ),
    Defect(
        "a maximum has no ceil_mode",
        TORCH,
        "lowering",
        "if op.ceil_mode:",
        "if op.ceil_mode and average:",
    ),
    Defect(
        "global pools are all averages",
        TORCH,
        "lowering",
        '"mean" if average else "amax"',
        '"mean"',
    ),
    Defect(
        "softmax over the last axis",
        TORCH,
        "lowering",
        'keywords["dim"] = literal(1)',
        'keywords["dim"] = literal(-1)',
    ),
    Defect(
        "slopes are PyTorch's",
        TORCH,
        "activations",
        "slope != SLOPES[name]",
        "slope == SLOPES[name]",
    ),
    Defect(
        "gelu is exact where its approximation is meant",
        TORCH,
        "lowering",
        'name == "gelu" and op.approximate',
        'name == "gelu" and not op.approximate',
    ),
    Defect(
        "flatten has the channels first",
        TORCH,
        "lowering",
        'f"{v}.movedim(1, -1).flatten(1)"',
        'f"{v}.flatten(1)"',
    ),
    Defect(
        "residuals are scaled to one digit",
        TORCH,
        "lowering",
        "else literal(op.value)",
        "else literal(round(op.value, 1))",
    ),
    Defect(
        "a concat joins the last branch first",
        TORCH,
        "build",
        "listing(results)",
        "listing(results[::-1])",
    ),
    Defect(
        "multiply adds", TORCH, "build", '" + " if fork.node.merge == "add" else " * "', '" + "'
    ),
    Defect(
        "conv_bn has no activation",
        TORCH,
        "helpers",
        "result = applied(kind, inner)",
        "result = inner",
    ),
    Defect(
        "relu is relu6",
        TORCH,
        "activations",
        'return f"{CALLS[name]}({x}{more})"',
        "return f\"{CALLS[name].replace('F.relu', 'F.relu6').replace('66', '6')}({x}{more})\"",
    ),
    Defect(
        "alpha of response normalisation as in TensorFlow",
        TORCH,
        "lowering",
        '"alpha": literal(op.alpha)',
        '"alpha": literal(op.alpha * op.size)',
    ),
    Defect(
        "gamma and beta of batch norm are swapped",
        TORCH,
        "lowering",
        '[("gamma", "weight")] if op.scale else []',
        '[("gamma", "bias" if op.center else "weight")] if op.scale else []',
    ),
    Defect(
        "no label smoothing",
        TORCH,
        "training",
        'smoothed = f", label_smoothing={literal(smoothing)}" if smoothing else ""',
        'smoothed = f", label_smoothing={literal(smoothing)}" if not smoothing else ""',
        training=True,
    ),
    Defect(
        "loss of heads at full weight",
        TORCH,
        "training",
        'f"{literal(head.loss_weight)} * {entropy',
        'f"1.0 * {entropy',
        training=True,
    ),
    *KERAS_DEFECTS,
)
