"""Live state of a condition signal is everything that is active, also after a start."""

from servitwin.usecases.ingest.live import LiveTwin


def offer(twin: LiveTwin, time: int, text: str | None, seq: int = 0) -> None:
    twin.offer_condition("system", ((time, 0, seq, 0), text, 0, time))


def shown(twin: LiveTwin) -> object:
    return twin.message({}, whole=True)["values"]["system"][1]


def test_entries_of_two_codes_are_both_active_until_each_is_cleared() -> None:
    twin = LiveTwin("mill-1", "uid")
    offer(twin, 1, "warning|7|||door")
    offer(twin, 1, "fault|100|||spindle", seq=1)
    assert shown(twin) == "warning|7|||door\nfault|100|||spindle"
    offer(twin, 2, "normal|7|||")
    assert shown(twin) == "fault|100|||spindle"
    offer(twin, 3, "normal||||")
    assert shown(twin) == "normal||||"


def test_unavailable_clears_all_and_shows_no_value() -> None:
    twin = LiveTwin("mill-1", "uid")
    offer(twin, 1, "fault|100|||spindle")
    offer(twin, 2, None)
    assert shown(twin) is None
    offer(twin, 3, "warning|7|||door")
    assert shown(twin) == "warning|7|||door"


def test_a_late_entry_does_not_bring_back_what_is_over() -> None:
    twin = LiveTwin("mill-1", "uid")
    offer(twin, 5, "normal||||")
    offer(twin, 4, "fault|100|||spindle")
    assert shown(twin) == "normal||||"


def test_what_history_recalls_gives_way_to_what_was_said_since() -> None:
    twin = LiveTwin("mill-1", "uid")
    twin.offer("speed", ((9, 0, 1, 0), 10.0, 0, 9))
    twin.recall({"speed": (9, 5.0, 0, 9), "system": (3, "fault|1|||a\nwarning|2|||b", 0, 3)}, {"system"})
    assert twin.message({}, whole=True)["values"]["speed"][1] == 10.0
    assert shown(twin) == "fault|1|||a\nwarning|2|||b"
    offer(twin, 10, "normal|1|||")
    assert shown(twin) == "warning|2|||b"
