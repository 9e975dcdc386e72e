/// How charts look; colours are variables with a light and a dark value.
package enum ChartStyle {
  /// The variables of both colour schemes.
  package static let colours: HTML = """
    :root{color-scheme:light dark;
    --page:#faf9f6;--card:#ffffff;--ink:#1d2026;--soft:#5d6470;--line:#e3e1db;--grid:#eeece7;
    --training:#2563b8;--validation:#c2500f;--good:21 112 128;--bad:190 58 38;
    --good-ink:#0f6674;--bad-ink:#ad3620}
    @media (prefers-color-scheme:dark){:root{
    --page:#131519;--card:#1a1d23;--ink:#e6e8ec;--soft:#9ba4b1;--line:#2d323b;--grid:#262a32;
    --training:#7fb2ff;--validation:#ffa061;--good:36 128 144;--bad:226 98 76;
    --good-ink:#62c3d1;--bad-ink:#ff9680}}
    """

  /// The rules for the parts of a chart.
  package static let rules: HTML = """
    .chart{display:block;width:100%;height:auto;font:13px system-ui,sans-serif;overflow:visible}
    .chart text{fill:var(--soft);font-variant-numeric:tabular-nums}
    .chart .title{fill:var(--ink);font-weight:600;font-size:15px}
    .chart .note{fill:var(--soft);font-weight:400;font-size:12px}
    .chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
    .chart path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
    .chart .grid{stroke:var(--grid);stroke-width:1}
    .chart .axis{stroke:var(--soft);stroke-width:1}
    .chart .best{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}
    .chart .training{stroke:var(--training)}.chart .validation{stroke:var(--validation)}
    .chart path.training,.chart .training path{stroke-dasharray:6 4}
    .chart .training circle,.chart circle.training{fill:var(--training);stroke:none}
    .chart .validation circle,.chart circle.validation{fill:var(--validation);stroke:none}
    .chart tspan.training{fill:var(--training);stroke:none;font-weight:600}
    .chart tspan.validation{fill:var(--validation);stroke:none;font-weight:600}
    .chart .epoch rect{fill:transparent}
    .chart .hover{visibility:hidden;pointer-events:none}
    .chart .epoch:hover .hover{visibility:visible}
    .chart .hover path{stroke:var(--soft);stroke-width:1}
    .chart .hover circle{stroke:var(--card);stroke-width:1.5}
    @media (max-width:560px){.chart{font-size:17px}.chart .title{font-size:19px}
    .chart .note{display:none}.chart .hover text{font-size:16px}}
    """

  /// Colours and rules, for a chart by itself.
  package static let css: HTML = "\(colours)\n\(rules)"
}
