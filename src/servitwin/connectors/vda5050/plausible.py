"""Whether what a robot reports can be true, given what it reported before and where it was released to."""

from __future__ import annotations

import math

from servitwin.connectors.vda5050.desk import Desk, off_route
from servitwin.connectors.vda5050.message import State
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.instant import NS

MARGIN = 1.25  # times the highest speed
ROOM_M = 0.5  # metres that a position may be wrong
BESIDE_M = 1.5  # metres that a robot may be beside its way
MARGIN_MAP_M = 5.0


def why_outside(graph: Graph, state: State) -> str:
    """Why the position cannot be on this map at all; empty if it can."""
    p = state.position
    if state.last_node and state.last_node not in graph.index:
        return f"it says that it has passed {state.last_node[:40]}, which is not on the map"
    if p is None:
        return ""
    low_x, high_x = min(graph.x) - MARGIN_MAP_M, max(graph.x) + MARGIN_MAP_M
    low_y, high_y = min(graph.y) - MARGIN_MAP_M, max(graph.y) + MARGIN_MAP_M
    if not (low_x <= p.x <= high_x and low_y <= p.y <= high_y):
        return f"it says that it is at {p.x:.1f}, {p.y:.1f}, which is outside the map"
    return ""


def why_impossible(
    graph: Graph, desk: Desk, state: State, waited: float, fastest: float, *, by_hand: bool = False
) -> str:
    """Why the report contradicts what is known; empty if it does not.

    Args:
        graph: the map.
        desk: what is known of the robot.
        state: the report.
        waited: seconds of our clock since its last report.
        fastest: m/s that no robot exceeds.
        by_hand: it was driven by a person until now: it may be anywhere, but did not jump there.
    """
    before, p = desk.state, state.position
    if p is not None and before is not None and before.position is not None and not desk.doubt:
        passed = max(waited, min((state.stamp - before.stamp) / NS, 60.0))
        gone = math.hypot(p.x - before.position.x, p.y - before.position.y)
        most = fastest * MARGIN * max(passed, 0.0) + ROOM_M
        if gone > most:
            return f"it says that it went {gone:.1f} m in {passed:.1f} s, at most {most:.1f} m can be"
    if by_hand or not desk.base:
        return ""
    if p is not None:
        beside = off_route(graph, [graph.index[n.id] for n in desk.base], p.x, p.y)
        if beside > BESIDE_M:
            return f"it says that it is {beside:.1f} m beside the way it was released to"
    ours = desk.order_id and state.order_id == desk.order_id
    # It has not counted the first node yet; who has stopped between two places gets an order that begins at either.
    begins = desk.base[0].sequence == 0 and state.last_node in (n.id for n in desk.base[:2])
    if ours and not begins and not any((n.id, n.sequence) == (state.last_node, state.last_sequence) for n in desk.base):
        return f"it says that it has passed {state.last_node[:40]}, but it was released to {desk.base[-1].id}"
    return ""
