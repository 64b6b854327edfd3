"""Makes the pictures of the history's page that are in docs/images.

`python -m tests.pages.images` plays a small story on the on-premises platform, two minutes
of real updates, has `bluegreen history --html` write the page, and Chromium show it.
"""

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from tests.engine.command import typed
from tests.engine.onprem_driver import OnPremDriver, onprem_driver
from tests.pages.browser import Browser

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"
BROKEN = {"APP_MODE": "broken"}


def story(shop: OnPremDriver) -> None:
    """Three releases: one stays, one is refused at first and then rolled back, one replaces it."""

    def deploy(color: str, release: str, **environment: str) -> None:
        shop.configure(color, {"release": release, "replicas": 1, "env": environment})
        assert shop.stack.run("up", "--yes").ok
        time.sleep(3)

    def bluegreen(*words: str, exit_code: int = 0) -> None:
        done = typed(shop.stack, *words, BLUEGREEN_BY="ann", BLUEGREEN_COMMIT="0a1b2c3d")
        assert done.exit_code == exit_code, done
        time.sleep(5)

    shop.configure("active_color", "blue")
    deploy("blue", "1.0")
    deploy("green", "1.1")
    bluegreen("switch", "--reason", "release 1.1")
    deploy("blue", "1.2", **BROKEN)
    bluegreen("switch", exit_code=1)
    deploy("blue", "1.2")
    bluegreen("switch", "--reason", "release 1.2")
    bluegreen("rollback", "--reason", "error spike: 5xx at 12 %")
    deploy("blue", "1.3")
    bluegreen("switch", "--reason", "release 1.3, with the fix")


def main(kept: Path | None) -> None:
    """Writes the pictures, and the page itself to `kept`."""
    with onprem_driver() as shop, tempfile.TemporaryDirectory() as folder:
        story(shop)
        path = kept or Path(folder, "history.html")
        done = typed(shop.stack, "history", "--html", str(path))
        assert done.exit_code == 0, done
        browser = Browser("chromium", Path(folder))
        for name, size, is_dark in (
            ("history-page.png", (900, 1000), False),
            ("history-page-phone.png", (390, 1000), True),
        ):
            shot = browser.screenshot(path.read_text(), is_dark=is_dark, size=size)
            # Few colors are in it, and half of the size is enough for them.
            Image.open(shot).quantize(160).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
