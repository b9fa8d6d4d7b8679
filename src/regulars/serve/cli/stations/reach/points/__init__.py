"""`regulars reach points`: the points of customers, and the programme that gives them."""

from regulars.serve.cli.stations.reach.points import programme, spending
from regulars.serve.cli.stations.reach.points.asking import points

__all__ = ["points", "programme", "spending"]
