"""Places: divisions, their tree, outlines and population. The door of geo."""

from xinglin.engines.geo.division import LEVELS, Division, Level, area_of, code_of, level_of, parent_of, subtree, subtree_ranges
from xinglin.engines.geo.geo import Geo, Loaded
from xinglin.engines.geo.reading import (
    DIVISION_COLUMNS,
    POPULATION_COLUMNS,
    PopulationFigure,
    division_rows,
    population_rows,
    read_division_csv,
    read_geojson,
    read_population_csv,
)

__all__ = [
    "DIVISION_COLUMNS",
    "LEVELS",
    "POPULATION_COLUMNS",
    "Division",
    "Geo",
    "Level",
    "Loaded",
    "PopulationFigure",
    "area_of",
    "code_of",
    "division_rows",
    "level_of",
    "parent_of",
    "population_rows",
    "read_division_csv",
    "read_geojson",
    "read_population_csv",
    "subtree",
    "subtree_ranges",
]
