"""Where a model's sales are, coarsely: what a map of them is drawn from."""

from attrs import frozen

CELL = 0.02
"""Degrees of latitude and of longitude. In Norway some 2.2 km by 1.1 km."""


@frozen
class Place:
    """A cell of the grid by its centre (degrees), and how many homes were sold in it."""

    lat: float
    lon: float
    sales: int
