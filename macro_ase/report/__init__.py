"""Reports: the parts that a study gives, and the files and the page made of them.

Report of parts -- write.write_findings -> metrics.json, results.json, figures/
those files     -- page.write_report    -> report.html, one file that loads nothing
"""

from .parts import Check, Cost, Figure, Metric, Report, Section, Table, Value

__all__ = ["Check", "Cost", "Figure", "Metric", "Report", "Section", "Table", "Value"]
