"""What all settings have in common."""

from pydantic import BaseModel, ConfigDict

__all__ = ["SettingsModel"]


class SettingsModel(BaseModel):
    """Base of everything a person writes in YAML: unknown keys are refused, values never change."""

    # Without `use_attribute_docstrings`: it parses the sources at every start of a program, for a
    # page of documentation that tools/configuration_docs.py writes.
    model_config = ConfigDict(frozen=True, extra="forbid")
