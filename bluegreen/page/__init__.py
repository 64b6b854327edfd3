"""Pages for a browser that need nothing else: no script, no font, no network.

What all pages have in common: their frame, their style, and the parts that more than one of them
shows. Text that is given to it is escaped here; only what is called HTML goes in as it is.
"""

from bluegreen.page.frame import page, style_beside
from bluegreen.page.parts import Share, bar, chips, folded, table

__all__ = ["Share", "bar", "chips", "folded", "page", "style_beside", "table"]
