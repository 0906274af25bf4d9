"""The example of correspondences in the how-to page can be sent in as it stands, and says the same as the page."""

from __future__ import annotations

import re
from pathlib import Path

from xinglin.engines.terminology import USABLE, read_mapping_csv
from xinglin.web.pages.exchange_codes import DIAGNOSES

HOW_TO = Path(__file__).parents[4] / "docs" / "how-to"


def test_the_example_can_be_sent_in_and_counts() -> None:
    maps = read_mapping_csv((HOW_TO / "snomed-diagnoses-example.csv").read_bytes())
    assert {one.target_system for one in maps} == {DIAGNOSES} and {one.source_system for one in maps} == {"http://snomed.info/sct"}
    assert len({one.source_code for one in maps}) == len(maps) >= 12
    assert all(one.equivalence in USABLE and "unverified" in one.source for one in maps)


def test_the_page_shows_the_file_line_by_line() -> None:
    page = (HOW_TO / "codes-and-divisions.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\d+) \| [^|]+ \| (\S+) \| (\w+) \|$", page, re.MULTILINE)
    maps = read_mapping_csv((HOW_TO / "snomed-diagnoses-example.csv").read_bytes())
    assert shown == [(one.source_code, one.target_code, one.equivalence) for one in maps]
