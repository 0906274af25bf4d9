"""What a name that is not quite one of ours is answered with."""

from __future__ import annotations

import pytest

from xinglin.base.errors import NotFoundError
from xinglin.definitions import shipped_catalogue


@pytest.mark.parametrize(
    ("typed", "said", "unsaid"), [("血压控制", "管理人群血压控制率", "self-care"), ("no such thing", "self-care-class", "#")]
)
def test_a_name_in_part_is_answered_with_those_that_hold_it(typed: str, said: str, unsaid: str) -> None:
    catalogue = shipped_catalogue()
    with pytest.raises(NotFoundError) as refused:
        catalogue.edition(catalogue.changes()[-1]).get(typed)
    assert said in refused.value.zh
    assert unsaid not in refused.value.zh
