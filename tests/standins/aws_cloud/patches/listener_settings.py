"""A listener's port, protocol, policy and certificate are checked before anything is changed.

moto takes a port twice, HTTPS without a certificate, and any policy of a new listener; a change
that it refuses may have changed the port already.
"""

from collections.abc import Iterable
from typing import Any

from moto.elbv2.exceptions import (
    DuplicateListenerError,
    ELBClientError,
    ListenerNotFoundError,
    ValidationError,
)
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer
from moto.elbv2.ssl_policies import SSL_POLICIES

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_PROTOCOLS = (None, "HTTP", "HTTPS")
_LAST_PORT = 65535


def patch(world: World) -> Iterable[Replacement]:
    """New listeners and changed ones."""
    yield Replacement(ELBv2Backend, "create_listener", _create_listener())
    yield Replacement(ELBv2Backend, "modify_listener", _modify_listener())


def _create_listener() -> Any:
    original = ELBv2Backend.create_listener

    def create_listener(
        self: ELBv2Backend,
        load_balancer_arn: str,
        protocol: str,
        port: str,
        ssl_policy: str,
        certificate: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> FakeListener:
        if balancer := self.load_balancers.get(load_balancer_arn):
            _check_port(balancer, port, None)
        _check_policy(ssl_policy)
        if protocol == "HTTPS":
            _check_certificate(self, certificate)
        return original(
            self, load_balancer_arn, protocol, port, ssl_policy, certificate, *args, **kwargs
        )

    return create_listener


def _modify_listener() -> Any:
    original = ELBv2Backend.modify_listener

    def modify_listener(
        self: ELBv2Backend,
        arn: str,
        port: str | None = None,
        protocol: str | None = None,
        ssl_policy: str | None = None,
        certificates: list[dict[str, Any]] | None = None,
        actions: list[dict[str, Any]] | None = None,
    ) -> FakeListener:
        balancer, listener = _find(self, arn)
        if port is not None:
            _check_port(balancer, port, listener)
        if protocol not in _PROTOCOLS:
            msg = f"Protocol '{protocol}' is not supported"
            raise ELBClientError("UnsupportedProtocol", msg)
        _check_policy(ssl_policy)
        if (protocol or listener.protocol) == "HTTPS":
            given = certificates[0]["CertificateArn"] if certificates else listener.certificate
            _check_certificate(self, given)
        return original(self, arn, port, protocol, ssl_policy, certificates, actions)

    return modify_listener


def _find(backend: ELBv2Backend, arn: str) -> tuple[FakeLoadBalancer, FakeListener]:
    for balancer in backend.load_balancers.values():
        if arn in balancer.listeners:
            return balancer, balancer.listeners[arn]
    raise ListenerNotFoundError


def _check_port(balancer: FakeLoadBalancer, port: str, own: FakeListener | None) -> None:
    if not 1 <= int(port) <= _LAST_PORT:
        msg = f"Listener port '{port}' must be between 1 and {_LAST_PORT}"
        raise ValidationError(msg)
    if any(int(each.port) == int(port) for each in balancer.listeners.values() if each is not own):
        raise DuplicateListenerError


def _check_policy(name: str | None) -> None:
    if name and name not in SSL_POLICIES:
        raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{name}' not found")


def _check_certificate(backend: ELBv2Backend, arn: str | None) -> None:
    if arn is None:
        msg = "A certificate must be specified for HTTPS listeners"
        raise ValidationError(msg)
    if not backend._certificate_exists(certificate_arn=arn):
        raise ELBClientError("CertificateNotFound", f"Certificate '{arn}' not found")
