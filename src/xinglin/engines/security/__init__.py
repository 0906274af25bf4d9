"""Who may do what, and what was done: the door of security."""

from xinglin.engines.security.algorithms import Digest, Suite, suite, suite_names
from xinglin.engines.security.areas import AreaSource
from xinglin.engines.security.audit import Audit, AuditPlace, AuditSink
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.audit_check import Anchor, ChainProblem, ChainReport
from xinglin.engines.security.audit_search import AuditFound, AuditPage, AuditQuery
from xinglin.engines.security.audit_writer import AuditOptions
from xinglin.engines.security.installation import InstallationSecrets
from xinglin.engines.security.masking import mask_id_number, mask_name, mask_phone
from xinglin.engines.security.roles import Role, RoleTable, load_roles
from xinglin.engines.security.scope import Scope, scope_areas_condition, scope_condition
from xinglin.engines.security.scopes import ActingFor, Scopes
from xinglin.engines.security.security import Security

__all__ = [
    "ActingFor",
    "Anchor",
    "AreaSource",
    "Audit",
    "AuditEntry",
    "AuditFound",
    "AuditOptions",
    "AuditPage",
    "AuditPlace",
    "AuditQuery",
    "AuditSink",
    "ChainProblem",
    "ChainReport",
    "Digest",
    "InstallationSecrets",
    "Role",
    "RoleTable",
    "Scope",
    "Scopes",
    "Security",
    "Suite",
    "load_roles",
    "mask_id_number",
    "mask_name",
    "mask_phone",
    "scope_areas_condition",
    "scope_condition",
    "suite",
    "suite_names",
]
