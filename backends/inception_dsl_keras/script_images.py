"""Random changes of images in a training script, in NumPy."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.backend import Augmentation, Code, literal

COLOURS = ("brightness", "saturation", "hue", "contrast")


def uses_gray(found: Augmentation | None) -> bool:
    """Whether the lines call ``gray``."""
    return found is not None and bool(found.saturation or found.contrast)


def augmented(found: Augmentation) -> Iterator[Code]:
    """The lines of ``augmented``, for an ``image`` (height, width, channels) from 0 to 255."""
    if found.crop or found.aspect:
        yield from _cropped(found)
    if found.flip:
        yield Code("    if uniform() < 0.5:")
        yield Code("        image = image[:, ::-1]")
    for colour in COLOURS:
        value = getattr(found, colour)
        if value is not None:
            yield from _coloured(colour, value)


def _cropped(found: Augmentation) -> Iterator[Code]:
    low, high = map(literal, found.crop or (1.0, 1.0))
    yield Code("    height, width = image.shape[:2]")
    yield Code("    for _ in range(10):  # until a part fits")
    yield Code(f"        area = height * width * uniform({low}, {high})")
    if found.aspect:
        narrow, wide = (f"math.log({literal(v)})" for v in found.aspect)
        yield Code(f"        ratio = math.exp(uniform({narrow}, {wide}))")
    else:
        yield Code("        ratio = width / height")
    yield Code("        rows, columns = round((area / ratio) ** 0.5), round((area * ratio) ** 0.5)")
    yield Code("        if 0 < rows <= height and 0 < columns <= width:")
    yield Code("            top = int(uniform(0, height - rows + 1))")
    yield Code("            left = int(uniform(0, width - columns + 1))")
    yield Code("            image = scaled(image[top : top + rows, left : left + columns])")
    yield Code("            break")


def _coloured(colour: str, value: float | tuple[float, float]) -> Iterator[Code]:
    """The lines that change a colour; contrast is that of torchvision, from the mean grey value."""
    if not isinstance(value, tuple):
        low, high = literal(-value), literal(value)
        if colour == "brightness":
            yield Code(f"    image = np.clip(image + 255 * uniform({low}, {high}), 0, 255)")
        else:
            yield Code(f"    image = turned(image, uniform({low}, {high}))")
        return
    low, high = map(literal, value)
    yield Code(f"    other = gray(image){'' if colour == 'saturation' else '.mean()'}")
    yield Code(f"    image = other + uniform({low}, {high}) * (image - other)")
    yield Code("    image = np.clip(image, 0, 255)")
