"""Living with a plan: pure functions from what is kept and measured to what the pages and reports say."""

from xinglin.modules.plan.living.binding import Offered, Proposal, difference_words, proposals, scale_of
from xinglin.modules.plan.living.board import (
    COMPUTED,
    ENTERED,
    TREND_WAITS,
    Material,
    Observed,
    View,
    bounds_of,
    counts_of,
    day_before_a_year,
    is_counted,
    pace_points,
    view_of,
)
from xinglin.modules.plan.living.catalogue import Known, known_measure, known_measures
from xinglin.modules.plan.living.evaluation import (
    FINAL,
    MID_TERM,
    Entry,
    Evaluation,
    Judged,
    Missing,
    ProjectLine,
    Subject,
    TaskLine,
    evaluate,
)
from xinglin.modules.plan.living.forecast import Forecast, fit, forecast, student_quantile
from xinglin.modules.plan.living.gap import Counted, Ranked, gap_words, people_missing, ranking
from xinglin.modules.plan.living.rows import changes_from, part_of, read_corrected, rows_of, same_rows
from xinglin.modules.plan.living.side_by_side import Line, side_by_side
from xinglin.modules.plan.living.standing import (
    BEHIND,
    BEING_COUNTED,
    ENGINE_AWAY,
    NO_VALUE,
    ON_TRACK,
    REACHED,
    RULE,
    STATES,
    Standing,
    standing,
)
from xinglin.modules.plan.living.targets import Point, Target, decimal_year, path_of, target_of, value_on_path, yearly
from xinglin.modules.plan.living.what_if import Outcome, Work, at_pace, with_workers, workers_needed
from xinglin.modules.plan.living.words import Said, amount, figure, forecast_words, target_words

__all__ = [
    "BEHIND", "BEING_COUNTED", "COMPUTED", "ENGINE_AWAY", "ENTERED", "FINAL", "MID_TERM", "NO_VALUE", "ON_TRACK", "REACHED", "RULE", "STATES", "Counted", "Entry", "Evaluation", "Forecast", "Judged", "Known", "Line", "Material", "Missing",
    "Observed", "Offered", "Outcome", "Point", "ProjectLine", "Proposal", "Ranked", "Said", "Standing", "Subject", "Target", "TREND_WAITS", "TaskLine", "View", "Work", "amount", "at_pace",
    "bounds_of", "changes_from", "counts_of", "day_before_a_year", "decimal_year", "difference_words", "evaluate", "figure", "fit", "forecast", "forecast_words", "gap_words", "is_counted",
    "known_measure", "known_measures", "pace_points", "part_of", "path_of", "people_missing", "proposals", "ranking", "read_corrected",
    "rows_of", "same_rows", "scale_of", "side_by_side", "standing", "student_quantile", "target_of", "target_words", "value_on_path",
    "view_of", "with_workers", "workers_needed", "yearly",
]  # fmt: skip
