"""A browser that shows a page as a reader has it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import image

PHONE = (390, 844)


@dataclass(frozen=True)
class Browser:
    """Headless Chromium; what it is given is written to a page in `folder`."""

    program: str
    folder: Path

    def text(self, page: str) -> str:
        """What the page says, without its style and with its characters decoded."""
        found = self._opened(page, "--dump-dom")
        return re.sub(r"<style>.*?</style>|<[^>]+>", " ", found, flags=re.DOTALL)

    def picture(self, page: str, *, is_dark: bool, size: tuple[int, int] = PHONE) -> np.ndarray:
        """The page's upper part: rows, columns and their three colors, 0 to 1."""
        return image.imread(self.screenshot(page, is_dark=is_dark, size=size))[:, :, :3]

    def screenshot(self, page: str, *, is_dark: bool, size: tuple[int, int]) -> Path:
        """The same as a file."""
        target = self.folder / "page.png"
        self._opened(
            page,
            f"--screenshot={target}",
            f"--window-size={size[0]},{size[1]}",
            f"--blink-settings=preferredColorScheme={0 if is_dark else 1}",
        )
        return target

    def _opened(self, page: str, *options: str) -> str:
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        words = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        words.append(f"--user-data-dir={self.folder / 'profile'}")
        done = subprocess.run(
            [*words, *options, path.as_uri()],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout
