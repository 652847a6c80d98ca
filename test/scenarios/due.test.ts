/** Owns the scenarios of what time does by itself: in which order, and how much at once. */
import { describe, expect, test } from "vitest";
import { DUE_BOUNDS } from "../../src/charge/book-due.ts";
import { Customer } from "./customer.ts";
import { play, playQuietly, scenario } from "./scenario.ts";
import { momentText } from "./words.ts";

describe("M6 what is due is booked in time order before anything is answered", () => {
  scenario(
    "at one instant hold timeouts come first, then expiries, then activations",
    `
    grant B 10 USD from d7
    grant A 100 USD until d7
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    charge K 20 USD hold
    clock d7
      transfer RELEASED A H 60 customer_held -> customer_credit
      transfer RELEASED A K 20 customer_held -> customer_credit
      transfer EXPIRED A 100 customer_credit -> breakage
      transfer FUNDED B 10 promotion -> customer_credit
      balance USD settled 10 held 0 pending 10 upcoming 0
    `,
  );
  scenario(
    "events of one kind at one instant go in creation order",
    `
    grant C 3 USD from d1 until d2 priority 1
    grant B 2 USD from d1 until d2 priority 2
    grant A 1 USD from d1 until d2 priority 3
    clock d3
      FUNDED    C          +3     0 -> 3     @d1
      FUNDED    B          +2     3 -> 5     @d1
      FUNDED    A          +1     5 -> 6     @d1
      EXPIRED   C          -3     6 -> 3     @d2
      EXPIRED   B          -2     3 -> 1     @d2
      EXPIRED   A          -1     1 -> 0     @d2
    `,
  );
  scenario(
    "booking one event can create another: an activation begins a duration that ends as well",
    `
    grant A 10 USD from d1 lasting PT1H
    grant B 20 USD from d1+1s until d5
    clock d2
      FUNDED    A         +10     0 -> 10    @d1
      FUNDED    B         +20    10 -> 30    @d1+1s
      EXPIRED   A         -10    30 -> 20    @d1+1h
      grant A EXPIRED effective d1 expires d1+1h
    `,
  );
  scenario(
    "a timeout frees credit that then expires at its own time",
    `
    grant A 10 USD until d9
      FUNDED    A         +10     0 -> 10
    charge H 10 USD hold
    clock d20
      EXPIRED   A         -10    10 -> 0     @d9
      charge H CANCELED canceled d7
    `,
  );
  scenario(
    "a command finds what is due booked, and is judged by it",
    `
    grant A 10 USD until d9
      FUNDED    A         +10     0 -> 10
    charge H 4 USD hold until d8
    later d8
    settle charge H
      refused CHARGE_NOT_OPEN status CANCELED
      charge H CANCELED canceled d8
    later d9
    void grant A
      EXPIRED   A         -10    10 -> 0
      refused CREDIT_GRANT_NOT_ACTIVE status EXPIRED
    `,
  );
  scenario(
    "a void, a settlement and a draw take away what was due",
    `
    grant A 10 USD until d2
      FUNDED    A         +10     0 -> 10
    grant B 10 USD until d2
      FUNDED    B         +10    10 -> 20
    grant C 10 USD from d2
    charge H 10 USD hold until d2
    void grant C
    settle charge H
      CONSUMED  A H       -10    20 -> 10
    void grant B
      VOIDED    B         -10    10 -> 0
    clock d3
      grant A EXHAUSTED
      charge H SETTLED
    `,
  );
});

/** Eleven events of all kinds, so that every cut falls between some of them. */
const ELEVEN = `
  grant Z 8 USD from d4
  grant A 10 USD until d2
  grant B 10 USD until d3
  grant C 10 USD until d4
  grant D 10 USD from d1 lasting P2D
  grant E 10 USD from d2 until d4
  charge H 25 USD hold until d2
  charge K 3 USD hold until d3
  charge L 1 USD hold until d4
`;

describe("M6 the loop over what is due and its bounds", () => {
  const NO_BOUND = { eventsMax: 1_000, transfersMax: 5_000 };
  const allPages = { shelf: 100, due: 1_000 };
  const bookEleven = (pages = allPages, bounds = NO_BOUND) => {
    const customer = new Customer(pages, bounds);
    playQuietly(customer, ELEVEN);
    play(customer, "later d9");
    customer.keeper.bookDue();
    return { dueBooks: customer.keeper.dueBooks, transfers: customer.kept.transfers };
  };
  const whole = bookEleven();

  test("all that is due is booked in one book where the bounds allow it", () => {
    expect(whole.dueBooks).toBe(1);
    const due = whole.transfers.filter((row) => row.createdAt !== row.bookedAt);
    const dated = due.map((row) => `${row.event} ${momentText(row.bookedAt)}`);
    expect(dated).toEqual([
      "FUNDED d1",
      "RELEASED d2",
      "RELEASED d2",
      "RELEASED d2",
      "EXPIRED d2",
      "FUNDED d2",
      "RELEASED d3",
      "EXPIRED d3",
      "EXPIRED d3",
      "RELEASED d4",
      "EXPIRED d4",
      "EXPIRED d4",
      "FUNDED d4",
    ]);
  });

  test.each([
    ["one event at a time", allPages, { eventsMax: 1, transfersMax: 5_000 }, 11],
    ["five events at a time", allPages, { eventsMax: 5, transfersMax: 5_000 }, 3],
    ["loaded one by one", { shelf: 100, due: 1 }, NO_BOUND, null],
    ["loaded two by two", { shelf: 100, due: 2 }, NO_BOUND, null],
    [
      "loaded three by three, two at a time",
      { shelf: 1, due: 3 },
      { ...NO_BOUND, eventsMax: 2 },
      6,
    ],
  ])("%s: the journal is the same", (_name, pages, bounds, books) => {
    const cut = bookEleven(pages, bounds);
    expect(cut.transfers).toEqual(whole.transfers);
    if (books !== null) expect(cut.dueBooks).toBe(books);
    else expect(cut.dueBooks).toBeGreaterThan(1);
  });

  test("a book takes no more transfers than its bound, unless one event alone has more", () => {
    const customer = new Customer(allPages, { eventsMax: 1_000, transfersMax: 3 });
    playQuietly(customer, ELEVEN);
    play(customer, "later d9");
    customer.keeper.bookDue();
    expect(customer.kept.transfers).toEqual(whole.transfers);
    const counts = customer.keeper.dueTransfers;
    expect(counts.length).toBeGreaterThan(2);
    expect(Math.max(...counts)).toBe(3);
  });

  test("more than 1,000 due events take a second book", () => {
    const customer = new Customer({ shelf: 100, due: 5_000 });
    customer.keeper.begin();
    for (let index = 0; index < 1_005; index += 1) {
      playQuietly(customer, `grant G${index} 1 USD until d1`);
    }
    customer.keeper.commit();
    play(customer, "later d2");
    customer.keeper.bookDue();
    expect(DUE_BOUNDS.eventsMax).toBe(1_000);
    expect(customer.keeper.dueBooks).toBe(2);
    const expired = customer.kept.transfers.filter(({ event }) => event === "EXPIRED");
    expect(expired).toHaveLength(1_005);
  });
});
