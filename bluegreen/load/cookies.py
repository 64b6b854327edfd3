"""Cookies of simulated clients, as far as a router's cohort cookie needs them."""

import time
from email.utils import mktime_tz, parsedate_tz

__all__ = ["CookieJar"]


class CookieJar:
    """What one simulated client was told to keep.

    The load goes to one address, so `Path`, `Domain` and `Secure` are not looked at. A cookie is
    dropped when the server says so (`Max-Age` of 0 or less, `Expires` in the past), not by its age.
    """

    __slots__ = ("_cookies", "header")

    def __init__(self) -> None:
        self._cookies: dict[str, str] = {}
        self.header = b""
        """The `Cookie` header line with its line end, empty without cookies."""

    def keep(self, set_cookies: tuple[str, ...]) -> None:
        """Takes the values of the `Set-Cookie` headers of one answer."""
        for text in set_cookies:
            pair, *attributes = text.split(";")
            name, _, value = pair.strip().partition("=")
            if any(_is_deletion(attribute) for attribute in attributes):
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = value
        pairs = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self.header = f"Cookie: {pairs}\r\n".encode("latin-1") if pairs else b""


def _is_deletion(attribute: str) -> bool:
    key, _, value = attribute.strip().partition("=")
    if key.lower() == "max-age":
        return value.startswith("-") or value == "0"
    if key.lower() == "expires":
        moment = parsedate_tz(value)
        return moment is not None and mktime_tz(moment) <= time.time()
    return False
