import { createHash } from "node:crypto"
import type { TestContext } from "node:test"
import { SHARED, TOKEN } from "../../../../dev/testing/attacks/request.ts"
import { seriesOfAll, startFakeStore } from "../store.testing.ts"
import { startTestExposition } from "../testing.ts"

/** A client of one tenant with the token and the selectors of the attacks; nothing is reused. */
const FILE = (upstream: string): string => `upstreams: ["${upstream}"]
reuse: 0
limits: {requests_per_second: 100000}
tokens:
  - name: team
    sha256: ${createHash("sha256").update(TOKEN).digest("hex")}
    tenants: [team-a]
    match: ['${SHARED}']
`
/** Milliseconds. */
const NOW = 1_800_000_000_000

/** The exposition before a store that keeps what it received. */
export async function startAttacked(t: TestContext) {
  const labels = { __name__: "project_vcpu_usage", job: "project_usages" }
  const sample = seriesOfAll(() => [{ labels, samples: [[NOW, 1]] }])
  const store = await startFakeStore(t, (received, response, request) => {
    response.setHeader("server", "secret/1.0").setHeader("set-cookie", "a=b")
    sample(received, response, request)
  })
  const exposition = await startTestExposition(t, FILE(store.url), { now: () => new Date(NOW) })
  return { ...exposition, store }
}
