"""Names sort as they are read, and are found by their initials."""

from __future__ import annotations

from pathlib import Path

import psycopg

from xinglin.base.database import MIGRATIONS, migrate
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.text import initials, sort_key

AS_READ = ["陈静", "丁一", "何勇", "李安", "连杰", "单雄", "汪洋", "王艾", "王丽", "曾国"]


def test_names_sort_by_syllable_tone_and_character_and_a_surname_is_read_as_one() -> None:
    assert sorted(set(AS_READ), key=sort_key) == AS_READ
    assert (initials("单雄"), initials("曾国"), initials("Ａnn·李")) == ("sx", "zg", "annl")


def test_a_district_that_is_on_record_already_gets_its_sort_keys(server: EmbeddedPostgres, tmp_path: Path) -> None:
    for file in MIGRATIONS.iterdir():
        if file.is_file() and file.name < "0031":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    url = server.create_database("before_sort_keys")
    migrate(url, tmp_path)
    with psycopg.connect(url, autocommit=True) as connection:
        for person, name in enumerate(["王丽", "何勇", "丁一", "何勇"]):
            connection.execute("insert into resident (person, name, patients, fields_from) values (%s, %s, '{}', '{}')", (person, name))
        assert any(name.startswith("0031") for name in migrate(url))
        rows = connection.execute("select name from resident order by sort_key, person").fetchall()
    assert [row[0] for row in rows] == ["丁一", "何勇", "何勇", "王丽"]
    server.drop_database("before_sort_keys")
