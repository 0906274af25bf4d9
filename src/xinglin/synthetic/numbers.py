"""Numbers that look like the real ones and can never be: ID numbers, institution codes, record numbers, phones."""

from __future__ import annotations

from typing import Final

import numpy as np

COUNTY: Final = 420999
OTHER_COUNTIES: Final = (420998, 429998)
ID_NUMBER: Final = "urn:oid:2.16.156.10011.1.3"
RECORD_NUMBER: Final = "urn:oid:2.16.156.10011.1.2"
PRACTITIONER_NUMBER: Final = "urn:oid:2.16.156.10011.1.4"
INSTITUTION_CODE: Final = "urn:oid:2.16.156.10011.1.5"
_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECK: Final = "10X98765432"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def check_digit(first_17: str) -> str:
    """Return the 18th character of a resident ID number.

    Source: GB 11643-1999, ISO 7064 MOD 11-2.
    >>> check_digit("11010519491231002")
    'X'
    """
    return _CHECK[sum(int(digit) * int(weight) for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def id_numbers(area: np.ndarray, birth: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """Return ID numbers (array of 18-character strings) for areas (6 digits), birth days and 3-digit sequences.

    Source: GB 11643-1999.
    """
    days = np.asarray(birth).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    ymd = year * 10000 + (months.astype(np.int64) % 12 + 1) * 100 + (days - months).astype(np.int64) + 1
    whole = (np.asarray(area, dtype=np.int64) * 10**8 + ymd) * 1000 + sequence
    digits = (whole[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    check = np.array(list(_CHECK))[(digits @ _WEIGHTS) % 11]
    return np.char.add(whole.astype("U17"), check)


def sequences(area: np.ndarray, birth: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """Return the 3-digit sequence of each person: unique per area and birth day, odd for men (1), even for women (2).

    Invariant: no two persons of one area and day share a sequence while fewer than 499 of a sex are born there that day.
    """
    order = np.lexsort((np.arange(len(birth)), sex, birth, area))
    a, b, s = area[order], birth[order], sex[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1]) | (s[1:] != s[:-1])
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    rank = np.arange(len(order)) - start
    result = np.empty(len(order), dtype=np.int64)
    result[order] = 2 * (rank % 499) + np.where(s == 1, 1, 2)
    return result


def institution_code(number: int, institution_class: str) -> str:
    """Return an invented 22-character institution code: organisation code 9, division 6, economic type 2, class 4, management 1.

    Source: WS 218-2002 (composition from memory, unverified); check character GB 11714.
    """
    body = f"{99000000 + number:08d}"
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)) % 11
    check = {10: "X", 11: "0"}.get(rest, str(rest))
    return f"{body}{check}{COUNTY}11{institution_class}1"


def phone(number: int) -> str:
    """Return an invented mobile number: 199000xxxxx for the first 100,000 residents, 1991xxxxxxx beyond."""
    return f"199000{number:05d}" if number < 100_000 else f"1991{number % 10_000_000:07d}"


def record_number(village: int, serial: int) -> str:
    """Return the 17-digit health record number: county 6, town 3, village segment 3 (101-199 village), sequence 5.

    Source: 国家基本公共卫生服务规范（第三版）, 居民健康档案编码 (from memory, unverified). The village segment is not the statistics bureau's.
    """
    return f"{village // 1000:09d}{village % 1000 - 100:03d}{serial:05d}"
