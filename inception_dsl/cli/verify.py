"""The command that compares the frameworks with the reference."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from functools import partial
from typing import Any

import click

from .backends import backend_names
from .colour import print_table
from .help import Command
from .progress import Progress
from .shared import (
    SPEC,
    as_json_text,
    fail,
    merged,
    need_packages,
    spec_options,
    warn,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..diagnostics.report import Report
    from ..verify.run import Plan, Target, Verification


@click.command(
    cls=Command,
    examples=(
        "inception-dsl verify net.yaml # in all backends",
        "inception-dsl verify net.yaml --train --dtype float64 # and a training step",
        "inception-dsl verify v3 --recipe # training scripts",
        "inception-dsl verify net.yaml -b torch -b keras:jax # Keras on JAX",
        "inception-dsl verify specs/*.yaml --json # for programs",
    ),
)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", **SPEC)
@click.option(
    "-b",
    "--backend",
    "names",
    multiple=True,
    metavar="NAME",
    shell_complete=backend_names,
    help="Backend (torch, keras, keras:jax); repeatable.",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    type=click.Choice(["float64", "float32"]),
    default=["float64"],
    metavar="TYPE",
    help="float64 (default) or float32; repeatable.",
)
@click.option("--train", is_flag=True, help="Also compare loss, gradients and one SGD step.")
@click.option("--recipe", is_flag=True, help="Compare the training scripts instead.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    metavar="INTEGER",
    help="Seed of weights and inputs.",
)
@click.option(
    "--batch",
    "samples",
    type=click.IntRange(2),
    metavar="INTEGER",
    help="Number of samples.  [default: 2 to 16]",
)
@click.option(
    "--timeout",
    default=1800.0,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Limit per backend and spec.  [default: 1800]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@spec_options
def verify(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    dtypes: tuple[str, ...],
    train: bool,
    recipe: bool,
    seed: int,
    samples: int | None,
    timeout: float,
    as_json: bool,
    settings: dict[str, str],
    size: dict[str, str],
) -> None:
    """Run each SPEC in all frameworks and compare the results.

    All get the same weights and inputs. Shapes, parameters and the outputs of every block are
    compared with a NumPy reference in float64; errors are relative to its largest value. Exits with
    status 1 if a framework disagrees, fails or times out, or if a backend in `--backend` is
    missing.

    With --recipe, the scripts of `build --train` are run instead, and compared with a NumPy
    reference: optimiser, weight decay, clip, schedule and running average for 200 steps, then
    three whole steps, from pixels to new weights.
    """
    from ..diagnostics.report import Report
    from ..verify.workers import threads

    if "numpy" not in sys.modules:  # which reads the limits when it is imported
        os.environ.update({**threads(), **os.environ})
    report = Report(several=len(specs) > 1)
    need_packages(report, ("numpy",), _extras(names))
    targets = _targets(names, report)
    if not report.ok:
        fail(report)
    if recipe:
        _verify_recipes(
            specs, merged(settings, size, *specs), targets, timeout, report, quiet=as_json
        )
        return
    from ..verify.run import Plan

    plan = Plan(targets, tuple(dict.fromkeys(dtypes)), train, seed, samples, timeout)
    found = _verify(specs, merged(settings, size, *specs), plan, report, quiet=as_json)
    if as_json:
        from ..verify.table import to_dict

        click.echo(as_json_text([to_dict(one) for one in found]))
    if not report.ok:
        fail(report)
    if not as_json:
        warn(report)
    failed = [
        o for one in found for o in one.outcomes if not o.ok and (names or o.status != "missing")
    ]
    if failed or not all(any(o.ok for o in one.outcomes) for one in found):
        raise click.exceptions.Exit(1)


def _extras(names: tuple[str, ...]) -> str:
    """The extras of the named backends, or of all installed ones: they have NumPy, too."""
    from .. import plugins
    from ..diagnostics.project import extras

    known = extras()
    wanted = [name.partition(":")[0] for name in names] or [p.name for p in plugins.installed()]
    return ",".join(dict.fromkeys(name for name in wanted if name in known)) or "weights"


def _verify(
    specs: tuple[str, ...], settings: dict[str, str], plan: Plan, report: Report, *, quiet: bool
) -> list[Verification]:
    """Verify the specs; print each table as soon as it is complete."""
    from ..verify.run import verify_all
    from ..verify.table import table

    found = []
    with (
        Progress(len(specs) * (1 + len(plan.jobs()))) as bar,
        closing(verify_all(specs, settings, plan, report, bar.step)) as outcomes,
    ):
        for one in outcomes:
            if one is not None:
                found.append(one)
                if not quiet:
                    bar.erase()
                    print_table(partial(table, one))
    return found


def _verify_recipes(
    specs: tuple[str, ...],
    settings: dict[str, str],
    targets: list[Target],
    timeout: float,
    report: Report,
    *,
    quiet: bool,
) -> None:
    """Verify the recipes of specs; print each table as soon as it is complete."""
    from ..verify.recipe_table import table, to_dict
    from ..verify.recipes import verify_recipes

    found = []
    with (
        Progress(len(specs) * (1 + len(targets))) as bar,
        closing(verify_recipes(specs, settings, targets, report, bar.step, timeout)) as outcomes,
    ):
        for one in outcomes:
            found.append(one)
            if not quiet:
                bar.erase()
                print_table(partial(table, one))
    if quiet:
        click.echo(as_json_text([to_dict(one) for one in found]))
    if not report.ok:
        fail(report)
    if not quiet:
        warn(report)
    if not all(outcome.ok for one in found for outcome in one.outcomes):
        raise click.exceptions.Exit(1)


def _targets(names: tuple[str, ...], report: Report) -> list[Target]:
    """The named backends with their engines, or all installed backends that have a runner."""
    from .. import plugins
    from ..diagnostics.report import Span
    from ..diagnostics.text import printable
    from ..diagnostics.words import suggestion
    from ..verify.run import targets_of

    if not names:
        found, broken = plugins.usable()
        for line in broken:
            click.echo(f"warning: {line}", err=True)
        usable: list[Any] = [targets_of(backend)[0] for _, backend in found if backend.runner]
        if not usable:
            report.error(
                "E501", "no installed backend can run models", Span("--backend", 1, 1, 1, 2)
            )
        return usable
    targets = []
    for name in dict.fromkeys(names):
        plain, _, engine = name.partition(":")
        if (owner := _backend_of(plain)) and not engine:
            span = Span(f"--backend {printable(name)}", 1, 1, 1, len(name) + 1)
            report.texts[span.file] = name
            help = f"`{plain}` is an engine of the backend `{owner}`: write `{owner}:{plain}`"
            report.error("E501", f"unknown backend `{name}`", span, help=help)
            continue
        for _, backend in plugins.chosen([plain], report):
            known = {target.engine.name: target for target in targets_of(backend)}
            if not engine:
                targets.append(next(iter(known.values())))
            elif engine in known:
                targets.append(known[engine])
            else:
                span = Span(f"--backend {printable(name)}", 1, len(plain) + 2, 1, len(name) + 1)
                report.texts[span.file] = name
                help = suggestion(engine, known, what="engines")
                report.error(
                    "E501", f"the backend `{plain}` has no engine `{engine}`", span, help=help
                )
    return targets


def _backend_of(engine: str) -> str:
    """The installed backend that runs on ``engine``, unless a backend has that name itself."""
    from .. import plugins

    usable = [backend for _, backend in plugins.usable()[0]]
    if any(backend.name == engine for backend in usable):
        return ""
    owners = (b.name for b in usable if engine in {found.name for found in b.engines})
    return next(owners, "")
