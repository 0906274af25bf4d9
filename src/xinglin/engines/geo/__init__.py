"""Places: divisions, their tree, outlines and population. The door of geo."""

from xinglin.engines.geo.division import Division, Level, area_of, code_of, level_of, parent_of, subtree, subtree_ranges
from xinglin.engines.geo.geo import Geo, Loaded
from xinglin.engines.geo.reading import PopulationFigure, read_division_csv, read_geojson, read_population_csv

__all__ = [
    "Division",
    "Geo",
    "Level",
    "Loaded",
    "PopulationFigure",
    "area_of",
    "code_of",
    "level_of",
    "parent_of",
    "read_division_csv",
    "read_geojson",
    "read_population_csv",
    "subtree",
    "subtree_ranges",
]
