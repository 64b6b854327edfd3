"""Users that may do just what a test lets them."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from kubernetes import client

from tools.cluster.api import create
from tools.cluster.certificates import KeyPair, new_key, pem_of_key, subject
from tools.cluster.kubeconfig import write_kubeconfig
from tools.cluster.processes import wait_until

__all__ = ["Rule", "allow", "user_kubeconfig"]

Rule = Mapping[str, Sequence[str]]
"""As in a Role: `apiGroups`, `resources`, `verbs` and, if need be, `resourceNames`."""

Deed = tuple[str, str, str, str]
"""Group, resource, verb and, if one is named, the object."""

WAIT_SECONDS = 30.0
RBAC = "rbac.authorization.k8s.io"


def user_kubeconfig(api: client.ApiClient, user: str, namespace: str, file: Path) -> Path:
    """A kubeconfig with a client certificate that the cluster has signed."""
    key = new_key()
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject(user))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    return write_kubeconfig(
        file,
        server=api.configuration.host,
        authority=Path(api.configuration.ssl_ca_cert).read_bytes(),
        user=KeyPair(_signed(api, request), pem_of_key(key)),
        namespace=namespace,
    )


def allow(api: client.ApiClient, user: str, namespace: str, rules: Sequence[Rule]) -> None:
    """Lets the user do this in the namespace, and nothing that it was allowed here before."""
    old = _role_of(api, user, namespace)
    if old is not None:
        client.RbacAuthorizationV1Api(api).delete_namespaced_role(user, namespace)
    create(api, _role(user, rules), namespace)
    if old is None:
        create(api, _binding(user), namespace)
    now, before = _deeds(rules), _deeds(old or ())
    # The API server learns of it through a watch of its own.
    wait_until(
        lambda: (
            all(_may(api, user, namespace, deed) for deed in now)
            and not any(_may(api, user, namespace, deed) for deed in before - now)
        ),
        WAIT_SECONDS,
    )


def _signed(api: client.ApiClient, request: bytes) -> bytes:
    try:
        return _signed_once(api, request)
    except TimeoutError:
        # The signer was seen to miss one on a busy machine.
        return _signed_once(api, request)


def _signed_once(api: client.ApiClient, request: bytes) -> bytes:
    requests = client.CertificatesV1Api(api)
    name = f"bluegreen-test-{secrets.token_hex(8)}"
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {
            "request": b64encode(request).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }
    create(api, body)
    try:
        _approve(requests, name)
        wait_until(lambda: bool(_certificate(requests, name)), WAIT_SECONDS)
        return b64decode(_certificate(requests, name))
    finally:
        requests.delete_certificate_signing_request(name)


def _approve(requests: client.CertificatesV1Api, name: str) -> None:
    asked = requests.read_certificate_signing_request(name)
    approved = client.V1CertificateSigningRequestCondition(
        type="Approved", status="True", reason="Test", message="asked for by a test"
    )
    asked.status = client.V1CertificateSigningRequestStatus(conditions=[approved])
    requests.replace_certificate_signing_request_approval(name, asked)


def _certificate(requests: client.CertificatesV1Api, name: str) -> str | bytes:
    status = requests.read_certificate_signing_request(name).status
    return (status and status.certificate) or ""


def _role_of(api: client.ApiClient, user: str, namespace: str) -> Sequence[Rule] | None:
    """The rules of the user's role; None if there is no such role yet."""
    try:
        role = client.RbacAuthorizationV1Api(api).read_namespaced_role(user, namespace)
    except client.ApiException as error:
        if error.status == 404:
            return None
        raise
    rules: Sequence[Rule] = api.sanitize_for_serialization(role).get("rules") or ()
    return rules


def _role(user: str, rules: Sequence[Rule]) -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": user},
        "rules": [dict(rule) for rule in rules],
    }


def _binding(user: str) -> dict[str, object]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": user},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }


def _deeds(rules: Sequence[Rule]) -> set[Deed]:
    return {
        deed
        for rule in rules
        for deed in product(
            rule.get("apiGroups", [""]),
            rule["resources"],
            rule["verbs"],
            rule.get("resourceNames") or [""],
        )
    }


def _may(api: client.ApiClient, user: str, namespace: str, deed: Deed) -> bool:
    group, resource, verb, name = deed
    resource, _, subresource = resource.partition("/")
    asked = client.V1ResourceAttributes(
        namespace=namespace,
        group=group,
        resource=resource,
        subresource=subresource,
        verb=verb,
        name=name,
    )
    review = client.V1SubjectAccessReview(
        spec=client.V1SubjectAccessReviewSpec(user=user, resource_attributes=asked)
    )
    status = client.AuthorizationV1Api(api).create_subject_access_review(review).status
    return bool(status and status.allowed)
