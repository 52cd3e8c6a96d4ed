"""Maps and scenarios of the MovingAI benchmark (Sturtevant 2012, "Benchmarks for grid-based pathfinding")."""

from __future__ import annotations

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.fleet.road_map import RoadMap, checked_map, grid_map

_MARKS = frozenset(".GS@OTW")
_HINT = "A MovingAI map begins with type, height, width and map, each in a line of its own"


def read_map(text: str, map_id: str = "map", cell_m: float = 1.0) -> RoadMap:
    """The map of a ``.map`` file.

    Args:
        text: content of the file.
        map_id: id that the map gets.
        cell_m: length of a cell, m; the format has none.

    Raises:
        InvalidInputError: the head is not one, the file was cut off, or rows differ from what the head says.
    """
    lines = text.splitlines()
    head = {}
    for line in lines[:3]:
        word, _, value = line.partition(" ")
        head[word] = value.strip()
    if head.get("type") is None or len(lines) < 4 or lines[3].strip() != "map":
        raise InvalidInputError(Fault("map:head-wrong", "This is no MovingAI map", _HINT, line=1, column=1))
    faults = []
    size = {}
    for word in ("height", "width"):
        if head.get(word, "").isdecimal() and int(head[word]) > 0:
            size[word] = int(head[word])
        else:
            faults.append(Fault("map:head-wrong", f"{word} is {head.get(word)!r}", _HINT, word))
    if faults:
        raise InvalidInputError(faults)
    rows = [line for line in lines[4:] if line]
    if len(rows) != size["height"]:
        message = f"{len(rows)} rows, the head says {size['height']}"
        faults.append(Fault("map:cut-off", message, "The file was cut off or added to: fetch it again", "height"))
    for number, row in enumerate(rows[: size["height"]]):
        if len(row) != size["width"]:
            message = f"Row {number} has {len(row)} cells, the head says {size['width']}"
            faults.append(Fault("map:cut-off", message, "The file was cut off or added to", "map", line=number + 5))
        odd = set(row) - _MARKS
        if odd:
            message = f"Row {number} has {sorted(odd)[0]!r}, which is no kind of cell"
            column = min(row.index(o) for o in odd) + 1
            fault = Fault("map:cell-unknown", message, "Cells are . G S @ O T W", "map", line=number + 5, column=column)
            faults.append(fault)
    if faults:
        raise InvalidInputError(faults[:100])
    return checked_map(grid_map(rows, map_id=map_id, cell_m=cell_m))


def read_scenario(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Start and goal cells (column, row) of a ``.scen`` file, in order.

    Raises:
        InvalidInputError: a line is not nine columns with whole coordinates.
    """
    pairs = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("version"):
            continue
        columns = line.split("\t") if "\t" in line else line.split()
        try:
            sx, sy, gx, gy = (int(c) for c in columns[4:8])
        except ValueError:
            faults.append(Fault("scenario:line-wrong", f"Line {number} is no scenario", "Nine columns", line=number))
            continue
        pairs.append(((sx, sy), (gx, gy)))
    if faults:
        raise InvalidInputError(faults[:100])
    return pairs
