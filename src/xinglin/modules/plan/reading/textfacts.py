"""Facts of the past that running text states (2020年……达到83.1岁), for comparing with the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from xinglin.modules.plan.reading.model import TextFact
from xinglin.modules.plan.reading.naming import RATES, rate_name
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.phrases import RATE_WORD
from xinglin.modules.plan.reading.sentences import Aim, Place, is_past_section, line_of, told_in, year_before

_FACT_UNITS: Final = RATES | {"岁", "张", "人", "名", "天"}


def text_facts(paragraphs: Sequence[Paragraph], aim: Aim) -> list[TextFact]:
    """Return the rates of the past that the text states with a name; of 由75.9提高到77.4 the value reached."""
    facts: list[TextFact] = []
    for paragraph in paragraphs:
        for told in told_in(paragraph, aim):
            if told.is_fact or is_past_section(paragraph):
                facts.extend(_facts_of(told.place))
    return facts


def _facts_of(place: Place) -> Iterator[TextFact]:
    from_name = ""
    for index, mention in enumerate(place.mentions):
        if mention.kind != "value" or mention.unit not in _FACT_UNITS:
            continue
        name = re.split(r"[从由](?!业|事)", rate_name(place, index, ""))[0]
        if re.search(r"[从由](?:20\d\d年)?[^，。；\d]{0,10}$", place.sentence[max(0, mention.lead_start - 24) : mention.lead_start]):
            from_name = name
            continue
        reached = re.search(r"(?:到|至|为)(?:20\d\d年的?)?$", place.sentence[max(0, mention.start - 16) : mention.start])
        name = from_name if from_name and reached else name
        from_name = ""
        name = re.sub(r"^(?:20\d\d年)?(?:全[区市县]|我[区市县])?", "", name)
        if RATE_WORD.search(name):
            yield TextFact(name, mention.value, mention.unit, year_before(place.sentence, mention.start), line_of(place, mention.start))
