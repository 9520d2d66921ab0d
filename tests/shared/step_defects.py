"""Recipes and networks for whole training steps, and defects of the scripts that train them."""

from __future__ import annotations

from typing import Any, NamedTuple

from scripts import NETWORK

SCRIPT, MODEL = "train_small.py", "small.py"
TEXT = f"""{NETWORK.replace("{op: layer_norm}", "{op: layer_norm, name: early}")}
aux_heads: {{aux: {{after: early, loss_weight: 0.4,
    steps: [{{op: global_avg_pool}}, {{op: dense, units: $classes}}]}}}}
"""
STAIRS = {"name": "staircase", "factor": 0.5, "every_steps": 2}
RMS = {"name": "rmsprop", "form": "tensorflow", "rate": 0.045, "decay": 0.9, "epsilon": 1.0}
SGD = {"name": "sgd", "form": "caffe", "rate": 0.05, "momentum": 0.9}
ADAM = {"name": "adam", "form": "torch", "rate": 0.01, "beta_1": 0.9, "beta_2": 0.999}
RECIPES: dict[str, dict[str, Any]] = {
    "v3": {
        "label_smoothing": 0.1,
        "optimizer": {**RMS, "momentum": 0.9},
        "schedule": STAIRS,
        "weight_decay": {"rate": 0.01},
        "gradient_clip": {"norm": 0.5},
        "average": {"decay": 0.9, "warm_up": True},
    },
    "v1": {
        "optimizer": SGD,
        "schedule": STAIRS,
        "weight_decay": {"rate": 0.01},
        "groups": {"biases": {"rate": 2, "decay": 0}},
    },
    "adam": {
        "optimizer": {**ADAM, "epsilon": 1e-8},
        "gradient_clip": {"norm": 0.5},
        "average": {"decay": 0.9, "statistics": False},
    },
    "adam of Keras": {
        "optimizer": {**ADAM, "form": "keras", "epsilon": 1e-3},
        "average": {"decay": 0.9},
    },
    "adamw": {
        "optimizer": {**ADAM, "name": "adamw", "epsilon": 1e-3},
        "weight_decay": {"rate": 0.05, "form": "decoupled"},
    },
    "lamb": {
        "optimizer": {**ADAM, "name": "lamb", "form": "tensorflow", "epsilon": 1e-3},
        "weight_decay": {"rate": 0.05, "form": "decoupled"},
    },
    "plain sgd": {"optimizer": {"name": "sgd", "form": "torch", "rate": 0.05}},
    "a warm-up from 0": {
        "optimizer": {**SGD, "form": "torch", "nesterov": True},
        "schedule": {"name": "warm_up", "steps": 10000, "then": {"name": "cosine"}},
        "epochs": 20000,
    },
}
NETWORKS = {
    "probabilities": TEXT.replace("units: $classes}]", "units: $classes, activation: softmax}]"),
    "images that are resized": TEXT.replace("mean: 1", "mean: 1, resize: {method: linear}"),
    "gray, without preprocessing": TEXT.replace("channels: 3", "channels: 1").replace(
        "preprocessing: {scale: 0.0078125, mean: 1}\n", ""
    ),
    "channels in another order": TEXT.replace(
        "{scale: 0.0078125, mean: 1}", "{scale: 0.0078125, mean: [1, 0, 2], channel_order: bgr}"
    ),
    "biases before batch norm": TEXT.replace(
        "{op: conv, filters: 4, kernel_size: 1}",
        "{op: conv, filters: 4, kernel_size: 1}, {op: batch_norm, decay: 0.9}",
    ),
}


class Defect(NamedTuple):
    """In the script or the model of ``backend``, for a recipe or a network: ``right`` is replaced
    by ``wrong``.
    """

    backend: str
    name: str
    file: str
    right: str
    wrong: str


AVERAGED = '        if keras.config.backend() != "jax":\n            self.average.update()\n'
STEPPED = "        done = super().train_step(*given)\n"
PARTS = "(self.gradient_accumulation_steps or 1)"
STEP_OF_RMS = "    def update_step("
CLIP_OF_PARTS = """\
    def apply(self, grads, trainable_variables=None):
        super().apply(super()._clip_gradients(grads), trainable_variables)

"""
_DEFECTS = {
    "torch: parts are added up": (
        "torch", "v3", SCRIPT, "(part / args.accumulate).backward()", "part.backward()",
    ),
    "torch: divided by the processes again": (
        "torch", "v3", SCRIPT, "(part / args.accumulate)", "(part / args.accumulate / args.world)",
    ),
    "torch: the loss of all parts": (
        "torch", "v3", SCRIPT, "part.detach() / args.accumulate", "part.detach()",
    ),
    "torch: the last part only": (
        "torch", "v3", SCRIPT, "            (part /",
        "            model.zero_grad()\n            (part /",
    ),
    "torch: gradients are not cleared": ("torch", "v3", SCRIPT, "    model.zero_grad()\n", ""),
    "torch: evaluation mode": ("torch", "v3", SCRIPT, "    model.train()\n", "    model.eval()\n"),
    "torch: no preprocessing": ("torch", "v3", SCRIPT, "source.preprocess(images", "(images"),
    "torch: pixels from 0 to 1": (
        "torch", "v3", SCRIPT, "preprocess(images.to(", "preprocess((images / 255).to(",
    ),
    "torch: no label smoothing": (
        "torch", "v3", MODEL, "(outputs.logits, target, label_smoothing=0.1)",
        "(outputs.logits, target)",
    ),
    "torch: weight of the auxiliary loss": ("torch", "v3", MODEL, "total + 0.4 * F", "total + F"),
    "torch: no auxiliary loss": ("torch", "v3", MODEL, "total + 0.4 * F", "total + 0 * F"),
    "torch: decay on others": ("torch", "v3", SCRIPT, '"l2": 0.0', '"l2": 0.01'),
    "torch: decay on biases": (
        "torch", "v1", SCRIPT, '"rate": 2.0, "weight_decay": 0.0',
        '"rate": 2.0, "weight_decay": 0.01',
    ),
    "torch: the sign of the decay": (
        "torch", "v3", SCRIPT, "p.grad.add_(p, alpha=", "p.grad.sub_(p, alpha=",
    ),
    "torch: average before the step": (
        "torch", "v3", SCRIPT, "    optimizer.step()\n    average.update(model, step + 1)\n",
        "    average.update(model, step + 1)\n    optimizer.step()\n",
    ),
    "torch: average one step late": (
        "torch", "v3", SCRIPT, "average.update(model, step + 1)", "average.update(model, step)",
    ),
    "torch: no average": ("torch", "v3", SCRIPT, "    average.update(model, step + 1)\n", ""),
    "torch: average without statistics": (
        "torch", "v3", SCRIPT, "self.model.state_dict().items()", "self.model.named_parameters()",
    ),
    "torch: rate one step early": (
        "torch", "v3", SCRIPT, "rate = learning_rate(step, ", "rate = learning_rate(step + 1, ",
    ),
    "torch: mean square from 0": (
        "torch", "v3", SCRIPT, "torch.ones_like(p)", "torch.zeros_like(p)",
    ),
    "torch: momentum of batch norm": ("torch", "v3", MODEL, "momentum=0.1", "momentum=0.11"),
    "keras: evaluation mode": (
        "keras", "v3", SCRIPT, "    def compute_loss(",
        "    def call(self, x, training=None):\n"
        "        return super().call(x, training=False)\n\n    def compute_loss(",
    ),
    "keras: no preprocessing": ("keras", "v3", SCRIPT, "source.preprocess(pixels)", "pixels"),
    "keras: pixels from 0 to 1": (
        "keras", "v3", SCRIPT, "source.preprocess(pixels)", "source.preprocess(pixels / 255)",
    ),
    "keras: the loss of all images": (
        "keras", "v3", SCRIPT, "ops.mean(source.loss(", "8 * ops.mean(source.loss(",
    ),
    "keras: loss by logits as probabilities": (
        "keras", "probabilities", SCRIPT, ", from_logits=True", "",
    ),
    "keras: no label smoothing": (
        "keras", "v3", MODEL, "entropy = 0.9 * entropy + 0.1 * uniform", "",
    ),
    "keras: weight of the auxiliary loss": ("keras", "v3", MODEL, '"aux": 0.4', '"aux": 1.0'),
    "keras: no auxiliary loss": ("keras", "v3", MODEL, '"aux": 0.4', '"aux": 0.0'),
    "keras: decay on others": ("keras", "v3", SCRIPT, " if v.ndim > 1 else g", ""),
    "keras: decay on biases": ("keras", "v1", SCRIPT, "v.ndim > 1 else g", "v.ndim else g"),
    "keras: rate of biases": ("keras", "v1", SCRIPT, '"biases": 2.0', '"biases": 1.0'),
    "keras: clip of each weight": ("keras", "v3", SCRIPT, "global_clipnorm=", "clipnorm="),
    "keras: average before the step": (
        "keras", "v3", SCRIPT, f"{STEPPED}{AVERAGED}",
        f"        self.average.update()\n{STEPPED}        if True:\n",
    ),
    "keras: average one step late": (
        "keras", "v3", SCRIPT, "self.optimizer.iterations,", "self.optimizer.iterations - 1,",
    ),
    "keras: no average": ("keras", "v3", SCRIPT, f"{AVERAGED}", "        if True:\n"),
    "keras: average twice": (
        "keras", "v3", SCRIPT, AVERAGED, f"{AVERAGED}            self.average.update()\n",
    ),
    "keras: average without statistics": (
        "keras", "v3", SCRIPT, "model.weights", "model.trainable_variables",
    ),
    "keras: rate one step early": (
        "keras", "v3", SCRIPT, 'ops.cast(step, "int32")', 'ops.cast(step, "int32") + 1',
    ),
    "keras: mean square from 0": ("keras", "v3", SCRIPT, ', "ones")', ")"),
    "keras: parts are added up": (
        "keras", "v3", SCRIPT, "g + 0.01 * v", f"{PARTS} * g + 0.01 * v",
    ),
    "keras: L2 of each part": (
        "keras", "v3", SCRIPT, "g + 0.01 * v", f"g + {PARTS} * 0.01 * v",
    ),
    "keras: clip of each part": (
        "keras", "adam", SCRIPT,
        "_clip_gradients(self, grads: list[Any]) -> list[Any]:  # the means of all parts",
        "apply(self, grads, variables=None):\n"
        "        return super().apply(self._clipped(grads), variables)\n\n"
        "    def _clipped(self, grads):",
    ),
    "keras: clip of each part by Keras": (
        "keras", "v3", SCRIPT, STEP_OF_RMS, f"{CLIP_OF_PARTS}{STEP_OF_RMS}",
    ),
    "keras: average after each part": (
        "keras", "v3", SCRIPT, "ops.where(last, new, value.value)", "new",
    ),
    "keras: rate by the number of parts": ("keras", "v3", SCRIPT, " // self.parts", ""),
    "keras: parts are steps": (
        "keras", "v3", SCRIPT, "if rates.parts > 1:", "if rates.parts > 9:",
    ),
    "keras: momentum of batch norm": ("keras", "v3", MODEL, "momentum=0.9", "momentum=0.89"),
}  # fmt: skip
DEFECTS = {name: Defect(*each) for name, each in _DEFECTS.items()}
