"""What a stack finds in its account: network, load balancer and certificate, made once."""

import datetime
import functools
from collections.abc import Callable
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

__all__ = ["Account"]

_DOMAIN = "shop.example.com"
_ZONES = 2


class Account:
    """Makes each thing when it is first asked for."""

    def __init__(self, client: Callable[[str], Any], region: str) -> None:
        """Takes how to call the API."""
        self._client, self._region = client, region

    @cached_property
    def vpc(self) -> str:
        """Id of a network."""
        found = self._client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
        return str(found["Vpc"]["VpcId"])

    @cached_property
    def subnets(self) -> list[str]:
        """Ids of two subnets, in two availability zones."""
        return [self._subnet(number) for number in range(_ZONES)]

    @cached_property
    def security_group(self) -> str:
        """Id of a security group."""
        found = self._client("ec2").create_security_group(
            GroupName="shop", Description="of the tests", VpcId=self.vpc
        )
        return str(found["GroupId"])

    @cached_property
    def certificate(self) -> str:
        """ARN of a certificate that is issued."""
        certificate, key = _certificate()
        found = self._client("acm").import_certificate(Certificate=certificate, PrivateKey=key)
        return str(found["CertificateArn"])

    @cached_property
    def load_balancer(self) -> str:
        """ARN of an application load balancer that is active."""
        client = self._client("elbv2")
        found = client.create_load_balancer(
            Name="shop", Subnets=self.subnets, SecurityGroups=[self.security_group]
        )
        arn = str(found["LoadBalancers"][0]["LoadBalancerArn"])
        client.describe_load_balancers(LoadBalancerArns=[arn])
        return arn

    @cached_property
    def image(self) -> str:
        """Id of a machine image."""
        found = self._client("ec2").describe_images(Owners=["amazon"])
        return str(found["Images"][0]["ImageId"])

    def _subnet(self, number: int) -> str:
        found = self._client("ec2").create_subnet(
            VpcId=self.vpc,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"{self._region}{'ab'[number]}",
        )
        return str(found["Subnet"]["SubnetId"])


@functools.cache
def _certificate() -> tuple[bytes, bytes]:
    """A self-signed one, and its key; no client looks at them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _DOMAIN)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
