"""Travel: places on the earth, and how far and how long it is between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.observation import Floats

EARTH_RADIUS_M = 6_371_008.8  # mean radius of IUGG


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place by its latitude and longitude (WGS 84, degrees), with its name for people."""

    lat: float
    lon: float
    name: str = ""


class Road(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long roads are, where no matrix of a route planner is at hand.

    Attributes:
        speed_kmh: mean speed of a service van, stops included.
        detour: length of the road over the distance as the crow flies; 1.3 is usual in Europe.
    """

    speed_kmh: float = 60.0
    detour: float = 1.3


def check_place(place: Place, where: str) -> list[Fault]:
    """The fault of a place that is not on the earth."""
    if math.isfinite(place.lat) and math.isfinite(place.lon) and abs(place.lat) <= 90 and abs(place.lon) <= 180:
        return []
    message = f"({place.lat}, {place.lon}) is no place on the earth"
    return [Fault("travel:place-invalid", message, "Latitude -90 to 90, longitude -180 to 180, in degrees", where)]


def check_road(road: Road, where: str) -> list[Fault]:
    """The faults of a speed or a detour that cannot be."""
    faults = []
    if not 0 < road.speed_kmh <= 300:
        message = f"{road.speed_kmh} km/h is no speed of a service van"
        faults.append(Fault("travel:speed-invalid", message, "Above 0, at most 300", f"{where}.speed_kmh"))
    if not 1 <= road.detour <= 10:
        message = f"{road.detour} is no detour: no road is shorter than the straight line"
        faults.append(Fault("travel:detour-invalid", message, "1 or more, usually 1.3", f"{where}.detour"))
    return faults


def distances_m(places: Sequence[Place]) -> Floats:
    """Distances in metres between all places as the crow flies, a square array (haversine formula on a sphere)."""
    lat = np.radians([p.lat for p in places])
    lon = np.radians([p.lon for p in places])
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
