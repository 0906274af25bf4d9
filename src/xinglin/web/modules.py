"""What the business modules bring to pages: how a form's answers become entries. Modules are found by name, never imported by web."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from xinglin.base.errors import DefinitionError
from xinglin.definitions import Form


def recording_of(form: Form) -> ModuleType:
    """Return the `recording` of the module a form belongs to.

    It has `Setting`, `Referral` and `followup_entries(form, answers, setting, is_complete=, referral=)`.
    Raises: DefinitionError for a form that no module brings.
    """
    return part_of_module(f"{_module_of(form)}.recording")


def correcting_of(form: Form) -> ModuleType:
    """Return the `correcting` of the module a form belongs to.

    It has `Change`, `Corrected`, `correction_entries(saved, corrected, change, new_id)`, `withdrawal_entries(saved, change)` and
    `restoring_entries(pairs)`.  Raises: DefinitionError for a form that no module brings.
    """
    return part_of_module(f"{_module_of(form)}.correcting")


def _module_of(form: Form) -> str:
    parts = form.place.path.split("/")
    if "modules" not in parts:
        raise DefinitionError("表单不在任何模块中", "the form belongs to no module", where=str(form.place))
    return parts[parts.index("modules") + 1]


def part_of_module(name: str) -> ModuleType:
    """Return a part of a module by its name below `xinglin.modules`, such as `plan.living`."""
    return import_module(f"xinglin.modules.{name}")
