"""The canvas: every node apart, every line level or upright, none along another."""

import itertools
import random

import pytest
from tests.reach.journeys.journey_world import GROUND, graph

from regulars.reach.journeys.definition.reading import read_journey
from regulars.reach.journeys.templates.catalogue import NAMES, Takes, find_template
from regulars.reach.journeys.templates.fitting import fit
from regulars.serve.console.pages.journeys.canvas import layout as layouts
from regulars.serve.console.pages.journeys.canvas.layout import lay_out
from regulars.serve.console.pages.journeys.canvas.picture import graph_of


def drawn(journey):
    return lay_out(*graph_of(journey))


def template(name):
    found = find_template(name)
    offer = "" if found.takes is Takes.NONE else "gift"
    return read_journey(fit(found, channels=["sms"], offer=offer).journey)


def stretches(layout):
    return [
        (line.way, (a, b))
        for line in layout.lines
        for a, b in itertools.pairwise(line.points)
        if a != b
    ]


def run_along(one, other):
    """Two stretches that share more than a point."""
    (ax, ay), (bx, by) = one
    (cx, cy), (dx, dy) = other
    if ax == bx == cx == dx:
        return min(max(ay, by), max(cy, dy)) > max(min(ay, by), min(cy, dy))
    if ay == by == cy == dy:
        return min(max(ax, bx), max(cx, dx)) > max(min(ax, bx), min(cx, dx))
    return False


def faults(layout):
    """What is wrong with a layout."""
    found = []
    for one, other in itertools.combinations(layout.boxes, 2):
        apart = (
            one.x + one.width <= other.x or other.x + other.width <= one.x
            or one.y + one.height <= other.y or other.y + other.height <= one.y
        )  # fmt: skip
        if not apart:
            found.append(f"{one.name} on {other.name}")
    parts = stretches(layout)
    found += [f"{way} slants" for way, ((ax, ay), (bx, by)) in parts if ax != bx and ay != by]
    for (way, one), (other_way, other) in itertools.combinations(parts, 2):
        if way != other_way and run_along(one, other):
            found.append(f"{way} along {other_way}")
    for way, (a, b) in parts:
        for box in layout.boxes:
            inside_x = min(a[0], b[0]) < box.x + box.width and box.x < max(a[0], b[0]) + (
                a[0] == b[0]
            )
            inside_y = min(a[1], b[1]) < box.y + box.height and box.y < max(a[1], b[1]) + (
                a[1] == b[1]
            )
            if inside_x and inside_y:
                found.append(f"{way} through {box.name}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_lines_of_a_template_run_along_each_other_or_through_a_node(name):
    layout = drawn(template(name))

    assert faults(layout) == []
    assert len(layout.boxes) == len(template(name).nodes) + len(template(name).entries)
    assert all(box.x >= 0 and box.x + box.width <= layout.width for box in layout.boxes)


def test_random_graphs_with_circles_are_drawn_without_a_slant_or_an_overlap():
    broken = {}
    for seed in range(60):
        layout = drawn(read_journey(graph(random.Random(seed)), GROUND))
        if found := faults(layout):
            broken[seed] = found

    assert broken == {}


def test_lines_that_share_a_track_are_seen(monkeypatch):
    monkeypatch.setattr(layouts, "_tracks", lambda gap: dict.fromkeys(gap, 0))

    assert any(faults(drawn(read_journey(graph(random.Random(s)), GROUND))) for s in range(60))


def test_the_same_journey_is_always_drawn_the_same():
    assert drawn(template("price-drop")) == drawn(template("price-drop"))
