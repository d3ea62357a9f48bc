"""The results as a chart: one bar per variant for a person's first visit."""

from tests.bench.results import Measured
from tests.bench.variants import OURS

_ROW, _LABELS, _BARS, _WIDTH = 26, 300, 420, 800
_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .quiet { fill: #8c959f } .bar { fill: #afb8c1 } .ours { fill: #1a7f37 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 } .bar { fill: #57606a } .ours { fill: #3fb950 }
    }"""


def chart(results: list[Measured], caption: str) -> str:
    """Draw the first visits as SVG, shortest first."""
    most = max(it.visit for it in results)
    rows = []
    for row, it in enumerate(sorted(results, key=lambda it: it.visit)):
        y = 52 + row * _ROW
        class_ = "ours" if it.variant.peer is OURS else "bar"
        width = it.visit / most * _BARS
        rows.append(
            f'  <text x="{_LABELS - 10}" y="{y}" text-anchor="end">{it.variant}</text>\n'
            f'  <rect class="{class_}" x="{_LABELS}" y="{y - 14}" width="{width:.0f}" height="18"'
            f' rx="3"/>\n  <text x="{_LABELS + width + 8:.0f}" y="{y}">{it.visit * 1e3:,.0f}</text>'
        )
    height = 52 + len(rows) * _ROW + 12
    title = "A person's first visit, from nothing: sign-up, confirm and sign-in, milliseconds"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"  <title>{title}</title>",
        f"  <style>{_STYLE}\n  </style>",
        f'  <text x="10" y="20">{title}</text>',
        *rows,
        f'  <text class="quiet" x="10" y="{height - 6}">{caption}</text>',
        "</svg>\n",
    ]
    return "\n".join(lines)
