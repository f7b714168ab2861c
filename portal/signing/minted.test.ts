import assert from "node:assert/strict"
import { test } from "node:test"
import { createKey } from "./key.ts"
import { openMinted } from "./minted.ts"

const ABOUT = { issuer: "https://portal.example.org", subject: "portal.example.org" }
const NOW = 1_796_000_000
const SITE = { name: "site-a", audience: "a" }

async function signed() {
  const minted = openMinted(ABOUT, 3600)
  const key = await createKey("ES256", NOW)
  minted.list([SITE])
  assert.equal(await minted.renew(key, NOW), false) // the first one replaces none
  const { token } = minted.tokenOf("site-a") ?? assert.fail()
  return { minted, key, token }
}

test("signs anew from half of the life of a token on", async () => {
  const { minted, key, token } = await signed()
  assert.deepEqual([await minted.renew(key, NOW + 1799), minted.tokenOf("site-a")?.token], [false, token])
  assert.equal(await minted.renew(key, NOW + 1800), true)
  assert.deepEqual([minted.tokenOf("site-a")?.issued, minted.tokenOf("site-a")?.expires], [NOW + 1800, NOW + 5400])
})

test("signs anew with another key at once: the one before may be dropped", async () => {
  const { minted } = await signed()
  const key = await createKey("ES256", NOW)
  assert.equal(await minted.renew(key, NOW + 1), true)
  assert.equal(minted.tokenOf("site-a")?.kid, key.kid)
})

test("signs anew where the clock is set back, as sites refuse tokens of the future", async () => {
  const { minted, key, token } = await signed()
  assert.deepEqual([await minted.renew(key, NOW - 5), minted.tokenOf("site-a")?.token], [false, token])
  assert.equal(await minted.renew(key, NOW - 6), true)
  assert.equal(minted.tokenOf("site-a")?.issued, NOW - 6)
})

test("takes up a token of an earlier process, and none of another issuer, audience or with other selectors", async () => {
  const { token } = await signed()
  const takes = (site: Parameters<ReturnType<typeof openMinted>["seed"]>[0], issuer = ABOUT.issuer): boolean => {
    const minted = openMinted({ ...ABOUT, issuer }, 3600)
    minted.list([site])
    minted.seed(site, token)
    return minted.tokenOf(site.name)?.token === token
  }
  assert.equal(takes(SITE), true)
  assert.equal(takes(SITE, "https://other.example.org"), false)
  assert.equal(takes({ ...SITE, audience: "b" }), false)
  assert.equal(takes({ ...SITE, match: ["up"] }), false)
})

test("keeps no token of a site that has another audience, or is listed no longer", async () => {
  const { minted, token } = await signed()
  minted.list([SITE, { name: "site-b", audience: "b" }])
  assert.equal(minted.tokenOf("site-a")?.token, token)
  minted.list([{ ...SITE, audience: "b" }])
  assert.equal(minted.tokenOf("site-a"), undefined)
})
