"""Print the table of recipes in training.md: ``python docs/recipes.py``, or with names of recipes.

Runs ``inception-dsl verify SPEC --recipe`` with the numbers that a paper does not give, for the
shipped networks with recipes, and for the overlays in training.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).with_name("training.md")
SGD: Final = "{name: sgd, form: caffe, rate: 0.01, momentum: 0.9}"
ARTICLE: Final = {"batch_size": "32", "epochs": "60", "optimizer": SGD}
REPLICAS: Final = {"batch_size": "640", "epochs": "160", "average.decay": "0.9999"}
RECIPES: Final[Mapping[str, Mapping[str, str]]] = {
    "v1": {"epochs": "60", "average.decay": "0.9999"},
    "v1_article": ARTICLE,
    "v2": {
        "epochs": "60",
        "optimizer.form": "caffe",
        "optimizer.momentum": "0.9",
        "schedule.factor": "0.9",
        "schedule.every_epochs": "2",
    },
    "v2_article": ARTICLE,
    "v3": {},
    "v4": REPLICAS,
    "inception_resnet_v1": REPLICAS,
    "inception_resnet_v2": REPLICAS,
    "googlenet_quick": {"average.decay": "0.9999"},
    "inception_v3_released": {"epochs": "100", "augmentation": "null"},
}
"""The settings of a recipe below ``training``. Augmentation, whose hue needs torchvision, is not
compared.
"""
UPDATES: Final = ("rates", "weights", "slots", "average")
STEPS: Final = ("loss", "update", "weights", "slots", "statistics", "average")


def main(names: Collection[str]) -> None:
    """Print a row for each recipe, or each of ``names``, and framework."""
    if unknown := sorted(set(names) - set(RECIPES)):
        sys.exit(f"error: unknown recipe {', '.join(unknown)}; expected {', '.join(RECIPES)}")
    print(f"| recipe | | {' | '.join([*UPDATES, *STEPS])} |")
    print(f"|---|---|{'--:|' * len([*UPDATES, *STEPS])}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        overlays = dict(_overlays(Path(folder)))
        for name in names or RECIPES:
            settings = RECIPES[name]
            for outcome in _verified(overlays.get(name, name), settings)["outcomes"]:
                print(f"| {' | '.join([f'`{name}`', *_row(outcome)])} |", flush=True)


def _overlays(folder: Path) -> Iterator[tuple[str, str]]:
    """The overlays of the page by name, as files in ``folder``."""
    for text in re.findall(r"```yaml\n(extends: .*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        name = re.findall(r"^network: (\w+)$", text, re.MULTILINE)[0]
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        yield name, str(path)


def _verified(spec: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """The results for one recipe; the errors of the command end the program."""
    call = [sys.executable, "-m", "inception_dsl", "verify", spec, "--recipe", "--json"]
    call += [arg for k, v in settings.items() for arg in ("--set", f"training.{k}={v}")]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    found = json.loads(done.stdout) if done.stdout.strip() else []
    if not found:
        sys.exit(done.returncode or 1)
    (one,) = found
    return dict(one)


def _row(outcome: Mapping[str, Any]) -> list[str]:
    cells = [_number(outcome["errors"], kind) for kind in UPDATES]
    cells += [_number(outcome["whole_steps"], kind) for kind in STEPS]
    return [outcome["target"] if outcome["status"] == "agrees" else outcome["reason"], *cells]


def _number(errors: Mapping[str, float | None], kind: str) -> str:
    """Two digits; empty for what a recipe does not have."""
    error = errors.get(kind, 0.0)
    return "not finite" if error is None else f"{error:.1e}" if kind in errors else ""


if __name__ == "__main__":
    main(sys.argv[1:])
