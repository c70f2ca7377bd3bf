"""The picture: time against the number of hosts, both on logarithmic scales, as SVG."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 44, 52  # around the plot
STYLES = ("#dc2626", "#2563eb", "#6b7280")

Line = Sequence[tuple[int, float]]
"""Points: hosts, seconds."""


def draw(title: str, lines: Mapping[str, Line]) -> str:
    """Draw lines with their names at their ends.

    :param lines: name to its points, with the number of hosts rising
    """
    hosts = sorted({host for line in lines.values() for host, _ in line})
    seconds = [second for line in lines.values() for _, second in line]
    low, high = 10 ** math.floor(math.log10(min(seconds))), 10 ** math.ceil(math.log10(max(seconds)))

    def x(host: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(host / hosts[0]) / math.log(hosts[-1] / hosts[0])

    def y(second: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(second / low) / math.log(high / low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13" fill="#374151"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 24, title, "start", ' font-size="15" font-weight="bold"'),
    ]
    for second in _ticks(low, high):
        parts.append(_stroke([(LEFT, y(second)), (WIDTH - RIGHT, y(second))], "#e5e7eb", 1))
        parts.append(_text(LEFT - 8, y(second) + 4, f"{second:g} s", "end"))
    for host in hosts:
        parts.append(_stroke([(x(host), TOP), (x(host), HEIGHT - BOTTOM)], "#e5e7eb", 1))
        parts.append(_text(x(host), HEIGHT - BOTTOM + 20, str(host), "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "hosts", "middle"))
    for (name, line), colour in zip(lines.items(), STYLES, strict=False):
        points = [(x(host), y(second)) for host, second in line]
        parts.append(_stroke(points, colour, 2.5))
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in points]
        parts.append(_text(points[-1][0] + 10, points[-1][1] + 4, name, "start", f' style="fill:{colour}"'))
    return "\n".join([*parts, "</svg>\n"])


def _ticks(low: float, high: float) -> list[float]:
    decades = range(round(math.log10(low)), round(math.log10(high)) + 1)
    return [tick for one in decades for factor in (1, 3) if (tick := factor * 10.0**one) <= high]


def _stroke(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{text}</text>'
