"""Numbers of channels that are divided into groups."""

from ..types.tensor import ShapeError


def fewer_groups(groups: int, *channels: int) -> str:
    """The largest number of groups, up to ``groups``, that divides all ``channels``, as text.

    Tries at most 4,096 numbers, which limits the time.
    """
    return str(
        next(n for n in range(min(groups, 4096), 0, -1) if all(divides(c, n) for c in channels))
    )


def grouped(groups: int, channels: int, filters: int) -> None:
    """Raises :class:`ShapeError` if ``groups`` do not divide the input channels and the filters."""
    if not divides(channels, groups):
        what = f"the {channels} input channels"
    elif not divides(filters, groups):
        what = f"{filters} filters"
    else:
        return
    write = fewer_groups(groups, channels, filters)
    raise ShapeError(f"{what} are not divisible by {groups} groups", field="groups", write=write)


def divided(channels: int, groups: int, field: str = "groups") -> None:
    """Raises :class:`ShapeError` if ``groups`` do not divide the channels."""
    if not divides(channels, groups):
        raise ShapeError(
            f"the {channels} input channels are not divisible by {groups} {field}",
            field=field,
            write=fewer_groups(groups, channels),
        )


def divides(value: int, divisor: int) -> bool:
    """Whether ``value`` is divisible by ``divisor``."""
    return value % divisor == 0
