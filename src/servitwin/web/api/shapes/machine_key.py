"""Shapes of machines' keys."""

from __future__ import annotations

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape


class MachineKeyShape(Shape):
    """A public key with which a machine's gateway signs what it sends."""

    id: str
    twin: str
    name: str = Field(description="what holds the private key")
    public_key: str = Field(description="Ed25519, 32 bytes, base64")
    since: Instant = Field(description="its signatures count, and unsigned messages are refused, from then on")
    revoked: Instant | None = Field(description="its signatures count for nothing from then on")
    released: Instant | None = Field(description="it demands no signatures any more from then on")
    reason: str


class MachineKeysShape(Shape):
    """Keys of a machine in the order in which they begin to count."""

    items: list[MachineKeyShape]
    demanded: bool = Field(description="whether what the machine sends now has to be signed")


class MachineKeyIn(Shape):
    """Register a key of a machine; the private one stays at the gateway."""

    public_key: str = Field(max_length=100)
    name: str = Field(max_length=200, examples=["gateway hall 2"])
    since: InstantIn | None = Field(None, description="default, and earliest: in ten seconds")
    replaces: str = Field("", max_length=64, description="id of the key that counts no more from then on")


class MachineKeyRevocationIn(Shape):
    """Why, from when on (default: now), and whether the machine is heard unsigned from then on."""

    reason: str = Field(min_length=1, max_length=500)
    from_: InstantIn | None = Field(None, alias="from")
    unsigned: bool = False
