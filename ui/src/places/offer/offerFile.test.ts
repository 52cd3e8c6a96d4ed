import { describe, expect, it } from "vitest";
import { comingYear, faultsOf, fileOf, followingTerm, formOf, newOffer, otherFaults, read, textOf, write } from "./offerFile";

const offer = () => newOffer("maker", "plant", ["crane-1"], { contract: "offer-crane-1", title: "Crane" }, "Europe/Helsinki", "2026-11-29");
const fault = (where: string) => ({ code: "x", message: where, hint: "", where });

describe("an offer on the form", () => {
  it("becomes a file with figures, and keeps what is no figure for the node to refuse", () => {
    let form = write(offer(), "price.fee", "48000.50");
    form = write(form, "guarantee.level", "98,5");
    const file = fileOf(form);
    expect(read(file, "price.fee")).toBe(48000.5);
    expect(read(file, "version")).toBe(1);
    expect(read(file, "guarantee.level")).toBe("98,5");
    expect(read(fileOf(offer()), "price.fee")).toBe("");
  });

  it("leaves out a budget of hours that nobody typed", () => {
    const form = write(offer(), "guarantee.exclusions", [{ kind: "planned_work", budget_hours: "" }, { kind: "material", budget_hours: "8" }]);
    expect(read(fileOf(form), "guarantee.exclusions")).toEqual([{ kind: "planned_work" }, { kind: "material", budget_hours: 8 }]);
  });

  it("is what was read when nothing is changed", () => {
    const file = fileOf(write(offer(), "price.fee", "100"));
    expect(fileOf(formOf(file) as never)).toEqual(file);
    expect(textOf(formOf(file) as never, "price.fee")).toBe("100");
  });

  it("changes one place and no other", () => {
    const before = offer();
    const after = write(before, "warranty.months", "24");
    expect(read(after, "warranty")).toEqual({ months: "24" });
    expect(read(before, "warranty")).toBeUndefined();
    expect(read(write(after, "warranty", undefined), "warranty")).toBeUndefined();
  });

  it("shows a fault beside the field it concerns, and all others once", () => {
    const faults = [fault("guarantee.level"), fault("machines[0]"), fault("guarantee.credit"), fault("partners.soft")];
    expect(faultsOf(faults, "guarantee.level")).toHaveLength(1);
    expect(faultsOf(faults, "machines")).toHaveLength(1);
    expect(faultsOf(faults, "guarantee.credit.step")).toHaveLength(0);
    expect(otherFaults(faults).map((one) => one.where)).toEqual(["guarantee.credit", "partners.soft"]);
  });

  it("goes on from the end for as long again", () => {
    const term = (from: string, to: string) => read(followingTerm(write(write(offer(), "period.from", from), "period.to", to)), "period");
    expect(term("2026-01-01", "2027-01-01")).toMatchObject({ from: "2027-01-01", to: "2028-01-01" });
    expect(term("2027-03-01", "2028-03-01")).toMatchObject({ from: "2028-03-01", to: "2029-03-01" });
    expect(term("2026-01-01", "2026-02-15")).toMatchObject({ from: "2026-02-15", to: "2026-04-01" });
    expect(term("2026-01-01", "")).toMatchObject({ from: "2026-01-01", to: "" });
  });

  it("begins with the coming month", () => {
    expect(comingYear("2026-11-29")).toEqual({ from: "2026-12-01", to: "2027-12-01" });
    expect(comingYear("2026-12-31")).toEqual({ from: "2027-01-01", to: "2028-01-01" });
  });
});
