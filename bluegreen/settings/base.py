"""What all settings have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

__all__ = ["MisfitError", "SettingsModel"]


class MisfitError(ValueError):
    """Values that are legal one by one and do not fit together, with the one to change."""

    def __init__(self, text: str, *place: int | str, value: str | None = "VALUE") -> None:
        """Says what does not fit.

        Args:
            text: What is wrong, without what to do.
            place: The value to change, below the model that found it.
            value: What it could be; None to take it out.
        """
        super().__init__(text)
        self.place = place
        self.value = value


class SettingsModel(BaseModel):
    """Base of everything a person writes in YAML: unknown keys are refused, values never change."""

    # Without `use_attribute_docstrings`: it parses the sources at every start of a program, for a
    # page of documentation that tools/configuration_docs.py writes.
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        """Refuses `replicas: true`, which would count as 1."""
        if isinstance(value, bool) and info.field_name is not None:
            annotation = cls.model_fields[info.field_name].annotation
            if annotation in (int, float):
                raise PydanticKnownError("int_type" if annotation is int else "float_type")
        return value
