"""The name of the package, its extras, and where its documentation is."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "inception-dsl"
"""The distribution that has this module."""
_REPOSITORY: Final = ("repository", "source", "source code", "homepage")
"""The labels of the address of a repository in ``project.urls``, the best first."""


def extras(distribution: str = DISTRIBUTION) -> list[str]:
    """The names of the extras of an installed distribution."""
    from importlib import metadata  # only help for missing packages needs it

    try:
        return metadata.metadata(distribution).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []


def install(distribution: str, name: str, title: str) -> str:
    """How to install the framework ``title``: with the extra ``name`` of a distribution, or without
    help of it.
    """
    own = name in extras(distribution)
    return f"pip install '{distribution}[{name}]'" if own else f"install {title}"


def errors_page() -> str:
    """The address of docs/errors.md; empty if the installed package states no repository."""
    from importlib import metadata  # only links need it

    try:
        stated = metadata.metadata(DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    pairs = (text.partition(",") for text in stated)
    addresses = {label.strip().lower(): address.strip() for label, _, address in pairs}
    found = (addresses[label] for label in _REPOSITORY if label in addresses)
    address = next(found, "").rstrip("/").removesuffix(".git")
    return f"{address}/blob/HEAD/docs/errors.md" if address else ""
