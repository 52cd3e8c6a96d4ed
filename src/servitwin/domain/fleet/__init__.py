"""Moving robots: maps, routes without conflicts, right of way by reservation. Pure: no clock, no input or output."""
