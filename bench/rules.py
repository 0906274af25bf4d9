"""How fast definitions are: loading, compiling, everyone at once (SQL), one person (closures), against the plain reference.

`python -m bench.rules [--people N]` prints a JSON object. People are made (tests/generative/made_people.py) and multiplied; times are
seconds of a monotonic clock, milliseconds where the key says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import duckdb
from tests.generative.made_people import TODAY, connect, make_people

from xinglin.definitions import LAKE, Definition, Question, definition_folders, load, reference
from xinglin.engines.rules import Closures, Frame, compile_sql, explain

MADE = 1_000
_STEP = 10_000_000


def district(people: int) -> tuple[duckdb.DuckDBPyConnection, dict[int, Any]]:
    """Return the lake tables of about `people` people and the rows of the first thousand."""
    made = make_people(1, MADE)
    duck = connect(made)
    copies = max(1, people // MADE)
    for table in (*LAKE, "person_link", "person_scope"):
        told = LAKE.get(table)
        shifted = {"person", "patient", "rid"} if told is None else {name for name, column in told.columns.items() if column.kind == "ref"}
        names = [row[0] for row in duck.sql(f'describe "{table}"').fetchall()]
        columns = ", ".join(f'"{name}" + n * {_STEP} as "{name}"' if name in shifted else f'"{name}"' for name in names)
        duck.execute(f'create or replace table "{table}" as select {columns} from "{table}", range({copies}) as copies(n)')
    return duck, made


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def measure(people: int) -> dict[str, Any]:
    """Return every figure for a district of about `people` people."""
    load_s, catalogue = _timed(lambda: load(definition_folders()))
    shipped: list[Definition] = list(catalogue.edition(TODAY).of_kind("measure", "programme", "worklist"))
    compile_s, texts = _timed(lambda: {item.id: compile_sql(item.outputs) for item in shipped})
    duck, made = district(people)
    sql_s: dict[str, float] = {}
    for item in shipped:
        seconds, table = _timed(lambda item=item: duck.sql(texts[item.id], params={"as_of": TODAY}).to_arrow_table())
        assert table.num_rows == people // MADE * MADE or people < MADE
        sql_s[item.id] = round(seconds, 3)
    closures = Closures()
    programmes = [item for item in shipped if item.kind != "measure"]
    one_person = []
    for rows in made.values():
        frame = Frame(Question(rows, TODAY))
        seconds, _ = _timed(lambda frame=frame: [closures.evaluate(item.outputs, frame) for item in programmes])
        one_person.append(seconds * 1000)
    some = list(made.values())[:50]
    told_s, _ = _timed(lambda: [explain(shipped[0], Question(rows, TODAY), closures) for rows in some])
    plain_s, _ = _timed(
        lambda: [[reference(node, Question(rows, TODAY)) for item in shipped for node in item.outputs.values()] for rows in some]
    )
    return {
        "people": people // MADE * MADE,
        "definitions": len(shipped),
        "load_s": round(load_s, 3),
        "compile_all_s": round(compile_s, 3),
        "sql_all_s": round(sum(sql_s.values()), 3),
        "sql_slowest": max(sql_s, key=lambda name: sql_s[name]),
        "sql_slowest_s": max(sql_s.values()),
        "sql_median_s": statistics.median(sql_s.values()),
        "one_person_programmes_ms_p50": round(statistics.median(one_person), 3),
        "one_person_programmes_ms_p95": round(statistics.quantiles(one_person, n=20)[-1], 3),
        "explain_ms": round(told_s / len(some) * 1000, 3),
        "reference_all_ms": round(plain_s / len(some) * 1000, 3),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    print(json.dumps(measure(parser.parse_args().people), ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
