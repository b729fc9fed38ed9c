"""Tags for ReportLab's pages, by which screen readers read them in order.

Source: ISO 14289-1 (PDF/UA).

Flowables know their element of the structure tree and mark what they draw; pikepdf then writes the tree into the file.
"""

import io
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from reportlab.graphics import renderPDF
from reportlab.graphics.shapes import Drawing
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table


@dataclass
class StructureElement:
    """A node of the structure tree.

    Its type, its words, its children, and where on which page it was drawn.
    """

    kind: str
    text: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    children: list["StructureElement"] = field(default_factory=list)
    drawn: list[tuple[int, int]] = field(default_factory=list)  # page index, marked-content id
    box: tuple[float, float, float, float] | None = None

    def add(self, kind: str, text: str = "", **attributes: Any) -> "StructureElement":
        """Add a child to the tree and return it."""
        child = StructureElement(kind, text, attributes)
        self.children.append(child)
        return child


class TaggedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that opens and closes marked content.

    Whatever is outside of an element is an artifact.
    """

    next_id = 0

    def begin(self, element: StructureElement) -> None:
        """Open the marked content of an element; what is drawn until `end` is read with it."""
        self._code.append(f"/{element.kind} <</MCID {self.next_id}>> BDC")
        element.drawn.append((self.getPageNumber() - 1, self.next_id))
        self.next_id += 1

    def begin_artifact(self) -> None:
        """Open marked content that no screen reader reads: page numbers, lines, backgrounds."""
        self._code.append("/Artifact BMC")

    def end(self) -> None:
        """Close the marked content that was opened last."""
        self._code.append("EMC")

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        super().showPage()
        # Marked-content numbers begin again on each page, as the format wants it.
        self.next_id = 0


class TaggedText(Paragraph):  # type: ignore[misc]
    """A paragraph, heading or cell that belongs to an element."""

    element: StructureElement
    outline: int | None = None  # the depth of its bookmark
    broken_for: float | None = None  # the width for which its lines are broken

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        # A table asks each of its cells three times; breaking lines would be a third of what a summary costs.
        if width != self.broken_for:
            super().wrap(width, height)
            self.broken_for = width
        return self.width, self.height

    def draw(self) -> None:
        canvas = self.canv
        if self.element.kind == "TH" and self.element.drawn and self.element.drawn[0][0] != canvas.getPageNumber() - 1:
            canvas.begin_artifact()  # a heading that is repeated on the next page was read before
        else:
            canvas.begin(self.element)
        super().draw()
        canvas.end()
        if self.outline is not None:
            key = f"h{id(self.element)}"
            canvas.bookmarkPage(key)
            canvas.addOutlineEntry(self.element.text, key, self.outline)

    def split(self, width: float, height: float) -> list[Any]:
        parts = super().split(width, height)
        self.broken_for = None  # where there is no room for it, ReportLab forgets the lines
        # A paragraph that is split over two pages is still one paragraph when it is read.
        for part in parts:
            part.element = self.element
        return list(parts)


def text(words: str, style: Any, element: StructureElement, outline: int | None = None) -> TaggedText:
    """Return a paragraph of plain words."""
    # ReportLab takes its paragraphs for XML; "<20" would be a broken tag.
    safe = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    paragraph = TaggedText(safe, style)
    paragraph.element = element
    paragraph.outline = outline
    element.text = words
    return paragraph


class TaggedTable(Table):  # type: ignore[misc]
    """A table whose lines are artifacts; its cells are tagged paragraphs."""

    def _drawLines(self) -> None:  # noqa: N802 - ReportLab's name
        self.canv.begin_artifact()
        super()._drawLines()
        self.canv.end()

    def _drawBkgrnd(self) -> None:  # noqa: N802 - ReportLab's name
        self.canv.begin_artifact()
        super()._drawBkgrnd()
        self.canv.end()


class TaggedFigure(Flowable):  # type: ignore[misc]
    """A drawing with words for those who do not see it."""

    def __init__(self, drawing: Drawing, element: StructureElement):
        super().__init__()
        self.drawing = drawing
        self.element = element
        self.width = drawing.width
        self.height = drawing.height

    def wrap(self, *_: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        x, y = self.canv.absolutePosition(0, 0)
        self.element.box = (x, y, x + self.width, y + self.height)
        self.canv.begin(self.element)
        renderPDF.draw(self.drawing, self.canv, 0, 0)
        self.canv.end()


def add_structure_tree(data: bytes, root: StructureElement, title: str, language: str, author: str) -> bytes:
    """Return the PDF with its structure tree; the same input gives the same bytes."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        tree = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        parents: dict[int, dict[int, Any]] = {}
        tree.K = Array([_written(pdf, root, tree, parents)])
        numbers = Array()
        for index, page in enumerate(pdf.pages):
            # Through these numbers a reader finds from something on a page to its place in the tree
            # (ISO 32000-1, 14.7.4.4).
            page.obj.StructParents = index
            page.obj.Tabs = Name.S
            fonts = page.obj.Resources.Font
            embedded = next(font for font in fonts.values() if "/FontDescriptor" in font)
            for name, font in list(fonts.items()):
                if "/FontDescriptor" not in font:  # ReportLab names Helvetica before figures, and writes nothing with it
                    fonts[name] = embedded
            parent_by_number = parents.get(index, {})
            row = Array([parent_by_number[number] for number in sorted(parent_by_number)])
            numbers.extend([index, pdf.make_indirect(row)])
        tree.ParentTree = pdf.make_indirect(Dictionary(Nums=numbers))
        tree.ParentTreeNextKey = len(pdf.pages)
        pdf.Root.StructTreeRoot = tree
        pdf.Root.MarkInfo = Dictionary(Marked=True)
        pdf.Root.Lang = String(language)
        pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["pdfuaid:part"] = "1"
            metadata["dc:title"] = title
            metadata["dc:language"] = [language]
            metadata["dc:creator"] = [author]
        sink = io.BytesIO()
        # An id from the content: a random one would make every build another file.
        pdf.save(sink, deterministic_id=True)
    return sink.getvalue()


def _written(pdf: pikepdf.Pdf, element: StructureElement, parent: Any, parents: dict[int, dict[int, Any]]) -> Any:
    node = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{element.kind}"), P=parent))
    kids: list[Any] = []
    # An element that goes on over a page break has one piece on each page.
    for page, number in element.drawn:
        parents.setdefault(page, {})[number] = node
        kids.append(Dictionary(Type=Name.MCR, Pg=pdf.pages[page].obj, MCID=number))
    kids += [_written(pdf, child, node, parents) for child in element.children]
    node.K = Array(kids)
    if element.kind == "Figure":
        node.Alt = String(element.text)
        node.A = Dictionary(O=Name.Layout, Placement=Name.Block, BBox=Array([round(edge, 2) for edge in element.box or ()]))
    elif element.text:
        node.ActualText = String(element.text)  # ReportLab draws no space where a line ends
    if element.kind == "TH":
        node.A = Dictionary(O=Name.Table, Scope=Name(f"/{element.attributes['scope']}"))
    return node
