"""One invented table, printed in every manner documents use, is read alike from each."""

from __future__ import annotations

import io
from dataclasses import dataclass
from xml.sax.saxutils import escape

import docx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.plan import paper
from xinglin.modules.plan.reading import Reading, read_document

TITLE = "青原县“十四五”卫生健康发展规划"
NAMES = [
    ("人均预期寿命", "岁"),
    ("婴儿死亡率", "‰"),
    ("5岁以下儿童死亡率", "‰"),
    ("孕产妇死亡率", "/10万"),
    ("30-70岁人群因心脑血管疾病、癌症、慢性呼吸系统疾病和糖尿病导致的过早死亡率", "%"),
    ("居民健康素养水平", "%"),
    ("15岁以上人群吸烟率", "%"),
    ("每千人口执业（助理）医师数", "人"),
    ("每千人口注册护士数", "人"),
    ("每千人口拥有3岁以下婴幼儿托位数", "个"),
    ("每万人口全科医生数", "人"),
    ("65岁及以上老年人健康管理率", "%"),
    ("个人卫生支出占卫生总费用的比重", "%"),
    ("二级以上综合医院设置老年医学科的比例", "%"),
    ("重点人群全科（家庭）医生签约率", "%"),
    ("以乡镇为单位适龄儿童免疫规划疫苗接种率", "%"),
]
CATEGORIES = ["健康水平", "健康生活", "健康服务", "资源配置", "医疗服务"]
SIGNS = {"≥": ">=", "≤": "<=", "<": "<", ">": ">"}


@dataclass(frozen=True)
class Shape:
    """Which columns the printed table has beside name, base and target."""

    category: bool
    serial: bool
    unit: bool
    city: bool
    owners: bool
    pace: bool

    @property
    def head(self) -> list[str]:
        return [
            *(["类别"] if self.category else []),
            *(["序号"] if self.serial else []),
            "指标名称",
            *(["单位"] if self.unit else []),
            "2020年",
            "2025年目标",
            *(["2025年全市目标"] if self.city else []),
            *(["年均增速（%）"] if self.pace else []),
            "属性",
            *(["责任单位"] if self.owners else []),
        ]

    def cells(self, rows: list[Row]) -> list[list[str]]:
        body: list[list[str]] = []
        for number, row in enumerate(rows, 1):
            first = number == 1 or rows[number - 2].category != row.category
            body.append(
                [
                    *([row.category if first else ""] if self.category else []),
                    *([str(number)] if self.serial else []),
                    *([row.name, row.unit] if self.unit else [f"{row.name}（{row.unit}）"]),
                    row.base,
                    row.target,
                    *([row.city] if self.city else []),
                    *(["1.5" if number % 2 else "—"] if self.pace else []),
                    row.kind,
                    *(["县卫生健康局"] if self.owners else []),
                ]
            )
        return body


@dataclass(frozen=True)
class Row:
    """A row as printed and as it must be read."""

    category: str
    name: str
    unit: str
    base: str
    target: str
    city: str
    kind: str

    def expected(self, shape: Shape) -> tuple[object, ...]:
        base = None if self.base == "——" else float(self.base)
        sign = self.target[0] if self.target[0] in SIGNS else ""
        kind = {"预期性": "expected", "约束性": "binding"}[self.kind]
        others = (float(self.city),) if shape.city else ()
        owners = ("县卫生健康局",) if shape.owners else ()
        category = self.category if shape.category else None
        return (category, self.name, self.unit, base, float(self.target.removeprefix(sign)), kind, others, owners, SIGNS.get(sign))


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    chosen = draw(st.lists(st.sampled_from(NAMES), min_size=3, max_size=9, unique=True))
    cuts = draw(st.integers(1, len(chosen) - 1))
    categories = draw(st.lists(st.sampled_from(CATEGORIES), min_size=2, max_size=2, unique=True))
    number = st.one_of(st.integers(0, 99).map(str), st.decimals(0, 99, places=2).map(str))
    rows: list[Row] = []
    for index, (name, unit) in enumerate(chosen):
        base = draw(st.one_of(number, st.just("——")))
        target = draw(st.sampled_from(["", "≥", "≤", "<", ">"])) + draw(number)
        rows.append(Row(categories[index >= cuts], name, unit, base, target, draw(number), draw(st.sampled_from(["预期性", "约束性"]))))
    return rows


shapes = st.builds(Shape, *[st.booleans()] * 6)


def as_text(head: list[str], rows: list[list[str]], join: str) -> str:
    lines = "\n".join(join.join(row) for row in [head, *rows])
    return f"{TITLE}\n\n一、主要指标\n\n{lines}\n\n二、主要任务\n\n（一）加强领导。落实责任。\n"


def one_cell_a_line(head: list[str], rows: list[list[str]], gap: str) -> str:
    lines = gap.join(cell for row in [head, *rows] for cell in row if cell)
    return f"{TITLE}\n\n一、主要指标\n\n{lines}\n\n二、主要任务\n\n（一）加强领导。落实责任。\n"


def one_cell_and_stroke_a_line(head: list[str], rows: list[list[str]]) -> str:
    lines = "\n".join(f"{cell} |" if cell else "|" for row in [head, *rows] for cell in row)
    return f"{TITLE}\n\n一、主要指标\n\n主要指标 |\n||||\n{lines}\n\n二、主要任务\n\n（一）加强领导。落实责任。\n"


def flattened(shape: Shape, rows: list[list[str]]) -> str:
    lines: list[str] = [" ".join(shape.head)]
    named = shape.head.index("指标名称")
    for number, row in enumerate(rows):
        if number == 4:
            lines += ["", "— 7 —", ""]
        if shape.category and row[0]:
            lines += [row[0][:2], row[0][2:]]
        name = row[named]
        before = [row[named - 1]] if shape.serial else []
        if len(name) > 22:
            lines += [" ".join([*before, name[:20]]), name[20:], " ".join(row[named + 1 :])]
        else:
            lines.append(" ".join([*before, *row[named:]]))
    body = "\n\n".join(lines)
    return f"{TITLE}\n\n一、主要指标\n\n{body}\n\n二、主要任务\n\n（一）加强领导。落实责任。\n"


def as_html(shape: Shape, rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in shape.head)
    body = ""
    for number, row in enumerate(rows):
        span = next((later for later in range(number + 1, len(rows)) if rows[later][0]), len(rows)) - number
        first = f'<td rowspan="{span}">{escape(row[0])}</td>' if row[0] else ""
        body += (
            f"<tr>{first if shape.category else ''}"
            + "".join(f"<td><p>{escape(cell)}</p></td>" for cell in row[shape.category :])
            + "</tr>"
        )
    return f"<html><body><h1>{TITLE}</h1><p>一、主要指标</p><table><tr>{head}</tr>{body}</table><p>二、主要任务</p></body></html>"


def as_docx(shape: Shape, rows: list[list[str]]) -> bytes:
    document = docx.Document()
    document.add_heading(TITLE)
    document.add_paragraph("一、主要指标")
    table = document.add_table(len(rows) + 1, len(shape.head))
    start = 1
    for number, row in enumerate([shape.head, *rows]):
        for column, cell in enumerate(row):
            table.cell(number, column).text = cell
        if number > 1 and row[0]:
            start = number
        elif number > 1:
            table.cell(start, 0).merge(table.cell(number, 0))
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def read_back(reading: Reading) -> list[tuple[object, ...]]:
    return [
        (
            one.category,
            one.name,
            one.unit,
            one.base_value,
            one.target_value,
            one.kind,
            tuple(other.value for other in one.others),
            one.owners,
            one.target_op,
        )
        for one in reading.indicators
        if one.origin == "table"
    ]


def assert_same(reading: Reading, rows: list[Row], shape: Shape) -> None:
    got = read_back(reading)
    wanted = [row.expected(shape) for row in rows]
    assert [row[:-1] for row in got] == [row[:-1] for row in wanted]
    assert all(read[-1] == want[-1] for read, want in zip(got, wanted, strict=True) if want[-1] is not None)
    assert all(one.base_year == 2020 and one.target_year == 2025 for one in reading.indicators if one.origin == "table")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), shapes)
def test_a_table_reads_alike_from_tabs_strokes_and_lines(rows: list[Row], shape: Shape) -> None:
    body = shape.cells(rows)
    for text in (as_text(shape.head, body, "\t"), as_text(shape.head, body, " | "), flattened(shape, body)):
        assert_same(read_document(text.encode(), "plan.txt"), rows, shape)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), shapes)
def test_a_table_reads_alike_when_each_cell_has_its_line(rows: list[Row], shape: Shape) -> None:
    body = shape.cells(rows)
    for gap in ("\n", "\n\n", "\n\n\u00a0\u2002\u00a0\n\n"):
        assert_same(read_document(one_cell_a_line(shape.head, body, gap).encode(), "plan.txt"), rows, shape)
    assert_same(read_document(one_cell_and_stroke_a_line(shape.head, body).encode(), "plan.txt"), rows, shape)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), shapes)
def test_a_table_reads_alike_from_html_and_word(rows: list[Row], shape: Shape) -> None:
    body = shape.cells(rows)
    assert_same(read_document(as_html(shape, body).encode(), "plan.html"), rows, shape)
    assert_same(read_document(as_docx(shape, body), "plan.docx"), rows, shape)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), shapes, st.integers(1, 8))
def test_a_table_reads_alike_when_a_pdf_draws_it_over_two_pages(rows: list[Row], shape: Shape, cut: int) -> None:
    body = [[cell if cell or (shape.category and column) else "^" for column, cell in enumerate(row)] for row in shape.cells(rows)]
    first, second = [shape.head, *body[:cut]], body[cut:]
    if second and shape.category and second[0][0] == "^":
        second[0] = [rows[cut].category, *second[0][1:]]
    widths = [max(6, min(14, max(len(row[column]) for row in [shape.head, *body]) + 1)) for column in range(len(shape.head))]
    pages = [([TITLE, "一、主要指标"], first, ["第 1 页"])]
    if second:
        pages.append(([], second, ["二、主要任务", "（一）加强领导。落实责任。"]))
    assert_same(read_document(paper.drawn_pdf(pages, widths), "plan.pdf"), rows, shape)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), shapes, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_a_table_reads_alike_in_every_encoding(rows: list[Row], shape: Shape, encoding: str) -> None:
    assert_same(read_document(as_text(shape.head, shape.cells(rows), "\t").encode(encoding), "plan.txt"), rows, shape)
