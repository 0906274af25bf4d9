"""The menu: eight groups in a fixed order, each shown when the signed-in person may open one of its pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xinglin.web.i18n import mark

if TYPE_CHECKING:
    from xinglin.engines.security import Scope


@dataclass(frozen=True, slots=True)
class Group:
    """One heading of the menu. label: Chinese message id.  icon: name in `icons.ICONS`."""

    key: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu. group: key of a Group.  rights: any one of them opens it; none = everybody signed in."""

    group: str
    label: str
    path: str
    rights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A group as one person sees it."""

    group: Group
    entries: tuple[Entry, ...]

    @property
    def path(self) -> str:
        """Return the address the group's own name leads to: its first page."""
        return self.entries[0].path


GROUPS: Final = (
    Group("desk", mark("工作台"), "house-door"),
    Group("residents", mark("居民档案"), "people"),
    Group("chronic", mark("慢病管理"), "heart-pulse"),
    Group("statistics", mark("统计报表"), "bar-chart-line"),
    Group("appraisal", mark("绩效与核查"), "clipboard2-check"),
    Group("plan", mark("规划指标"), "bullseye"),
    Group("exchange", mark("数据接入"), "database"),
    Group("system", mark("系统管理"), "gear"),
)


def menu_for(scope: Scope, entries: Iterable[Entry]) -> Sequence[Shown]:
    """Return the groups with the pages this scope may open, in the order of GROUPS; a group without pages is left out."""
    allowed = [entry for entry in entries if not entry.rights or any(scope.allows(right) for right in entry.rights)]
    shown = (Shown(group, tuple(entry for entry in allowed if entry.group == group.key)) for group in GROUPS)
    return [one for one in shown if one.entries]


def current_entry(path: str, entries: Iterable[Entry]) -> Entry | None:
    """Return the entry whose page, or a page below it, stands at path: the longest match wins."""
    fitting = [entry for entry in entries if path == entry.path or path.startswith(entry.path.rstrip("/") + "/")]
    return max(fitting, key=lambda entry: len(entry.path), default=None)
