"""Metadata hook: the dependencies of the project are the names in requirements/run.in, written once."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequirementNames(MetadataHookInterface):
    """Fill `project.dependencies` from requirements/run.in."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set metadata['dependencies'] to the lines of requirements/run.in that are neither empty nor comments."""
        lines = (Path(self.root) / "requirements" / "run.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]
