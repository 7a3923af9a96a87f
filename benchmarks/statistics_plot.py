"""The share of doublings found by night, beside one who knows the rate before, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

LEFT, RIGHT, TOP, BOTTOM = 60, 460, 40, 260
OURS, ORACLE = "found_by_night_", "oracle_by_night_"


def plot(found: Mapping[str, float]) -> str:
    """Two curves with their names.

    Args:
        found: Shares by name, of which those that begin with OURS and ORACLE are drawn.
    """
    ours, oracle = (
        [found[name] for name in sorted(found) if name.startswith(start)] for start in (OURS, ORACLE)
    )
    parts = list(grid(len(ours)))
    parts.append(polyline(oracle, 'stroke="#999" stroke-dasharray="5 4"'))
    parts.append(polyline(ours, 'stroke="#0b6e99" stroke-width="2"'))
    for night, share in enumerate(ours, 1):
        x, y = place(night, share, len(ours))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0b6e99"/>')
    parts.append('<text x="460" y="222" text-anchor="end" fill="#0b6e99">Nightloom</text>')
    parts.append(
        '<text x="460" y="238" text-anchor="end" fill="#777">knows rate and dispersion (dashed)</text>'
    )
    title = "Share told by night: a theme doubles from 40 a week, 200 themes"
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 300" width="520" height="300" '
        'font-family="sans-serif" font-size="11">\n<rect width="520" height="300" fill="#fff"/>\n'
    )
    return head + f'<text x="60" y="22" font-size="13">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n"


def place(night: int, share: float, n_nights: int) -> tuple[float, float]:
    """Where a point is drawn."""
    along = (night - 1) / max(1, n_nights - 1)
    return LEFT + (RIGHT - LEFT) * along, BOTTOM - (BOTTOM - TOP) * share


def polyline(shares: Sequence[float], style: str) -> str:
    points = (place(night, share, len(shares)) for night, share in enumerate(shares, 1))
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" {style}/>'


def grid(n_nights: int) -> Iterator[str]:
    for night in range(1, n_nights + 1):
        x, _ = place(night, 0, n_nights)
        yield f'<text x="{x:.1f}" y="276" text-anchor="middle">{night}</text>'
    for percent in (0, 20, 40, 60, 80, 100):
        _, y = place(1, percent / 100, n_nights)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>'
    yield '<text x="260" y="292" text-anchor="middle">nights since</text>'
