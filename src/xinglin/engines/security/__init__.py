"""Who may do what, and what was done: the door of security."""

from xinglin.engines.security.accounts import AccountCard, FirstPassword, Membership, NewAccount, NewMembership
from xinglin.engines.security.algorithms import Digest, Suite, suite, suite_names
from xinglin.engines.security.areas import AreaSource
from xinglin.engines.security.audit import Audit, AuditPlace, AuditSink, AuditWitness
from xinglin.engines.security.audit_anchor import Anchor, ChainProblem
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.audit_check import ChainReport
from xinglin.engines.security.audit_search import AuditFound, AuditPage, AuditQuery
from xinglin.engines.security.audit_writer import AuditOptions
from xinglin.engines.security.deed import Deed, deed
from xinglin.engines.security.ground import SecurityGround, SignInRules
from xinglin.engines.security.installation import InstallationSecrets
from xinglin.engines.security.masking import mask_id_number, mask_name, mask_phone
from xinglin.engines.security.passwords import HashCost, PasswordPolicy
from xinglin.engines.security.role_page import role_page
from xinglin.engines.security.roles import Named, Role, RoleTable, load_roles
from xinglin.engines.security.scope import Scope, scope_areas_condition, scope_condition
from xinglin.engines.security.scopes import ActingFor, Scopes
from xinglin.engines.security.second_factor import Enrolment
from xinglin.engines.security.security import Security
from xinglin.engines.security.session_rows import Session
from xinglin.engines.security.sessions import OpenSession
from xinglin.engines.security.setup import DemoAccount, SetupCode

__all__ = [
    "AccountCard",
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
    "AuditWitness",
    "ChainProblem",
    "ChainReport",
    "Deed",
    "DemoAccount",
    "Digest",
    "Enrolment",
    "FirstPassword",
    "HashCost",
    "InstallationSecrets",
    "Membership",
    "Named",
    "NewAccount",
    "NewMembership",
    "OpenSession",
    "PasswordPolicy",
    "Role",
    "RoleTable",
    "Scope",
    "Scopes",
    "Security",
    "SecurityGround",
    "Session",
    "SetupCode",
    "SignInRules",
    "Suite",
    "deed",
    "load_roles",
    "mask_id_number",
    "mask_name",
    "mask_phone",
    "role_page",
    "scope_areas_condition",
    "scope_condition",
    "suite",
    "suite_names",
]
