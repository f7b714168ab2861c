import assert from "node:assert/strict"
import { test } from "node:test"
import { type SiteStatus, statusLine, statusTable } from "./federation.ts"

const delivering: SiteStatus = { site: "site-a", series: 12, age: 0.84, error: undefined }
const silent: SiteStatus = { site: "site-bb", series: 0, age: undefined, error: undefined }
const failing: SiteStatus = { site: "site-c", series: 3, age: 61, error: "server returned HTTP status 401" }

test("shows each site's state, series and last delivery", () => {
  assert.equal(
    statusTable([delivering, silent, failing]),
    `SITE     STATE                            SERIES  LAST DELIVERY
site-a   delivers                             12      0.8 s ago
site-bb  nothing yet                           0          never
site-c   server returned HTTP status 401       3     61.0 s ago
`,
  )
})

test("shows in one line what it waits for", () => {
  assert.equal(statusLine([delivering, silent, failing]), "1 of 3 sites federated, waiting for site-bb, site-c")
})

test("names only the first of many sites that it waits for", () => {
  const many = ["a", "b", "c", "d", "e"].map((site) => ({ ...silent, site }))
  assert.equal(statusLine(many), "0 of 5 sites federated, waiting for a, b, c and 2 more")
})
