"""Read XML from a memory card: element by element, with little memory, and nothing of it expanded or fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO
from xml.parsers import expat

_DEEPEST = 32
_LONGEST_TEXT = 64 * 1024
"""Characters. Paths have at most 4,096 bytes."""


def read_elements(file: BinaryIO, ended: Callable[[str, str, Mapping[str, str]], None]) -> None:
    """Call `ended` at the end of each element with its local name, its own text and its attributes.

    Raises ValueError for a document type, which could define entities, and for what is too deep or too long;
    `expat.ExpatError` for what is not XML; what `ended` raises.
    """
    open_elements: list[tuple[str, Mapping[str, str], list[str]]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(open_elements) >= _DEEPEST:
            raise ValueError("its elements are nested too deeply")
        open_elements.append((name.rpartition("}")[2], attributes, []))

    def text(data: str) -> None:
        texts = open_elements[-1][2]
        texts.append(data)
        if len(texts) > 1 and sum(map(len, texts)) > _LONGEST_TEXT:
            raise ValueError("it has an element with too much text")

    def end(_: str) -> None:
        name, attributes, texts = open_elements.pop()
        # Only elements without others inside have a text of their own.
        ended(name, "".join(texts), attributes)
        if open_elements:
            open_elements[-1][2].clear()

    def refuse_document_type(*_: object) -> None:
        raise ValueError("it has a document type")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse_document_type
    parser.ParseFile(file)
