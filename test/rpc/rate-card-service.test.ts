import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import type { Price, PriceSchema } from "../../gen/drawdown/v1/price_pb.ts";
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import {
  openRegisteredServices,
  type RegisteredServices,
  refusalOf,
  withId,
} from "./registered-services.ts";

const { createCurrency } = CurrencyService.method;
const { createRateCard, getRateCard, listRateCards, archiveRateCard } = RateCardService.method;

let services: RegisteredServices;
let call: RegisteredServices["call"];

beforeAll(async () => {
  services = await openRegisteredServices();
  ({ call } = services);
});
afterAll(() => services.close());

type PriceInit = Exclude<MessageInitShape<typeof PriceSchema>, Price>;

const FLAT: PriceInit = { model: { case: "flat", value: { amount: "1" } } };

interface Over {
  readonly name?: string;
  readonly currency?: string;
  readonly price?: PriceInit;
  readonly minimumAmount?: string;
  readonly maximumAmount?: string;
}

function rateCard(key: string, over: Over = {}) {
  return withId({
    key,
    featureKey: "api",
    currency: "USD",
    settlementMode: SettlementMode.CREDIT_ONLY,
    price: FLAT,
    ...over,
  });
}

describe("D1 RateCardService", () => {
  const tiers = [
    { upTo: "10.50", unitAmount: "0.000000000001", flatAmount: "2.10" },
    { upTo: "20", unitAmount: "", flatAmount: "" },
    { upTo: "", unitAmount: "3", flatAmount: "" },
  ];

  test.each<[model: string, price: PriceInit]>([
    ["flat", FLAT],
    ["per_unit", { model: { case: "perUnit", value: { unitAmount: "0.50" } } }],
    ["package", { model: { case: "package", value: { amount: "5", packageSize: "100" } } }],
    ["graduated", { model: { case: "graduated", value: { tiers } } }],
    ["volume", { model: { case: "volume", value: { tiers } } }],
  ])("a %s price is kept, with its amounts in canonical form", async (model, price) => {
    const limits = { minimumAmount: "0.10", maximumAmount: "99.999999999999" };
    const request = rateCard(`kept ${model}`, { name: "Kept", price, ...limits });
    const { rateCard: created } = await call(createRateCard, request);
    const { rateCard: read } = await call(getRateCard, { key: `kept ${model}` });

    expect(read).toEqual(created);
    expect(read).toMatchObject({
      version: 1,
      name: "Kept",
      featureKey: "api",
      settlementMode: SettlementMode.CREDIT_ONLY,
      minimumAmount: "0.1",
      maximumAmount: "99.999999999999",
    });
    expect(read?.price?.model.case).toBe(price.model?.case);
    const value = read?.price?.model.value;
    if (value !== undefined && "tiers" in value) {
      expect(value.tiers.map((tier) => [tier.upTo, tier.unitAmount, tier.flatAmount])).toEqual([
        ["10.5", "0.000000000001", "2.1"],
        ["20", "0", "0"],
        ["", "3", "0"],
      ]);
    }
  });

  test("what the declared rules cannot see is refused before the request id is looked at", async () => {
    const known = rateCard("limits");
    await call(createRateCard, known);
    const wrongLimits = { ...known, minimumAmount: "2", maximumAmount: "1" };
    const [first, ...rest] = tiers;
    const descending = [...rest.slice(0, 1), first ?? {}, ...rest.slice(1)];
    const wrongTiers: PriceInit = { model: { case: "volume", value: { tiers: descending } } };
    const wrongOrder = { ...known, price: wrongTiers };

    expect(await refusalOf(call(createRateCard, wrongLimits))).toEqual([
      "INVALID_REQUEST",
      "maximum_amount",
      {},
    ]);
    expect(await refusalOf(call(createRateCard, wrongOrder))).toEqual([
      "INVALID_REQUEST",
      "price.volume.tiers[1].up_to",
      {},
    ]);
  });

  test("a known key adds a version; each stays readable", async () => {
    const { rateCard: first } = await call(createRateCard, rateCard("versions", { name: "one" }));
    const { rateCard: second } = await call(createRateCard, rateCard("versions", { name: "two" }));

    expect([first?.version, second?.version]).toEqual([1, 2]);
    const get = async (version: number) =>
      (await call(getRateCard, { key: "versions", version })).rateCard;
    expect([await get(0), await get(1), await get(2)]).toEqual([second, first, second]);
    const facts = { rate_card_key: "versions" };
    expect(await refusalOf(get(3))).toEqual([
      "RATE_CARD_NOT_FOUND",
      "",
      { ...facts, version: "3" },
    ]);
    expect(await refusalOf(call(getRateCard, { key: "nothing" }))).toEqual([
      "RATE_CARD_NOT_FOUND",
      "",
      { rate_card_key: "nothing" },
    ]);
  });

  test("archiving applies to the newest version, and repeating it changes nothing", async () => {
    const key = "archived";
    await call(createRateCard, rateCard(key));
    await call(createRateCard, rateCard(key));
    const { rateCard: archived } = await call(archiveRateCard, withId({ key }));
    const again = await call(archiveRateCard, withId({ key }));

    expect(archived).toMatchObject({ key, version: 2 });
    expect(archived?.archivedAt).toBeDefined();
    expect(again.rateCard).toEqual(archived);
    expect((await call(getRateCard, { key })).rateCard).toEqual(archived);
    expect((await call(getRateCard, { key, version: 1 })).rateCard?.archivedAt).toBeUndefined();
    const { rateCard: later } = await call(createRateCard, rateCard(key));
    expect([later?.version, later?.archivedAt]).toEqual([3, undefined]);
  });

  test("a version that is created and archived at once is stored so", async () => {
    const key = "short-lived";
    const [, { rateCard: archived }] = await Promise.all([
      call(createRateCard, rateCard(key)),
      call(archiveRateCard, withId({ key })),
    ]);
    expect(archived?.archivedAt).toBeDefined();
    expect((await call(getRateCard, { key })).rateCard).toEqual(archived);
  });

  test("a currency that was registered a moment ago prices", async () => {
    const currency = "MOMENTS";
    const [, { rateCard: created }] = await Promise.all([
      call(createCurrency, withId({ code: currency })),
      call(createRateCard, rateCard("in moments", { currency })),
    ]);
    expect(created?.currency).toBe(currency);
    const fine: PriceInit = { model: { case: "flat", value: { amount: "0.5" } } };
    const tooFine = rateCard("in parts of moments", { currency, price: fine });
    expect(await refusalOf(call(createRateCard, tooFine))).toEqual([
      "AMOUNT_TOO_FINE",
      "price.flat.amount",
      { currency, decimals: "0" },
    ]);
  });
});

describe("ListRateCards", () => {
  const shown = ({ key, version }: { readonly key: string; readonly version: number }) =>
    `${key}@${version}`;

  async function listAll(key: string, pageSize: number): Promise<readonly string[]> {
    const found: string[] = [];
    let pageToken = "";
    do {
      const page = await call(listRateCards, { key, pageSize, pageToken });
      found.push(...page.rateCards.map(shown));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return found;
  }

  test("the newest version of each, in the order in which the cards were created", async () => {
    const before = await listAll("", 1_000);
    for (const key of ["x", "y", "x", "z", "x", "y"]) await call(createRateCard, rateCard(key));

    expect(await listAll("", 1_000)).toEqual([...before, "x@3", "y@2", "z@1"]);
    expect(await listAll("", 2)).toEqual([...before, "x@3", "y@2", "z@1"]);
    expect(await listAll("x", 2)).toEqual(["x@1", "x@2", "x@3"]);
    expect(await listAll("nothing", 2)).toEqual([]);
  });

  test("a version that is added between two pages neither repeats a card nor hides one", async () => {
    for (const key of ["p", "q", "r"]) await call(createRateCard, rateCard(key));
    const all = await listAll("", 1_000);
    const pageSize = all.length - 2;
    const first = await call(listRateCards, { pageSize });
    await call(createRateCard, rateCard("p"));
    await call(createRateCard, rateCard("q"));
    const second = await call(listRateCards, { pageToken: first.nextPageToken });

    expect(first.rateCards.map(shown)).toEqual(all.slice(0, pageSize));
    expect(second.rateCards.map(shown)).toEqual(["q@2", "r@1"]);
  });

  test("a token is bound to the key", async () => {
    const { nextPageToken: pageToken } = await call(listRateCards, { key: "x", pageSize: 1 });
    expect(await refusalOf(call(listRateCards, { key: "y", pageToken }))).toEqual([
      "CURSOR_MISMATCH",
      "page_token",
      {},
    ]);
  });
});
