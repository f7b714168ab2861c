import assert from "node:assert/strict"
import { test } from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { refusalOf } from "./admission.ts"

const BOUNDS = { waitingBytes: 1000, waitingBytesOfTenant: 300 }

const admit = (bytes: number, own: number, all: { readonly bytes: number; readonly tenants: number }) =>
  refusalOf({ bytes }, { waitingBytes: own, tenant: "t" as TenantId }, { ...all }, BOUNDS)

const OF_TENANT = "too much waits for tenant t, whose upstream requests take long"
const OF_ALL = "too much waits for upstream requests that take long"

/** Bytes of a slice, of what waits of its tenant, of all, and how many tenants these are. */
const CASES: readonly (readonly [number, number, number, number, string | undefined])[] = [
  [100, 0, 0, 0, undefined],
  [5000, 0, 0, 0, undefined], // else it could never be sent
  [100, 200, 200, 1, undefined],
  [101, 200, 200, 1, OF_TENANT],
  [100, 0, 400, 1, undefined],
  [200, 0, 400, 2, OF_ALL], // its share is a third of 500
  [166, 0, 400, 2, undefined],
  [66, 100, 450, 3, undefined],
  [67, 100, 450, 3, OF_ALL],
  [100, 0, 900, 3, undefined],
  [101, 0, 900, 3, OF_ALL],
]

for (const [bytes, own, all, tenants, refusal] of CASES)
  test(`${refusal === undefined ? "admits" : "refuses"} ${bytes} bytes beside ${own} of the tenant and ${all} of ${tenants} tenants`, () => {
    assert.equal(admit(bytes, own, { bytes: all, tenants }), refusal)
  })
