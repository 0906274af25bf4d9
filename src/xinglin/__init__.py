"""Xinglin 杏林: the open digital system of a Chinese health district."""

__version__ = "0.1.0"
