import assert from "node:assert/strict"
import { test } from "node:test"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import type { Issuer } from "#core/auth/jwt/issuer.ts"
import type { Client } from "#core/federation/client.ts"
import { sample, scrape, startBoth } from "./testing.ts"

const broken = (): never => {
  throw new Error("a fault of ours")
}
const issuer: Omit<Issuer<Client>, "owner"> = {
  issuer: "i",
  audience: [],
  keys: noKeys,
  known: () => undefined,
  precheck: () => undefined,
  verify: () => Promise.resolve({ reason: "" }),
}
const JWT = ["{}", '{"iss":"i"}', "x"].map((part) => Buffer.from(part).toString("base64url")).join(".")

for (const [when, change] of Object.entries({
  "at once": { known: broken },
  later: { verify: () => Promise.reject(new Error("a fault of ours")) },
  "after the client was identified": { verify: () => Promise.resolve({ owner: undefined } as never) },
})) {
  test(`a request that fails ${when} by a bug gets a response, is counted, and harms no other`, async (t) => {
    const { proxy } = await startBoth(t, sample, {
      policy: { issuers: [{ ...issuer, ...change, owner: undefined as never }] },
    })
    const signal = AbortSignal.timeout(3000)
    const response = await fetch(`${proxy.url}/federate?match[]=up`, {
      headers: { authorization: `Bearer ${JWT}` },
      signal,
    })
    assert.deepEqual([response.status, await response.text()], [500, "Internal error; see the log.\n"])
    const lines = await proxy.requests(1)
    assert.deepEqual(
      lines.map(({ status, reason }) => [status, reason]),
      [[500, "internal"]],
    )
    assert.equal((await scrape(proxy.url)).status, 200)
  })
}

test("requests of strangers that fail by a bug are throttled like wrong tokens", async (t) => {
  const { proxy } = await startBoth(t, sample, {
    policy: { issuers: [{ ...issuer, known: broken, owner: undefined as never }] },
  })
  const statuses: number[] = []
  for (let i = 0; i < 40; i++) {
    const response = await fetch(`${proxy.url}/federate`, { headers: { authorization: `Bearer ${JWT}` } })
    await response.text()
    statuses.push(response.status)
  }
  assert.deepEqual([...new Set(statuses)], [500, 429])
  assert.equal((await scrape(proxy.url)).status, 200)
})
