"""The whole of a stack's config: read, checked, and every problem told at once."""

import contextlib
import difflib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.errors import ConfigError
from bluegreen.settings.approval import ApprovalSettings
from bluegreen.settings.aws_fit import aws_contradictions
from bluegreen.settings.base import SettingsModel
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.kubernetes import RouterMechanism
from bluegreen.settings.onprem import MOST_SLOTS
from bluegreen.settings.problems import problem_lines
from bluegreen.settings.roles import CanarySettings, RetiredSettings
from bluegreen.settings.service import Platform, ServiceSettings
from bluegreen.stack_config import is_secret, written_keys

__all__ = ["ConfigSource", "ServiceConfig", "misspelt_keys"]

_CLOSE = 0.8
"""At 0.75 a key of the user's own called `server` would count as a misspelt `service`."""


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class ConfigSource(Protocol):
    """Where config comes from; `pulumi.Config` is one."""

    @property
    def name(self) -> str:
        """The namespace of the keys, for messages: the project's name."""

    def get(self, key: str) -> str | None:
        """The text of one key; structured values as JSON."""


class ServiceConfig(SettingsModel):
    """One service: what a person writes into the stack config."""

    # Below `env` there may be passwords, and a traceback would show what was written there.
    model_config = ConfigDict(hide_input_in_errors=True)

    active_color: Color
    """The color that is to have production traffic. Changing it is the switch."""

    service: ServiceSettings
    """What is the same for both colors."""

    blue: ColorSettings | None = None
    """The blue color; may be absent until something is deployed there."""

    green: ColorSettings | None = None
    """The green color; may be absent until something is deployed there."""

    canary: CanarySettings | None = None
    """A share of production traffic for the idle color."""

    retired: RetiredSettings | None = None
    """An idle color that is to shrink."""

    approval: ApprovalSettings | None = None
    """Who has approved which color and release, for `service.gates.approve`; `bluegreen approve`
    writes it."""

    def color(self, color: Color) -> ColorSettings | None:
        """What is said about one color; None where nothing has been deployed yet."""
        return self.blue if color is Color.BLUE else self.green

    @classmethod
    def load(cls, source: ConfigSource) -> "ServiceConfig":
        """Reads the config of a stack.

        Raises:
            ConfigError: One line per problem, by the key that was written, with the command
                that fixes it. Nothing has been changed then.
        """
        written = _read(source)
        try:
            config = cls.model_validate(written)
        except ValidationError as error:
            problems = _all_problems(source.name, cls, written, error)
            # Alone: a traceback would go on with what pydantic says, which quotes secrets.
            raise ConfigError(problems) from None
        problems = _contradictions(source.name, dict(config))
        if problems:
            raise ConfigError(problems)
        return config


def misspelt_keys(namespace: str, keys: Iterable[str]) -> list[str]:
    """What to say about keys that are nearly ours; others belong to the rest of the program."""
    return [
        f"{namespace}:{key}: is not read, did you mean {meant}?; rename it in the stack's config "
        "file if you did"
        for key in keys
        if (meant := _meant(key)) is not None
    ]


def _meant(key: str) -> str | None:
    known = [str(each) for each in ConfigKey]
    if key in known:
        return None
    # Letters in another order count for little in a ratio: bleu.
    turned = [each for each in known if sorted(each) == sorted(key)]
    close = turned or difflib.get_close_matches(key, known, n=1, cutoff=_CLOSE)
    return close[0] if close else None


def _all_problems(
    namespace: str, model: type[ServiceConfig], written: Mapping[str, Any], error: ValidationError
) -> list[str]:
    """What is wrong with single values, and what the legal ones contradict each other in."""
    secrets = [key for key in ConfigKey if is_secret(namespace, key)]
    return [
        *problem_lines(namespace, model, error, secrets),
        *_contradictions(namespace, _legal_parts(model, written)),
        *misspelt_keys(namespace, written_keys(namespace)),
    ]


def _legal_parts(model: type[ServiceConfig], written: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that are legal by themselves; None where nothing was written."""
    parts: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        with contextlib.suppress(ValidationError):
            value = written.get(key)
            annotation: Any = field.annotation
            parts[key] = None if value is None else TypeAdapter(annotation).validate_python(value)
    return parts


def _read(source: ConfigSource) -> dict[str, Any]:
    texts = {key: text for key in ConfigKey if (text := source.get(key)) is not None}
    return {
        key: text if key is ConfigKey.ACTIVE_COLOR else _structure(text)
        for key, text in texts.items()
    }


def _structure(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Not only what is no JSON: a number of 5000 digits and 100,000 brackets are none either.
        # Plain text where a mapping is wanted: validation says so, together with all the rest.
        return text


def _contradictions(namespace: str, parts: Mapping[str, Any]) -> list[str]:
    """What no single value gets wrong, but the values together do."""
    found = [
        *_absent_active_color(parts),
        *_absent_canary(parts),
        *_canary_of_a_selector(parts),
        *(line for color in Color for line in _color_without_room(parts, color)),
        *(line for color in Color for line in _color_without_command(parts, color)),
        *(line for color in Color for line in _color_without_image(parts, color)),
        *(line for color in Color for line in _color_without_a_tag(parts, color)),
        *(line for color in Color for line in _color_of_another_platform(parts, color)),
        *_variables_that_would_be_left_out(parts),
        *_misfits_on_aws(parts),
        *_authorization_that_would_get_lost(parts),
    ]
    return [f"{namespace}:{what}; nothing was changed; {fix}" for what, fix in found]


_Contradictions = Iterator[tuple[str, str]]
"""What is wrong, and what puts it right."""


def _is_absent(parts: Mapping[str, Any], color: Color) -> bool:
    """Not written, as opposed to written wrongly."""
    return color in parts and parts[color] is None


def _absent_active_color(parts: Mapping[str, Any]) -> _Contradictions:
    active = parts.get(ConfigKey.ACTIVE_COLOR)
    if active is not None and _is_absent(parts, active):
        yield (
            f"{active}: is missing, but active_color is {active}",
            f"say what runs there with `pulumi config set --path {active}.release VERSION "
            "--type string`",
        )


def _absent_canary(parts: Mapping[str, Any]) -> _Contradictions:
    canary: CanarySettings | None = parts.get(ConfigKey.CANARY)
    if canary is not None and canary.percent > 0 and _is_absent(parts, canary.color):
        yield (
            f"canary.color: {canary.color} has no release yet, so it cannot get "
            f"{canary.percent} % of the traffic",
            "`pulumi config set --path canary.percent 0`",
        )


def _canary_of_a_selector(parts: Mapping[str, Any]) -> _Contradictions:
    canary: CanarySettings | None = parts.get(ConfigKey.CANARY)
    service = _service_on(parts, Platform.KUBERNETES)
    if canary is None or service is None or canary.percent == 0:
        return
    if service.kubernetes.router is RouterMechanism.SERVICE:
        yield (
            f"canary.percent: {canary.percent} % cannot be sent by a Service, whose selector is "
            "all or nothing",
            "`pulumi config set --path canary.percent 0`, or use the router http_route",
        )


def _color_on(
    parts: Mapping[str, Any], color: Color, platform: Platform
) -> tuple[ColorSettings, ServiceSettings] | None:
    settings: ColorSettings | None = parts.get(color)
    service = _service_on(parts, platform)
    return None if settings is None or service is None else (settings, service)


def _service_on(parts: Mapping[str, Any], platform: Platform) -> ServiceSettings | None:
    service: ServiceSettings | None = parts.get(ConfigKey.SERVICE)
    return service if service is not None and service.platform is platform else None


def _color_without_room(parts: Mapping[str, Any], color: Color) -> _Contradictions:
    found = _color_on(parts, color, Platform.ONPREM)
    if found is None or found[0].replicas <= found[1].onprem.slots:
        return
    settings, service = found
    way = (
        f"`pulumi config set --path service.onprem.slots {settings.replicas}`"
        if settings.replicas <= MOST_SLOTS
        else f"`pulumi config set --path {color}.replicas {service.onprem.slots}`"
    )
    yield (
        f"{color}.replicas: {settings.replicas} members do not fit into "
        f"{service.onprem.slots} slots",
        way,
    )


def _color_without_command(parts: Mapping[str, Any], color: Color) -> _Contradictions:
    found = _color_on(parts, color, Platform.ONPREM)
    if found is not None and found[0].command is None and found[1].onprem.command is None:
        yield (
            f"{color}.command: is missing, and so is service.onprem.command",
            "`pulumi config set --path service.onprem.command 'PROGRAM --port {port}'`",
        )


def _color_without_image(parts: Mapping[str, Any], color: Color) -> _Contradictions:
    found = _color_on(parts, color, Platform.KUBERNETES)
    if found is not None and found[0].image is None and found[1].kubernetes.image is None:
        yield (
            f"{color}.image: is missing, and so is service.kubernetes.image",
            "`pulumi config set --path service.kubernetes.image 'REGISTRY/NAME:{release}'`",
        )


def _color_without_a_tag(parts: Mapping[str, Any], color: Color) -> _Contradictions:
    found = _color_on(parts, color, Platform.KUBERNETES)
    if found is None:
        return
    image = found[0].image or found[1].kubernetes.image or ""
    if "{release}" in image and "+" in found[0].release:
        yield (
            f"{color}.release: {found[0].release} cannot be a tag of the image {image}: a tag has "
            "no +",
            f"`pulumi config set --path {color}.image IMAGE` names the image of this release",
        )


_NOT_READ = {
    Platform.ONPREM: ("image", "secrets"),
    Platform.KUBERNETES: ("command",),
    Platform.AWS: ("command", "secrets"),
}
"""What a platform would leave aside without a word."""


def _color_of_another_platform(parts: Mapping[str, Any], color: Color) -> _Contradictions:
    settings: ColorSettings | None = parts.get(color)
    service: ServiceSettings | None = parts.get(ConfigKey.SERVICE)
    if settings is None or service is None:
        return
    for key in _NOT_READ[service.platform]:
        if key in settings.model_fields_set:
            yield (
                f"{color}.{key}: is not read on the platform {service.platform}",
                f"`pulumi config rm --path {color}.{key}`",
            )


def _variables_that_would_be_left_out(parts: Mapping[str, Any]) -> _Contradictions:
    """Kubernetes leaves a variable out whose name it does not like, and starts the member."""
    service = _service_on(parts, Platform.KUBERNETES)
    if service is None:
        return
    colors = {str(color): settings for color in Color if (settings := parts.get(color))}
    for place, settings in {"service.kubernetes": service.kubernetes, **colors}.items():
        for key, variables in (("env", settings.env), ("secrets", settings.secrets)):
            for name in variables:
                if not _VARIABLE.fullmatch(name):
                    path = f"{place}.{key}[{json.dumps(name)}]"
                    yield (
                        f"{path}: is not a name of a variable on Kubernetes ({_VARIABLE.pattern})",
                        f"`pulumi config rm --path {shlex.quote(path)}`",
                    )


def _misfits_on_aws(parts: Mapping[str, Any]) -> _Contradictions:
    service = _service_on(parts, Platform.AWS)
    if service is not None:
        yield from aws_contradictions(service, {color: parts.get(color) for color in Color})


def _authorization_that_would_get_lost(parts: Mapping[str, Any]) -> _Contradictions:
    """The API server takes the header `Authorization` for its own."""
    service = _service_on(parts, Platform.KUBERNETES)
    if service is None or service.kubernetes.color_url is not None:
        return
    for name, suite in service.gates.suite.items():
        for index, step in enumerate(suite.steps):
            if any(header.lower() == "authorization" for header in step.headers):
                yield (
                    f"service.gates.suite.{name}.steps[{index}].headers: Authorization does not "
                    "get through the API server's proxy, which gates ask without "
                    "service.kubernetes.color_url",
                    "`pulumi config set --path service.kubernetes.color_url "
                    "'https://{color}.HOST'`",
                )
