"""Time without data under a guarantee: the contract's rule, turned wherever it would reward who lost the data.

What lay in a gap is not known, but what lay around it is. A party that lost the data has the contract's rule only
where both sides of the gap speak for it; otherwise the gap counts against it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from servitwin.domain.contract import GapTerm
from servitwin.domain.time_table import Codes

_AVAILABLE, _UNAVAILABLE, _EXCLUDED = 0, 1, 2
_PROVIDER, _CUSTOMER = 1, 2
_RULE = {"available": _AVAILABLE, "unavailable": _UNAVAILABLE, "pro_rata": _EXCLUDED}


def gap_category(
    category: Codes, unknown: npt.NDArray[np.bool_], lost_by: Codes, term: GapTerm
) -> tuple[Codes, npt.NDArray[np.bool_]]:  # fmt: skip
    """Category of each unknown stretch, and whether the rule was turned against who lost the data.

    ``category`` is what the known stretches count as; ``lost_by`` 1 provider, 2 customer, else neither.
    """
    known = np.flatnonzero(~unknown)
    places = np.flatnonzero(unknown)
    after = np.searchsorted(known, places)
    before = np.append(category[known], -1)[np.where(after > 0, after - 1, len(known))]
    behind = np.append(category[known], -1)[np.minimum(after, len(known))]
    stopped = (before == _UNAVAILABLE) | (behind == _UNAVAILABLE)
    silent = (before == -1) & (behind == -1)
    running = ~stopped & ~silent
    standing = (before == _UNAVAILABLE) & (behind == _UNAVAILABLE)
    by_rule = np.full(len(places), _RULE[term.rule], np.int32)
    lost = lost_by[places]
    # The provider gains by whatever is better for it than unavailable, the customer by what is worse than available.
    by_provider = np.where(running, _least(by_rule, _EXCLUDED), _UNAVAILABLE)
    by_customer = np.where(standing, _most(by_rule, _EXCLUDED), _AVAILABLE)
    found = np.where(lost == _PROVIDER, by_provider, np.where(lost == _CUSTOMER, by_customer, by_rule))
    return found.astype(np.int32), found != by_rule


def _least(rule: Codes, otherwise: int) -> Codes:
    """Unavailable stays unavailable; anything better becomes left out."""
    return np.where(rule == _UNAVAILABLE, _UNAVAILABLE, otherwise).astype(np.int32)


def _most(rule: Codes, otherwise: int) -> Codes:
    """Available stays available; anything worse becomes left out."""
    return np.where(rule == _AVAILABLE, _AVAILABLE, otherwise).astype(np.int32)
