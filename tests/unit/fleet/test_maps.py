"""Maps from files: MovingAI and LIF, there and back, and what is wrong with them all at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from servitwin.connectors.vda5050.config import MapConfig
from servitwin.domain.error import InvalidInputError
from servitwin.domain.fleet.road_map import Graph, Place, RoadMap, Way, checked_map, grid_map
from servitwin.formats.lif import read_layout, write_layout
from servitwin.formats.movingai import read_map, read_scenario
from tests.conftest import shared_data

HEAD = "type octile\nheight 2\nwidth 3\nmap\n"
LAYOUT: dict[str, Any] = {
    "metaInformation": {"projectIdentification": "p", "creator": "c", "exportTimestamp": "", "lifVersion": "1.0.0"},
    "layouts": [
        {
            "layoutId": "L1",
            "nodes": [
                {
                    "nodeId": "a",
                    "mapId": "m",
                    "nodePosition": {"x": 0, "y": 0},
                    "vehicleTypeNodeProperties": [{"vehicleTypeId": "v"}],
                },
                {
                    "nodeId": "b",
                    "mapId": "m",
                    "nodePosition": {"x": 3, "y": 0},
                    "vehicleTypeNodeProperties": [{"vehicleTypeId": "v", "actions": [{"actionType": "startCharging"}]}],
                },
            ],
            "edges": [
                {
                    "edgeId": "ab",
                    "startNodeId": "a",
                    "endNodeId": "b",
                    "vehicleTypeEdgeProperties": [{"vehicleTypeId": "v", "maxSpeed": 0.8}],
                }
            ],
            "stations": [{"stationId": "dock", "interactionNodeIds": ["a"]}],
        }
    ],
}


def codes(content: bytes | str) -> list[str]:
    with pytest.raises(InvalidInputError) as e:
        read_map(content) if isinstance(content, str) else read_layout(content)
    assert all(f.message and f.hint for f in e.value.faults)
    return [f.code for f in e.value.faults]


def test_real_maps_have_as_many_free_cells_as_their_makers_say() -> None:
    data = shared_data("mapf") / "maps"
    for name, cells in (("random-32-32-20", 819), ("room-32-32-4", 682), ("warehouse-10-20-10-2-1", 5699)):
        assert len(read_map((data / f"{name}.map").read_text()).places) == cells


def test_a_cut_off_or_mangled_map_says_all_that_is_wrong() -> None:
    assert read_map(HEAD + "...\n@.G\n").places[0] == Place("0-0", 0.0, 1.0)
    assert codes(HEAD + "...\n") == ["map:cut-off"]
    assert codes(HEAD + "...\n.?\n") == ["map:cut-off", "map:cell-unknown"]
    assert codes("hello") == ["map:head-wrong"]
    assert codes("type octile\nheight x\nwidth -1\nmap\n") == ["map:head-wrong", "map:head-wrong"]
    assert codes(HEAD + "@@@\n@@@\n") == ["map:empty"]
    with pytest.raises(InvalidInputError):
        read_scenario("version 1\n0\tm\t3\t3\ta\tb\tc\td\t1\n")


def test_a_layout_is_read_with_speeds_stations_and_chargers_and_written_back() -> None:
    read = read_layout(json.dumps(LAYOUT).encode())
    assert (read.id, read.stations, read.chargers) == ("m", {"dock": "a"}, ("b",))
    assert read.ways == (Way("ab", "a", "b", 0.8),)
    assert read_layout(write_layout(read, "2026-01-01T00:00:00Z")) == read
    hall = grid_map(["..", ".."], map_id="hall", cell_m=2.0, stations={"mill": (0, 0)}, chargers=[(1, 1)])
    assert read_layout(write_layout(hall, "2026-01-01T00:00:00Z")) == hall


def test_wrong_layouts_are_refused_with_their_reason() -> None:
    whole = json.dumps(LAYOUT).encode()
    assert codes(whole[:200]) == ["map:not-json"]
    assert codes(b"{}") == ["map:not-lif"]
    assert codes(json.dumps({**LAYOUT, "layouts": []}).encode()) == ["map:layout-unknown"]
    lost = json.loads(whole)
    lost["layouts"][0]["edges"][0]["endNodeId"] = "z"
    assert codes(json.dumps(lost).encode()) == ["map:place-unknown"]
    two = json.loads(whole)
    two["layouts"][0]["nodes"][0]["mapId"] = "other"
    assert codes(json.dumps(two).encode()) == ["map:several"]
    assert read_layout(whole, vehicle_type="v").ways and not read_layout(whole, vehicle_type="v").parking
    with pytest.raises(InvalidInputError):
        read_layout(whole, vehicle_type="unknown")


def test_a_map_says_all_faults_at_once() -> None:
    bad = RoadMap(
        "m",
        (Place("a", 0, 0), Place("a", 1, 0), Place("b", float("nan"), 0)),
        (Way("w", "a", "z"), Way("w", "b", "b")),
        {"s": "q"},
    )
    with pytest.raises(InvalidInputError) as e:
        checked_map(bad)
    assert sorted({f.code for f in e.value.faults}) == [
        "map:place-twice", "map:place-unknown", "map:position-wrong", "map:way-twice", "map:way-wrong",
    ]  # fmt: skip
    with pytest.raises(InvalidInputError):
        MapConfig().road_map()
    with pytest.raises(InvalidInputError):
        MapConfig(rows=("..",), cell_m=0).road_map()


def test_lengths_of_ways_count_where_they_differ() -> None:
    assert Graph(grid_map(["..", ".."])).cost is None
    uneven = RoadMap(
        "m", (Place("a", 0, 0), Place("b", 1, 0), Place("c", 4, 0)), (Way("1", "a", "b"), Way("2", "b", "c"))
    )
    assert Graph(uneven).cost == {(0, 1): 1000, (1, 2): 3000}
