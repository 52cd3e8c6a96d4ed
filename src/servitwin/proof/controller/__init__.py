"""Model checker for the state machines of controllers: bounded, by induction, by property-directed reachability."""
