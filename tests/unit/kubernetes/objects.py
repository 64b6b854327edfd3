"""Objects as the API server has them, and plans for members, as short as a test can write them."""

from bluegreen.colors import Color
from bluegreen.kubernetes.names import COLOR_LABEL, FINGERPRINT, RELEASE, ObjectNames
from bluegreen.overrides import Overrides
from bluegreen.plan import make_plan
from tests.unit.written import a_config

BLUE, GREEN = Color.BLUE, Color.GREEN
NAMES = ObjectNames("shop", "shops")
IMAGE = "ghcr.io/acme/shop:{release}"


def kubernetes_config(service=None, *, kubernetes=None, **changes):
    """A config of a service on Kubernetes without problems, except for what is changed."""
    settings = {"image": IMAGE, "namespace": NAMES.namespace, **(kubernetes or {})}
    whole = {"platform": "kubernetes", "kubernetes": settings, **(service or {})}
    return a_config(service=whole, **changes)


def kubernetes_plan(config):
    return make_plan(config, Overrides.read({}))


def a_deployment(fingerprint="now", *, replicas=2, release="1.0", conditions=()):
    annotations = {FINGERPRINT: fingerprint, RELEASE: release}
    return {
        "metadata": {"name": "shop-blue"},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"annotations": annotations}},
        },
        "status": {"conditions": list(conditions)},
    }


def a_pod(name, fingerprint="now", *, ending=False, **status):
    metadata = {"name": name, "annotations": {FINGERPRINT: fingerprint}}
    if ending:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata, "status": {"phase": "Running", **status}}


def a_slice(*ready, waiting=(), ending=()):
    """An EndpointSlice; members that end may still be ready for those who have nobody else."""
    endpoints = [
        *(an_endpoint(name, ready=True) for name in ready),
        *(an_endpoint(name, ready=False) for name in waiting),
        *(an_endpoint(name, ready=True, terminating=True) for name in ending),
    ]
    return {"metadata": {"name": "slice"}, "endpoints": endpoints}


def an_endpoint(name, **conditions):
    return {"targetRef": {"kind": "Pod", "name": name}, "conditions": conditions}


def a_service_object(selector, **metadata):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAMES.production, "uid": "uid-1", **metadata},
        "spec": {"selector": selector},
    }


def a_backend(color, weight=None, *, service="shop", **more):
    shown = {} if weight is None else {"weight": weight}
    return {"name": f"{service}-{color}", "port": 80, **shown, **more}


def a_route_object(*backends, active="blue", generation=1, before=(), status=None):
    annotations = {} if active is None else {"bluegreen.dev/active-color": active}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": NAMES.production,
            "uid": "uid-1",
            "generation": generation,
            "annotations": annotations,
        },
        "spec": {"rules": [*before, {"backendRefs": list(backends)}]},
        "status": status or {},
    }


def selects(color):
    return {"app": "shop", COLOR_LABEL: str(color)}
