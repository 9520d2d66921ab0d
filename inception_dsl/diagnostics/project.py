"""The name of the package, and where its documentation is."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "inception-dsl"
"""The distribution that has this module."""
_REPOSITORY: Final = ("repository", "source", "source code", "homepage")
"""The labels of the address of a repository in ``project.urls``, the best first."""


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
