"""No code in the packages or in generated files opens a pickle or a serialized model."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    p
    for folder in ("inception_dsl", "backends", "generated")
    for p in (ROOT / folder).rglob("*.py")
)
UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
LOADERS = {"torch", "np", "numpy", "jnp", "joblib", "jit"}
BUILDERS = {
    "load_model",
    "model_from_json",
    "model_from_config",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
}


def problems(tree: ast.AST) -> list[str]:
    """All code that could open a pickle or run code from a file."""
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").split(".")[0], *(alias.name for alias in node.names)]
        if UNPICKLERS & {*names} or BUILDERS & {*names}:
            found.append(f"line {node.lineno}: import")  # type: ignore[attr-defined]
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        owner, _, attribute = name.rpartition(".")
        safe = options.get("allow_pickle") == "False"
        if (
            attribute == "load" and owner.rpartition(".")[2] in LOADERS and not safe
        ) or attribute in BUILDERS:
            found.append(f"line {node.lineno}: {name}")
        if (
            options.get("allow_pickle", "False") != "False"
            or options.get("safe_mode", "True") != "True"
        ):
            found.append(f"line {node.lineno}: {options}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_opens_a_pickle(path: Path) -> None:
    assert not problems(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "from numpy.lib import pickle",
        "torch.load(path)",
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "np.save(path, x, allow_pickle=flag)",
        "torch.jit.load(path)",
        "keras.models.load_model(path)",
        "keras.saving.load_model(path, safe_mode=True)",
        "from keras.models import load_model",
        "keras.config.enable_unsafe_deserialization()",
        "f(safe_mode=False)",
    ],
)
def test_the_check_finds_it(code: str) -> None:
    assert problems(ast.parse(code))


def test_what_is_allowed() -> None:
    assert not problems(
        ast.parse(
            "np.load(p, allow_pickle=False)\nmodel.load(w)\nplugins.load(p)\nentry_point.load()"
        )
    )


def test_no_template_opens_a_pickle() -> None:
    for path in (ROOT / "backends").rglob("*.j2"):
        text = path.read_text(encoding="utf-8").replace("np.load(path, allow_pickle=False)", "")
        assert not [
            word for word in ("pickle", "torch.load", "load_model", "np.load") if word in text
        ], path
