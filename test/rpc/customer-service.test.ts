import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import {
  OTHER_TENANT,
  openRegisteredServices,
  type RegisteredServices,
  refusalOf,
  withId,
} from "./registered-services.ts";

const { createCustomer, getCustomer, listCustomers, updateCustomer } = CustomerService.method;
const { listRateCards } = RateCardService.method;

let services: RegisteredServices;
let call: RegisteredServices["call"];

beforeAll(async () => {
  services = await openRegisteredServices();
  ({ call } = services);
});
afterAll(() => services.close());

describe("CustomerService", () => {
  test("a customer is read back by id, in capitals too, and by key", async () => {
    const request = withId({ key: "ada", name: "Ada", metadata: { plan: "gold" } });
    const { customer } = await call(createCustomer, request);

    expect(customer).toMatchObject({ key: "ada", name: "Ada", metadata: { plan: "gold" } });
    expect(customer?.createdAt?.seconds).toBeGreaterThan(1_700_000_000n);
    const id = customer?.id ?? "";
    for (const name of [
      { case: "customerId", value: id },
      { case: "customerId", value: id.toUpperCase() },
      { case: "key", value: "ada" },
    ] as const) {
      expect((await call(getCustomer, { customer: name })).customer).toEqual(customer);
    }
    expect(await call(createCustomer, request)).toEqual({
      $typeName: "drawdown.v1.CreateCustomerResponse",
      customer,
    });
  });

  test("what is changed of a customer is read, and a repeated creation is as it was", async () => {
    const request = withId({ key: "to be renamed", name: "Before" });
    const { customer } = await call(createCustomer, request);
    const customerId = customer?.id ?? "";
    await call(updateCustomer, withId({ customerId, name: "After" }));

    const named = { customer: { case: "customerId", value: customerId } } as const;
    expect((await call(getCustomer, named)).customer?.name).toBe("After");
    expect((await call(createCustomer, request)).customer?.name).toBe("Before");
  });

  test("an unknown customer is named as it was asked for", async () => {
    const id = "01900000-0000-7000-8000-00000000aaaa";
    const byId = { customer: { case: "customerId", value: id } } as const;
    const byKey = { customer: { case: "key", value: "nobody" } } as const;
    expect(await refusalOf(call(getCustomer, byId))).toEqual([
      "CUSTOMER_NOT_FOUND",
      "",
      { customer_id: id },
    ]);
    expect(await refusalOf(call(getCustomer, byKey))).toEqual([
      "CUSTOMER_NOT_FOUND",
      "",
      { key: "nobody" },
    ]);
  });

  test("another tenant finds nobody, by id or by key", async () => {
    const { customer } = await call(createCustomer, withId({ key: "private" }));
    const byId = { customer: { case: "customerId", value: customer?.id ?? "" } } as const;
    const byKey = { customer: { case: "key", value: "private" } } as const;
    for (const name of [byId, byKey]) {
      const [reason] = (await refusalOf(call(getCustomer, name, OTHER_TENANT))) as unknown[];
      expect(reason).toBe("CUSTOMER_NOT_FOUND");
    }
    expect((await call(listCustomers, {}, OTHER_TENANT)).customers).toEqual([]);
  });
});

describe("ListCustomers", () => {
  /** All keys, page by page. */
  async function listKeys(pageSize: number): Promise<readonly (readonly string[])[]> {
    const pages: string[][] = [];
    let pageToken = "";
    do {
      const page = await call(listCustomers, { pageSize, pageToken });
      pages.push(page.customers.map(({ key }) => key));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return pages;
  }

  test("lists in the order of creation, the last page without a token", async () => {
    const [before] = await listKeys(1_000);
    for (const key of ["l1", "l2", "l3"]) await call(createCustomer, withId({ key }));

    const pages = await listKeys(2);
    expect(pages.flat()).toEqual([...(before ?? []), "l1", "l2", "l3"]);
    expect(pages.every(({ length }) => length > 0 && length <= 2)).toBe(true);
    expect(await listKeys(pages.flat().length)).toHaveLength(1);
  });

  test("a page ends early where it would be too large", async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`k${index}`, "é".repeat(500)]),
    );
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        call(createCustomer, withId({ key: `large ${index}`, metadata })),
      ),
    );
    const pages = await listKeys(1_000);
    expect(pages.length).toBe(2);
    expect(new Set(pages.flat()).size).toBe(pages.flat().length);
  });

  test("a token of another list, or of another tenant, is refused", async () => {
    const { nextPageToken: pageToken } = await call(listCustomers, { pageSize: 1 });
    expect(pageToken).not.toBe("");
    const mismatch = ["CURSOR_MISMATCH", "page_token", {}];
    expect(await refusalOf(call(listCustomers, { pageToken }, OTHER_TENANT))).toEqual(mismatch);
    expect(await refusalOf(call(listRateCards, { pageToken }))).toEqual(mismatch);
    expect(await refusalOf(call(listCustomers, { pageToken: "1" }))).toEqual(mismatch);
  });
});
