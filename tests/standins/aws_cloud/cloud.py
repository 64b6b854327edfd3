"""An AWS account on this machine: an API that does not lie, instances that run, real traffic."""

import contextlib
import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.autoscaling.models import autoscaling_backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.standins.aws_cloud.account import Account
from tests.standins.aws_cloud.calls import Call
from tests.standins.aws_cloud.clockwork import Clockwork
from tests.standins.aws_cloud.faults import Fault
from tests.standins.aws_cloud.follower import Follower
from tests.standins.aws_cloud.front import Front
from tests.standins.aws_cloud.groups import tick_all
from tests.standins.aws_cloud.health_board import HealthBoard
from tests.standins.aws_cloud.instances import Instances
from tests.standins.aws_cloud.pace import Pace
from tests.standins.aws_cloud.patch_list import PATCHES
from tests.standins.aws_cloud.patching import applied
from tests.standins.aws_cloud.proxy import Proxy
from tests.standins.aws_cloud.routing import Routing, routing_of
from tests.standins.aws_cloud.server import Server
from tests.standins.aws_cloud.world import World
from tests.standins.haproxy_process import haproxy_binary

__all__ = ["Cloud"]

_MOVE_TRAFFIC = frozenset({"elasticloadbalancing", "autoscaling", "ec2"})


class Cloud:
    """One at a time in a process: moto keeps its accounts, and is patched, for all of it.

    Everything ends with it, and with the process that made it, however that ends.
    """

    region = "us-east-1"
    account_id = DEFAULT_ACCOUNT_ID

    def __init__(
        self, *, pace: float = 0.1, boot_seconds: float = 0.1, stop_seconds: float = 5.0
    ) -> None:
        """Takes how fast it is; starts nothing.

        Args:
            pace: Real seconds that one second of AWS takes here: intervals of health checks,
                deregistration delays, grace periods. A time limit of a check is a second at least.
            boot_seconds: Real seconds until an instance runs.
            stop_seconds: Real seconds from SIGTERM to SIGKILL for one that is ended.
        """
        # Not pytest's own directory: a socket's path may have 107 bytes only.
        self.folder = Path(tempfile.mkdtemp(prefix="bg-aws-"))
        self._lock = threading.RLock()
        self._pace = Pace(pace)
        self._instances = Instances(
            self.folder, self._pace, boot_seconds=boot_seconds, stop_seconds=stop_seconds
        )
        self._health = HealthBoard(self._pace, self._instances.host_of)
        self._world = World(self._pace, self._health)
        self._proxy = _proxy(self.folder)
        self._follower = Follower(self._proxy, self._read_routing)
        self._followed_changes = 0
        self._clockwork = Clockwork(self._step)
        moto = DomainDispatcherApplication(create_backend_app)
        self._front = Front(moto, self._lock, self.account_id, self._has_changed)
        self._server = Server(self._front)
        self._clients: dict[str, Any] = {}
        self._account = Account(self.client, self.region)
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Starts all of it."""
        with contextlib.ExitStack() as ends:
            ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
            ends.enter_context(applied(PATCHES, self._world))
            ends.callback(_forget_accounts)
            _forget_accounts()
            for part in (self._health, self._instances, self._follower, self._clockwork):
                ends.callback(part.close)
                if not isinstance(part, HealthBoard):
                    part.open()
            self._server.start()
            ends.callback(self._server.stop)
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends all of it."""
        for client in self._clients.values():
            client.close()
        self._ends.close()

    @property
    def endpoint(self) -> str:
        """For `AWS_ENDPOINT_URL`."""
        return self._server.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """For programs that are to take this for AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }

    def client(self, service: str) -> Any:
        """A boto3 client that repeats nothing; the same one for the same service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=self.region,
                endpoint_url=self.endpoint,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                # What fails is to be seen at once.
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def reset(self) -> None:
        """An empty account: no instance runs, no listener is served, nothing fails or lags.

        Raises whatever went wrong behind the API since the last time.
        """
        self._clockwork.check()
        with self._lock:
            _forget_accounts()
            self._instances.forget()
            self._health.forget()
            self._front.faults.clear()
            self._front.staleness.clear()
            self._account = Account(self.client, self.region)
        self._follower.lag_seconds = 0.0
        self._follower.follow()
        self._front.calls.clear()

    def vpc(self) -> str:
        """Id of a network."""
        return self._account.vpc

    def subnets(self) -> list[str]:
        """Ids of its two subnets, in two availability zones."""
        return self._account.subnets

    def security_group(self) -> str:
        """Id of a security group."""
        return self._account.security_group

    def load_balancer(self) -> str:
        """ARN of an application load balancer that is active."""
        return self._account.load_balancer

    def certificate(self) -> str:
        """ARN of a certificate that is issued."""
        return self._account.certificate

    def image(self) -> str:
        """Id of a machine image."""
        return self._account.image

    def port_of(self, listener_arn: str) -> int:
        """Where on 127.0.0.1 the traffic of a listener is served, in plain HTTP also for HTTPS."""
        return self._proxy.port_of(listener_arn)

    def port_for(self, port: int) -> int:
        """The same for a port of the account's load balancer, before a listener has it, too."""
        return self._proxy.port_for(self.load_balancer(), port)

    @property
    def reloads(self) -> int:
        """How often the proxy was reloaded; weights and targets need none."""
        return self._proxy.reloads

    @property
    def calls(self) -> list[Call]:
        """What was asked of the API since the start or the last `reset`, in order."""
        return list(self._front.calls)

    def throttle(self, action: str, times: int, code: str = "Throttling") -> None:
        """Refuses the next calls of an action, as AWS does when there are too many."""
        status = 503 if code == "RequestLimitExceeded" else 400
        self._front.faults.add(Fault(action, times, code, "Rate exceeded", status))

    def fail(
        self, action: str, times: int, *, status: int = 500, is_done_first: bool = False
    ) -> None:
        """Answers the next calls of an action with a 5xx.

        Args:
            action: As in the API: `ModifyListener`.
            times: So many calls.
            status: 500 or 503.
            is_done_first: Whether what was asked for is done all the same.
        """
        code = "ServiceUnavailable" if status == 503 else "InternalFailure"
        message = "An internal failure has occurred"
        self._front.faults.add(Fault(action, times, code, message, status, is_done_first))

    def heal(self) -> None:
        """From the next call on nothing fails any more because of `throttle` or `fail`."""
        self._front.faults.clear()

    def lag(self, service: str, *, calls: int = 0, seconds: float = 0.0) -> None:
        """Lets reads of a service be late after each write: eventual consistency.

        Args:
            service: By its name in requests: `elasticloadbalancing`, `autoscaling`, `ec2`, `ssm`.
            calls: So many reads after a write see what was before it.
            seconds: Or all reads within so many real seconds.
        """
        self._front.staleness.add(service, calls, seconds)

    def lag_traffic(self, seconds: float) -> None:
        """Lets traffic follow the API so many real seconds later; 0: before the API answers."""
        self._follower.lag_seconds = seconds

    def address_of(self, instance_id: str) -> str:
        """The loopback address of an instance; raises `KeyError` for one that never ran."""
        host = self._instances.host_of(instance_id)
        if host is None:
            raise KeyError(instance_id)
        return host

    def output_of(self, instance_id: str) -> str:
        """What an instance has printed so far."""
        return self._instances.output_of(instance_id)

    def signal(self, instance_id: str, number: int) -> None:
        """Sends a signal to what an instance runs; the API hears nothing of it."""
        self._instances.signal(instance_id, number)

    def _has_changed(self, service: str) -> None:
        if service in _MOVE_TRAFFIC:
            self._follower.follow()

    def _step(self) -> None:
        with self._lock:
            for region in list(ec2_backends[self.account_id].values()):
                self._instances.tick(region)
            for groups in list(autoscaling_backends[self.account_id].values()):
                tick_all(groups, self._world)
            for balancers in list(elbv2_backends[self.account_id].values()):
                self._health.tick(balancers)
            is_late = self._health.changes != self._followed_changes
        if is_late:
            self._follower.follow()

    def _read_routing(self) -> Routing:
        with self._lock:
            self._followed_changes = self._health.changes
            backends = list(elbv2_backends[self.account_id].values())
            return routing_of(backends, self._health)


def _forget_accounts() -> None:
    BackendDict.reset()
    reset_model_data()


def _proxy(folder: Path) -> Proxy:
    binary = haproxy_binary()
    if binary is None:
        msg = "there is no haproxy on this machine (Debian: apt-get install haproxy)"
        raise FileNotFoundError(msg)
    return Proxy(binary, folder)
