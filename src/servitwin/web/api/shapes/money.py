"""Shapes of usage, ledger, invoices and results. Money is decimal text with its currency beside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape

Decimal = Annotated[str, Field(description="Decimal text", examples=["1680.00"])]


class UsageData(Shape):
    """What was used."""

    contract: str
    meter: str = Field(examples=["parts"])
    quantity: str = Field(examples=["12.5"], max_length=40)
    unit: str = Field("", max_length=20)


class UsageEvent(Shape):
    """A usage record as a CloudEvent 1.0; (source, id) counts once for good."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(max_length=200)
    source: str = Field(max_length=200)
    type: Literal["servitwin.usage"] = "servitwin.usage"
    time: InstantIn
    subject: str = Field(description="twin", max_length=63)
    data: UsageData


class UsageTakenShape(Shape):
    """What became of a batch; what was repeated is billed once, conflicts are kept aside."""

    taken: int
    repeated: int
    conflicts: int


class UsageShape(Shape):
    """A usage record."""

    source: str
    id: str
    contract: str
    twin: str
    meter: str
    quantity: Decimal
    unit: str
    at: Instant
    conflict: str = Field("", description="why it is not billed")


class PostingShape(Shape):
    """An amount on an account; debit positive."""

    account: str
    amount: Decimal
    currency: str


class EntryShape(Shape):
    """A booking."""

    id: str
    at: Instant
    kind: str
    contract: str
    customer: str
    text: str
    cause: str
    corrects: str
    postings: list[PostingShape]


class CostIn(Shape):
    """A cost of a contract: a visit, spare parts, or data."""

    contract: str
    kind: Literal["visits", "parts", "data"]
    amount: Decimal
    currency: str
    text: str = Field(max_length=500)
    cause: str = Field("", max_length=200, description="work order, order or receipt")
    corrects: str = Field("", description="id of the entry that this one corrects")


class InvoiceSummary(Shape):
    """An invoice or credit note as lists show it."""

    number: str
    seller: str
    buyer: str
    type: Literal["380", "381"] = Field(description="380 invoice, 381 credit note")
    issued: str
    due: str
    contract: str
    from_: str = Field(alias="from", description="first day it is for")
    to: str = Field(description="last day it is for")
    net: Decimal
    tax: Decimal
    total: Decimal
    currency: str
    credits: str
    cause: str
    settled: Decimal = Field(description="what was paid of it, of a credit note what was paid back")
    offset: Decimal = Field(description="what credit notes took off it, of a credit note what it took off its invoice")
    open: Decimal = Field(description="what is left to pay, of a credit note to pay back, credit set against it")
    credited_by: list[str] = Field(description="credit notes that name it")
    paid: bool = Field(description="nothing is open")


class InvoiceDetail(InvoiceSummary):
    """An invoice whole; as UBL, CII or PDF under `/invoices/{number}/document`."""

    lines: list[dict[str, Any]]
    vat: list[dict[str, Any]]
    note: str
    seller_business: dict[str, Any]
    buyer_business: dict[str, Any]


class BilledShape(Shape):
    """Documents of a settlement, and the partners' shares."""

    invoices: list[InvoiceSummary]
    shares: dict[str, Decimal]


class ServiceLevelShape(Shape):
    """A partner's service level over a period."""

    party: str
    period: str
    measure: str
    level: Decimal
    unit: str
    percent: Decimal | None = Field(description="stretches of the period that hold data; null: nothing to measure")
    needed: Decimal
    kept: bool
    worst: str = Field(description="twin/signal that held least")
    malus_percent: Decimal = Field(description="of the partner's share, if it was not kept")


class PaymentIn(Shape):
    """A payment that came in."""

    amount: Decimal
    reference: str = Field("", max_length=200)


class BookedShareShape(Shape):
    """An amount booked for a partner."""

    at: Instant
    period: str
    amount: Decimal


class ShareShape(Shape):
    """A contract as its partner sees it: nothing of its price, its customer or other partners."""

    contract: str
    title: str
    provider: str
    machines: list[str]
    share_percent: str
    period: str = Field(description="settlement period that the levels are of")
    levels: list[ServiceLevelShape]
    booked: list[BookedShareShape]
    total: Decimal
    currency: str
