"""What a connector says about the configuration of a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from servitwin.domain.error import Fault, NotFoundError
from servitwin.sdk.discovery import plugin


def check_connection(connector: str, config: Mapping[str, Any]) -> Sequence[Fault]:
    """Faults of a connection's configuration, as the connector itself finds them."""
    try:
        module: Any = plugin("connector", connector).load()
    except NotFoundError as e:
        return e.faults
    except Exception as e:  # noqa: BLE001 - a partner's code: what it raises while it is loaded is its own fault
        return [
            Fault("plugin:failed", f"{connector} cannot be loaded: {type(e).__name__}: {e}"[:500], "Tell its maker")
        ]
    try:
        return list(module.check(config))
    except Exception as e:  # noqa: BLE001 - as above
        return [Fault("plugin:failed", f"{connector}: {type(e).__name__}: {e}"[:500], "Tell its maker", "config")]
