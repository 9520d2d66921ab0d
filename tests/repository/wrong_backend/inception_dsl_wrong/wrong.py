"""Counts the padding of average pools where it must not, and does not where it must."""

from __future__ import annotations

from typing import Any

import inception_dsl_wrong.right as right
from inception_dsl.backend import Files, TypedProgram
from inception_dsl.reference import operations

SUFFIXES = right.SUFFIXES


def create(typed: TypedProgram, files: Files, dtype: str) -> Model:
    return Model(typed, dtype)


class Model(right.Model):
    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        with Otherwise():
            return super().forward(x, training=training)

    def inference(self, x: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        with Otherwise():
            return super().inference(x)


class Otherwise:
    """While it stands, average pools count the other way."""

    def __enter__(self) -> None:
        self.avg_pool = avg_pool = operations.REFERENCE["avg_pool"]

        def other(op: Any, x: Any, weights: Any) -> Any:
            return avg_pool(
                op.model_copy(update={"count_include_pad": not op.count_include_pad}), x, weights
            )

        operations.REFERENCE["avg_pool"] = other

    def __exit__(self, *_: object) -> None:
        operations.REFERENCE["avg_pool"] = self.avg_pool
