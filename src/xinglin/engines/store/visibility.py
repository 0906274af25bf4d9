"""Which rows a scope may see, as SQL on a row's patients."""

from __future__ import annotations

from xinglin.engines.security import Scope, scope_condition


def patient_seen(scope: Scope, patient_column: str) -> str:
    """Return SQL that holds where a column of source patients (rids) names one whose person the scope may see.

    A patient that belongs to no person yet is seen by who sees the unassigned.
    """
    if scope.is_house:
        return "true"
    # A scalar, so that it is answered row by row from two unique indexes: as `exists` it may become a hash of everybody in the scope.
    seen = f"select {scope_condition(scope, 'linked.person')} from person_link linked where linked.patient = {patient_column} and linked.to_seq is null"
    return f"coalesce(({seen}), {'true' if scope.sees_unassigned else 'false'})"


def row_seen(scope: Scope, alias: str) -> str:
    """Return SQL that holds for the rows of `res` or `hist` under an alias that the scope may see.

    A row about nobody is seen by all; a row that names several patients by who may see every one of them.
    """
    if scope.is_house:
        return "true"
    main = f"({alias}.pat is null or {patient_seen(scope, f'{alias}.pat')})"
    others = f"not exists (select 1 from unnest({alias}.others) as other(patient) where not {patient_seen(scope, 'other.patient')})"
    return f"({main} and ({alias}.others is null or {others}))"
