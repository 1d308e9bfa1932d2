"""Opening pages in a real browser, and remembering what they asked for and complained about."""

from __future__ import annotations

import shutil
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Visit:
    """A browser page that remembers what it asked for and complained about."""

    def __init__(self, browser, **settings) -> None:
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("requestfailed", self._failed)

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # of a picture whose page was left
            self.complaints.append(f"{request.url}: {request.failure}")

    def _dialog(self, dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()

    def picture(self, file: Path) -> None:
        """What the page looks like; asked for once more where Chromium could not take it.

        On a busy machine it sometimes answers "Unable to capture screenshot" whatever the page.
        """
        try:
            self.page.screenshot(path=file)
        except Exception as error:
            if "Unable to capture screenshot" not in str(error):
                raise
            self.page.screenshot(path=file)

    def open(self, path: Path) -> None:
        self.page.goto(path.as_uri())
        self.page.wait_for_load_state("load")
