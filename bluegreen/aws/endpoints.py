"""Where production and the test listener are reached from where an update runs."""

from urllib.parse import urlsplit

from bluegreen.aws.later import Later
from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.data_plane import HttpProduction, Production
from bluegreen.gates.gate import Endpoint
from bluegreen.settings.aws import AwsSettings, ListenerProtocol
from bluegreen.settings.service import ServiceSettings

__all__ = ["PIN_HEADER", "Endpoints", "needs_balancer_name", "production_url", "test_url"]

PIN_HEADER = "X-Bluegreen-Color"
"""Request header that reaches one color by its name on the test listener."""

_USUAL_PORTS = {"http": 80, "https": 443}


def production_url(settings: ServiceSettings, balancer_name: str) -> str:
    """Where clients go: what is written, else the rule's first plain host, else the balancer."""
    aws = settings.aws
    if aws.production_url is not None:
        return aws.production_url
    return _address(aws, _host(aws) or balancer_name, settings.port)


def test_url(settings: ServiceSettings, balancer_name: str) -> str:
    """The test listener: what is written, else production's host with its port."""
    aws = settings.aws
    if aws.test_url is not None:
        return aws.test_url
    host = urlsplit(production_url(settings, balancer_name)).hostname or balancer_name
    return _address(aws, host, aws.test_port)


def needs_balancer_name(settings: ServiceSettings) -> bool:
    """Whether an address is missing that only the load balancer's own name can fill in."""
    return settings.aws.production_url is None and _host(settings.aws) is None


def _host(aws: AwsSettings) -> str | None:
    """A host name of the rule that is one, and no pattern."""
    hosts = aws.rule.hosts if aws.rule else ()
    return next((host for host in hosts if not set("*?") & set(host)), None)


def _address(aws: AwsSettings, host: str, port: int) -> str:
    scheme = "https" if aws.protocol is ListenerProtocol.HTTPS else "http"
    return f"{scheme}://{host}" if port == _USUAL_PORTS[scheme] else f"{scheme}://{host}:{port}"


class Endpoints:
    """The addresses as they are used from here."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._balancer_name: Later | None = None

    def learn(self, balancer_name: Later) -> None:
        """Takes the load balancer's own name, where it is needed."""
        self._balancer_name = balancer_name

    def pinned(self, color: Color) -> Endpoint:
        """The test listener, with the header that reaches one color.

        Raises:
            DataPlaneError: No address is written, and the load balancer's name is not known.
        """
        return Endpoint(self.test(), {PIN_HEADER: str(color)})

    def production(self) -> Production | None:
        """The address that is written; the load balancer's own name fits no certificate."""
        url = self._settings.aws.production_url
        return None if url is None else HttpProduction(Endpoint(url))

    def test(self) -> str:
        """The test listener; raises as `pinned` does."""
        return test_url(self._settings, self._name())

    def clients(self) -> str:
        """Where clients go; raises as `pinned` does."""
        return production_url(self._settings, self._name())

    def _name(self) -> str:
        if self._balancer_name is None:
            return ""
        name = self._balancer_name.get()
        if name is None:
            msg = "the load balancer is not there yet, so its name is not known"
            raise DataPlaneError(msg)
        return name
