"""Table, figure and caption in a document of two columns, by a real LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from bench.cli import main

DOCUMENT = r"""\documentclass[twocolumn]{article}
\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx}
\usepackage[margin=0.75in]{geometry}\setlength{\columnsep}{0.375in}
\begin{document}
\input{rows}\input{columns}\input{hostile}
\begin{figure}\includegraphics{figure.pdf}\input{caption}\end{figure}
\end{document}
"""


def found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not here: apt install texlive-latex-recommended poppler-utils")
    return path


@pytest.mark.nightly
def test_a_document_with_table_and_figure_compiles(sample, hostile, tmp_path):
    latex = found("pdflatex")
    width = ["--width", "column", "--zoom", "--values", "ssim_hole", "--font", "serif"]
    tables = {
        "rows": [sample, "--intervals"],
        "columns": [sample, "--tiers-as", "columns", "--metrics", "psnr_hole_db,ssim_hole"],
        "hostile": [hostile.parent, "--metrics", "psnr_hole_db"],
    }
    for name, words in tables.items():
        assert main(["table", *map(str, words), "--out", str(tmp_path / f"{name}.tex")]) == 0
    files = ["--out", str(tmp_path / "figure"), "--caption", str(tmp_path / "caption.tex")]
    assert main(["figure", str(sample), *files, *width]) == 0
    (tmp_path / "paper.tex").write_text(DOCUMENT, "utf-8")
    command = [latex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    # The figure is as wide as a column, so that it is neither scaled nor in the margin.
    wide = [float(each) for each in re.findall(r"Overfull \\hbox \(([\d.]+)pt", done.stdout)]
    assert max(wide, default=0) < 5, done.stdout


@pytest.mark.nightly
def test_poppler_finds_fonts_embedded_and_pictures_as_they_are(sample, tmp_path):
    fonts, images = found("pdffonts"), found("pdfimages")
    assert main(["figure", str(sample), "--out", str(tmp_path / "f"), "--methods", "telea,ns"]) == 0

    def rows(*command: str) -> list[list[str]]:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line.split() for line in shown.splitlines()[2:]]

    listed = rows(fonts, str(tmp_path / "f.pdf"))
    assert listed
    assert all("TrueType" in row and row[-5] == "yes" for row in listed)
    pictures = rows(images, "-list", str(tmp_path / "f.pdf"))
    assert len(pictures) == 3 * 4
    assert {(row[3], row[4], row[8]) for row in pictures} == {("48", "48", "image")}
