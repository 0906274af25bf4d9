"""Checks of what was entered: entries worth a telephone call. A finding is something to verify, never a verdict on anybody.

Each check is one SELECT over the columns (or over the residents' telephone numbers) and says what it compares with. The limits are the
district's own.  Source: local; 国家基本公共卫生服务项目绩效评价 checks authenticity by sample and telephone without stating limits (unverified).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from xinglin.base.database import Database
from xinglin.definitions import Words
from xinglin.engines.rules.ports import Columns
from xinglin.engines.security import Scope

MOST_VISITS_A_DAY: Final = 60
SHARED_BY: Final = 5
FEWEST_READINGS: Final = 50
LEAST_ZERO_SHARE: Final = 0.5
_MOST_EVIDENCE: Final = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of finding. hint: what is compared with what."""

    code: str
    words: Words
    hint: Words


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to verify. subject: what makes it the same finding next time.  person, worker, institution: rids, where it has them.

    day: of the (latest) entry.  evidence: rids of the entries.  facts: numbers for its sentence.
    """

    check: str
    subject: str
    person: int | None
    worker: int | None
    institution: int | None
    day: date | None
    evidence: tuple[int, ...]
    facts: Mapping[str, Any]


CHECKS: Final = {
    check.code: check
    for check in (
        Check(
            "same_reading",
            Words("连续三次读数相同", "The same reading three times"),
            Words(
                "同一人连续三次随访的收缩压、舒张压完全相同",
                "Three follow-ups in a row of one person with the same systolic and diastolic pressure",
            ),
        ),
        Check(
            "many_visits",
            Words("一人一天随访过多", "Very many visits in one day"),
            Words(f"同一人员一天录入的随访超过 {MOST_VISITS_A_DAY} 次", f"More than {MOST_VISITS_A_DAY} visits of one worker on one day"),
        ),
        Check(
            "after_death",
            Words("死亡之后的随访", "A visit after death"),
            Words(
                "随访日期晚于档案登记的死亡日期；也可能是死亡日期登记有误",
                "A visit later than the recorded death; the date of death may be the mistake",
            ),
        ),
        Check(
            "during_admission",
            Words("住院期间的面对面随访", "A face-to-face visit during an admission"),
            Words("随访日期在入院之后、出院之前，方式为门诊或家庭", "A visit at home or in the clinic between admission and discharge"),
        ),
        Check(
            "digit_preference",
            Words("收缩压尾数偏好", "Digit preference"),
            Words(
                f"一人录入的收缩压不少于 {FEWEST_READINGS} 次，尾数为 0 的占 {LEAST_ZERO_SHARE:.0%} 以上（无偏好约 10%；水银血压计只读偶数约 20%）；附尾数均匀性的卡方值（自由度 9）",
                f"At least {FEWEST_READINGS} systolic readings of one worker, {LEAST_ZERO_SHARE:.0%} or more ending in 0 (about 10 % without preference, 20 % where only even numbers can be read); with chi-square of the ten digits (9 degrees of freedom)",
            ),
        ),
        Check(
            "shared_phone",
            Words("多人共用一个电话", "One telephone, many residents"),
            Words(
                f"{SHARED_BY} 位以上居民登记同一电话；同住家庭属常见，请核对",
                f"{SHARED_BY} or more residents with one telephone; often one household",
            ),
        ),
    )
}

# Pearson's statistic of the ten last digits against equal shares; with 9 degrees of freedom 27.9 is passed by chance once in a thousand.
# Source: Pearson K., Philosophical Magazine 50 (1900) 157-175.
_CHI_SQUARE: Final = (
    "10.0 / count(*) * ("
    + " + ".join(f"power(count(*) filter (where b.systolic_mmhg::bigint % 10 = {digit}), 2)" for digit in range(10))
    + ") - count(*)"
)
_VISITS: Final = "e.status = 'finished' and e.kind like 'followup-%'"
_PERSON: Final = "join person_link l on l.patient = e.patient and l.to_seq is null"
_SQL: Final = {
    "same_reading": f"""
with readings as (
    select l.person, e.practitioner as worker, e.provider as institution, e.start_date as day, b.rid, b.systolic_mmhg as s, b.diastolic_mmhg as d
    from blood_pressure b join encounter e on e.rid = b.encounter {_PERSON}
    where {_VISITS} and b.systolic_mmhg is not null and b.diastolic_mmhg is not null
), numbered as (
    select *, lag(s) over w as s1, lag(d) over w as d1, lag(rid) over w as r1, lag(day) over w as day1,
        lag(s, 2) over w as s2, lag(d, 2) over w as d2, lag(rid, 2) over w as r2, lag(day, 2) over w as day2
    from readings window w as (partition by person order by day, rid)
)
select 'person ' || person || ' ' || rid as subject, person, worker, institution, day, [r2, r1, rid] as evidence,
    to_json(struct_pack(systolic := s, diastolic := d, "first" := day2::varchar)) as facts
from numbered where s = s1 and s = s2 and d = d1 and d = d2 and day > day1 and day1 > day2""",
    "many_visits": f"""
select 'worker ' || e.practitioner || ' ' || e.start_date as subject, null::bigint as person, e.practitioner as worker, max(e.provider) as institution,
    e.start_date as day, list(e.rid order by e.rid)[:{_MOST_EVIDENCE}] as evidence, to_json(struct_pack(visits := count(*))) as facts
from encounter e where {_VISITS} and e.practitioner is not null and e.start_date is not null
group by e.practitioner, e.start_date having count(*) > {MOST_VISITS_A_DAY}""",
    "after_death": f"""
select 'visit ' || e.rid as subject, l.person, e.practitioner as worker, e.provider as institution, e.start_date as day, [e.rid] as evidence,
    to_json(struct_pack(died := d.died::varchar)) as facts
from encounter e {_PERSON} join (
    select l.person, min(p.death_date) as died from patient p join person_link l on l.patient = p.rid and l.to_seq is null
    where p.death_date is not null group by 1
) d on d.person = l.person where {_VISITS} and e.start_date > d.died""",
    "during_admission": f"""
select distinct on (e.rid) 'visit ' || e.rid as subject, l.person, e.practitioner as worker, e.provider as institution, e.start_date as day,
    [e.rid, a.rid] as evidence, to_json(struct_pack("from" := a.start_date::varchar, until := a.end_date::varchar)) as facts
from encounter e {_PERSON} join (
    select l.person, i.rid, i.start_date, i.end_date from encounter i join person_link l on l.patient = i.patient and l.to_seq is null
    where i.kind = 'inpatient' and i.start_date is not null and i.end_date is not null
) a on a.person = l.person and e.start_date > a.start_date and e.start_date < a.end_date
where {_VISITS} and e.way in ('1', '2') order by e.rid, a.rid""",
    "digit_preference": f"""
select 'worker ' || e.practitioner as subject, null::bigint as person, e.practitioner as worker, max(e.provider) as institution, max(e.start_date) as day,
    list(b.rid order by b.rid desc)[:{_MOST_EVIDENCE}] as evidence,
    to_json(struct_pack(
        readings := count(*), zeros := count(*) filter (where b.systolic_mmhg::bigint % 10 = 0), chi_square := round({_CHI_SQUARE}, 1)
    )) as facts
from blood_pressure b join encounter e on e.rid = b.encounter
where {_VISITS} and e.practitioner is not null and b.systolic_mmhg is not null and e.start_date > $as_of - interval 1 year
group by e.practitioner having count(*) >= {FEWEST_READINGS}
    and count(*) filter (where b.systolic_mmhg::bigint % 10 = 0) >= {LEAST_ZERO_SHARE} * count(*)""",
}
_SHARED: Final = f"""
select 'phone of ' || min(person) as subject, min(person) as person, array_agg(person order by person) as persons
from resident where phone <> '' and death_date is null group by phone having count(*) >= {SHARED_BY}"""


async def look(columns: Columns, database: Database, house: Scope, as_of: date) -> tuple[list[Finding], int]:
    """Return every finding in the district and the seq of the columns they were found in."""
    found: list[Finding] = []
    seq = 0
    for code, sql in _SQL.items():
        values = {"as_of": as_of} if "$as_of" in sql else {}
        table, seq = await columns.query(house, sql, values)
        found += [_finding(code, row) for row in table.to_pylist()]
    async with database.connection() as connection:
        for row in await connection.fetch(_SHARED):
            facts = {"residents": len(row["persons"]), "persons": list(row["persons"][:_MOST_EVIDENCE])}
            found.append(Finding("shared_phone", row["subject"], row["person"], None, None, None, (), facts))
    return found, seq


def _finding(code: str, row: Mapping[str, Any]) -> Finding:
    return Finding(
        check=code,
        subject=row["subject"],
        person=row["person"],
        worker=row["worker"],
        institution=row["institution"],
        day=row["day"],
        evidence=tuple(rid for rid in row["evidence"] if rid is not None),
        facts=orjson.loads(row["facts"]),
    )
