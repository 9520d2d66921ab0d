"""Parameters of the network that blocks read as defaults of their own: ``default: $growth``.

A block that uses such a block passes the value on, so it gets a parameter for it, too. Generated
code then has the value as an argument everywhere, from the network's own to the innermost block's.
"""

from __future__ import annotations

from ..types.expression import Expression, parse


class NetworkParameters:
    """The parameters of the top level by name (``types``), and the blocks that pass them on."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.blocks: dict[str, dict[str, str]] = {}
        """For each block, the parameter that holds a parameter of the network."""
        self._taken: list[set[str]] = []
        self._held: list[dict[str, str]] = []

    def enter(self, names: set[str]) -> None:
        """Begin a block whose own parameters are ``names``."""
        self._taken.append(names)
        self._held.append({})

    def leave(self, block: str) -> dict[str, str]:
        """End a block; the types of the parameters that it passes on."""
        self._taken.pop()
        self.blocks[block] = held = self._held.pop()
        return {name: self.types[wanted] for wanted, name in held.items()}

    def read(self, wanted: str) -> Expression:
        """What reads a parameter of the network in the current block, or at the top level."""
        if not self._held:
            return parse(f"${wanted}")
        taken, held = self._taken[-1], self._held[-1]
        if wanted not in held:
            name = wanted
            while name in taken:
                name = f"network_{name}"
            held[wanted] = name
            taken.add(name)
        return parse(f"${held[wanted]}")

    def passed(self, block: str) -> dict[str, Expression]:
        """The arguments that a use of ``block`` passes on, by parameter."""
        found = self.blocks.get(block, {})
        return {name: self.read(wanted) for wanted, name in found.items()}
