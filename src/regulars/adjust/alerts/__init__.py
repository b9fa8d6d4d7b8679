"""Alerts: what changed for the worse, what is done by itself, and what waits for a person.

The charts take plain rows of figures, the last one judged against those before; no workspace is
needed. `laney_chart` is for shares, `estimates_chart` for measured effects with their errors,
`individuals_chart` for single values such as a cost.
"""

from regulars.adjust.alerts.laney_chart import Place, laney_chart
from regulars.adjust.alerts.levels import estimates_chart, individuals_chart

__all__ = ["Place", "estimates_chart", "individuals_chart", "laney_chart"]
