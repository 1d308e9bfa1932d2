"""The overview of a report as one HTML file, with everything it shows inside.

Pictures and plots become data addresses, style and script go inline under a content policy that
names their hashes. Links to other pages of the report lose their target.
"""

from __future__ import annotations

import base64
import hashlib
import html
from html.parser import HTMLParser
from pathlib import Path

from bench.errors import BenchError
from reports.site.site import static
from reports.site.staging import placed

MOST_THUMBNAILS = 60
MOST_BYTES = 10_000_000
_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
_NOTE = (
    '<p class="small">One file of a report: its overview. Cases, tiers and tables are in the '
    "report's folder.</p>"
)


def write(report: Path) -> Path:
    """Write ``report``'s overview as one file beside the folder.

    Args:
        report: Folder of a finished report.

    Returns:
        Path of the file: the folder's name and ``.html``.

    Raises:
        BenchError: If it would be larger than 10 MB, or cannot be written.
    """
    report = report.resolve()
    inliner = _Inliner(report)
    inliner.feed((report / "index.html").read_text("utf-8"))
    inliner.close()
    data = inliner.page().encode("utf-8")
    if len(data) > MOST_BYTES:
        raise BenchError(
            f"--single-file: expected at most {MOST_BYTES / 1e6:.0f} MB, found "
            f"{len(data) / 1e6:.1f} MB, of which {inliner.embedded / 1e6:.1f} MB are pictures and "
            "plots; give --zip for the whole report, or fewer methods or tiers"
        )
    target = report.with_name(f"{report.name}.html")
    with placed(target) as temporary:
        temporary.write_bytes(data)
    return target


class _Inliner(HTMLParser):
    """Copies a page, putting what it refers to in place of the reference."""

    def __init__(self, report: Path) -> None:
        super().__init__(convert_charrefs=False)
        self.embedded = 0
        self._report = report
        self._style, self._script = (
            "".join((report / "assets" / name).read_text("utf-8") for name in static(suffix))
            for suffix in (".css", ".js")
        )
        self._parts: list[str] = []
        self._shown: dict[str, str] = {}
        self._left_out = 0
        self._styled = False
        # Tag of the element being left out, and how many of its kind are open.
        self._skipped, self._depth = "", 0

    def page(self) -> str:
        """The page so far."""
        text = "".join(self._parts)
        more = f'<p class="small">{self._left_out} pictures were left out.</p>'
        return text.replace("</main>", f"{more}</main>" if self._left_out else "</main>", 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipped:
            self._depth += tag == self._skipped
            return
        facts = {name: value or "" for name, value in attrs}
        linked = tag == "script" and "src" in facts
        if tag == "nav" or facts.get("class") == "downloads" or linked:
            self._skipped, self._depth = tag, 1
        elif tag == "link" and facts.get("rel") == "stylesheet":
            self._parts.append("" if self._styled else f"<style>{self._style}</style>")
            self._styled = True
        elif tag == "img":
            self._picture(facts)
        else:
            self._tag(tag, self._inlined(tag, facts))
            if tag == "main":
                self._parts.append(_NOTE)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._depth -= tag == self._skipped
            if not self._depth:
                self._skipped = ""
            return
        if tag == "body":
            self._parts.append(f"<script>{self._script}</script>")
        self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text(data)

    def handle_entityref(self, name: str) -> None:
        self._text(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._text(f"<!{decl}>")

    def _text(self, text: str) -> None:
        if not self._skipped:
            self._parts.append(text)

    def _tag(self, tag: str, facts: dict[str, str]) -> None:
        written = "".join(f' {name}="{html.escape(value)}"' for name, value in facts.items())
        self._parts.append(f"<{tag}{written}>")

    def _picture(self, facts: dict[str, str]) -> None:
        path = facts["src"]
        address = self._address(path) if path.endswith(".svg") else self._allowed(path)
        if not address:
            self._parts.append(f'<span class="missing">{html.escape(facts.get("alt", ""))}</span>')
            return
        self._tag("img", {k: v for k, v in facts.items() if k != "loading"} | {"src": address})

    def _inlined(self, tag: str, facts: dict[str, str]) -> dict[str, str]:
        """Attributes without references to other files."""
        if facts.get("http-equiv") == "Content-Security-Policy":
            return facts | {"content": self._policy()}
        if tag == "source":
            return facts | {"srcset": self._address(facts["srcset"])}
        if tag == "a" and not facts.get("href", "").startswith(("https://", "http://", "#")):
            return {
                name: value for name, value in facts.items() if name not in ("href", "download")
            }
        if tag == "image":
            return facts | {"href": self._allowed(facts["href"])}
        if "data-src" in facts:
            return facts | {"data-src": self._address(facts["data-src"])}
        return facts

    def _allowed(self, path: str) -> str:
        """A picture as a data address; empty if there are as many as may be."""
        if path not in self._shown:
            if len(self._shown) >= MOST_THUMBNAILS:
                self._left_out += 1
                return ""
            self._shown[path] = self._address(path)
        return self._shown[path]

    def _address(self, path: str) -> str:
        """A file of the report as a data address."""
        data = (self._report / path).read_bytes()
        self.embedded += len(data)
        kind = _TYPES[Path(path).suffix]
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"

    def _policy(self) -> str:
        style, script = (
            base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
            for text in (self._style, self._script)
        )
        return (
            f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; "
            f"script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
