"""Whether there is the image that something is to be started from."""

from collections.abc import Mapping
from typing import Any

from moto.ec2.models import EC2Backend

__all__ = ["image_of_template", "why_no_image"]


def why_no_image(backend: EC2Backend, image: str | None) -> str | None:
    """Why nothing can be started from it, as EC2 says it; None if it can be."""
    if not image:
        return "The request must contain the parameter ImageId."
    # A name of a parameter that has the id is not looked up.
    if image in backend.amis or image.startswith("resolve:"):
        return None
    return f"The image id '[{image}]' does not exist."


def image_of_template(backend: EC2Backend, template: Mapping[str, Any]) -> str | None:
    """The image of a launch template, as a group names it: by id or name, and version."""
    if name := template.get("LaunchTemplateId"):
        found = backend.get_launch_template(name)
    else:
        found = backend.get_launch_template_by_name(template["LaunchTemplateName"])
    version = found.get_version(template.get("Version") or "$Default")
    return str(version.image_id) if version.image_id else None
