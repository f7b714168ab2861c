import assert from "node:assert/strict"
import { test } from "node:test"
import { Registry } from "prom-client"
import type { Overview, SiteDetails, SiteStatus } from "./overview.ts"
import { timeMetrics } from "./time-metrics.ts"

const day = (number: number): Date => new Date(number * 86_400_000)

test("times of each site are there where they are known, and go with the site", async () => {
  // only these are looked at
  const sites = ["site-a", "site-b", "site-c"].map((name, index) => ({ name, since: day(index + 1) })) as SiteStatus[]
  const details: Readonly<Record<string, Partial<SiteDetails>>> = {
    "site-a": { certificateExpires: day(11), tokenExpires: day(21) },
    "site-b": { certificateExpires: day(12), tokenExpires: undefined },
  }
  let overview = { sites } as unknown as Overview
  const registry = new Registry()
  timeMetrics(
    registry,
    { current: () => overview, site: (name) => details[name] as SiteDetails | undefined },
    () => ({}),
  )
  const series = async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("fedstack"))
  assert.deepEqual(await series(), [
    'fedstack_portal_site_since_timestamp_seconds{site="site-a"} 86400',
    'fedstack_portal_site_since_timestamp_seconds{site="site-b"} 172800',
    'fedstack_portal_site_since_timestamp_seconds{site="site-c"} 259200',
    'fedstack_portal_site_certificate_expiry_timestamp_seconds{site="site-a"} 950400',
    'fedstack_portal_site_certificate_expiry_timestamp_seconds{site="site-b"} 1036800',
    'fedstack_portal_site_token_expiry_timestamp_seconds{site="site-a"} 1814400',
  ])

  overview = { sites: sites.slice(1) } as unknown as Overview
  assert.deepEqual(
    (await series()).filter((line) => line.includes("site-a")),
    [],
  )
})
