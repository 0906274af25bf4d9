"""What the environment says, and what it may not say."""

from __future__ import annotations

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.base.settings import read_settings


@pytest.mark.parametrize(
    "text",
    [
        "mysql://db.example/xinglin",
        "db.example:5432",
        "host=db.example dbname=xinglin",
        "postgresql://me:a/b@db.example/x",
        "postgresql://db.example:port/x",
    ],
)
def test_an_address_of_another_form_is_answered_with_the_right_one(text: str) -> None:
    with pytest.raises(IncorrectError) as refused:
        read_settings({"XINGLIN_DATABASE_URL": text})
    assert refused.value.where == "XINGLIN_DATABASE_URL"
    assert "postgresql://" in refused.value.zh
    assert text not in refused.value.zh, "it may hold a password"


def test_the_address_of_a_server_is_taken_and_none_means_the_embedded_one() -> None:
    address = "postgresql://xinglin:secret@db.example:5432/xinglin"
    assert read_settings({"XINGLIN_DATABASE_URL": address}).database_url == address
    two = "postgresql://xinglin@one.example:5432,two.example:5433/xinglin"
    assert read_settings({"XINGLIN_DATABASE_URL": two}).database_url == two
    assert read_settings({}).database_url is None
