"""CVAT for images, XML 1.1: one file for many photos."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from bench.errors import InputError
from masks.annotations.shape import Numbers, Shape, Size, box, corners, ellipse, numbers, runs, size
from masks.annotations.sheet import Annotation, Sheet, add
from masks.raster import Mask

_NO_AREA = ("polyline", "points", "cuboid", "skeleton")


def parse(data: bytes, path: Path) -> Annotation | None:
    """Take XML for an annotation; None if it is another kind of file.

    Raises:
        InputError: If it is no XML, declares a document type, or is made for a video.
    """
    root = _tree(data, path)
    if root.tag != "annotations":
        return None
    if root.find("track") is not None:
        raise InputError(f"'{path}' is made for a video; export it as 'CVAT for images 1.1'")
    sheets: dict[str, Sheet] = {}
    labels = {name.text for label in root.iter("label") for name in label.iter("name") if name.text}
    for image in root.iter("image"):
        name = image.get("name")
        where = f"annotation '{path}', photo '{name}'"
        stated = partial(size, image.get("height"), image.get("width"), where)
        add(sheets, name, Sheet(stated, partial(_shapes, image, where)), path)
        labels.update(filter(None, (shape.get("label") for shape in image)))
    return Annotation(sheets, frozenset(labels))


def _tree(data: bytes, path: Path) -> Element:
    """Elements without entities: a document type could make a short file fill the memory."""

    def refuse(*_: object) -> NoReturn:
        raise InputError(f"annotation '{path}' declares a document type; remove it")

    builder, parser = TreeBuilder(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(f"annotation '{path}' is no XML: {error}") from error
    return builder.close()


def _shapes(image: Element, where: str, _: Size) -> Iterator[Shape]:
    for number, element in enumerate(image):
        labels = (element.get("label", ""),)
        spot = f"{where}, {element.tag} {number}"
        if element.tag in _NO_AREA:
            yield Shape(labels, element.tag)
        elif element.tag == "mask":
            yield _bitmap(element, labels, spot)
        elif element.tag != "tag":  # a label of the whole photo
            yield Shape(labels, element.tag, (_ring(element, spot),))


def _ring(element: Element, where: str) -> Numbers:
    turn = element.get("rotation", 0)
    if element.tag == "box":
        left, top, right, bottom = _attributes(element, "xtl ytl xbr ybr", where)
        return box((left, top, right - left, bottom - top), where, turn)
    if element.tag == "ellipse":
        return ellipse(_attributes(element, "cx cy rx ry", where), where, turn)
    if element.tag == "polygon":
        pairs = element.get("points", "").split(";")
        return corners([pair.split(",") for pair in pairs], 3, where)
    raise InputError(f"{where}: expected box, polygon, ellipse, mask, tag, {', '.join(_NO_AREA)}")


def _bitmap(element: Element, labels: tuple[str, ...], where: str) -> Shape:
    """Run lengths go along the rows of the box."""
    left, top, width, height = _attributes(element, "left top width height", where).astype(int)
    size(height, width, where)

    def inside() -> Mask:
        try:
            counts = np.array(element.get("rle", "").split(","), dtype=np.int64)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{where}: expected whole numbers in 'rle'") from error
        return runs(counts, int(height * width), where).reshape(height, width)

    return Shape(labels, "mask", bitmap=inside, corner=(int(left), int(top)))


def _attributes(element: Element, names: str, where: str) -> Numbers:
    return numbers([element.get(name) for name in names.split()], f"{where}, {names}")
