import assert from "node:assert/strict"
import { createServer, type IncomingMessage } from "node:http"
import { test, type TestContext } from "node:test"
import { decodeProtectedHeader } from "jose"
import { listen } from "../../dev/testing/listen.ts"
import { deliver, targetOf } from "../diagnosis/probe/testing.ts"
import { probe } from "../diagnosis/probe/probe.ts"
import { createKey } from "./key.ts"
import { mint } from "./mint.ts"
import { openTrial } from "./trial.ts"

const NOW = 1_800_000_000
const CLAIMS = { issuer: "https://portal.example.org", subject: "portal.example.org", audience: "site-a" }
const kidOf = ({ headers }: IncomingMessage): string | undefined =>
  decodeProtectedHeader((headers.authorization ?? "").replace(/^Bearer /, "")).kid

/** A site that accepts what is signed by these keys; undefined: it breaks off. */
async function start(t: TestContext) {
  const known = new Set<string>()
  const site = { known, requests: 0, isDown: false }
  const server = createServer((request, response) => {
    site.requests += 1
    if (site.isDown) return void response.destroy()
    if (known.has(kidOf(request) ?? "")) return deliver(response)
    response.writeHead(401).end("its key is not among those of the issuer\n")
  })
  const target = await targetOf(t, `url: "http://127.0.0.1:${await listen(t, server)}", jwt: {audience: site-a}`)
  const [present, next] = [await createKey("ES256", NOW), await createKey("ES256", NOW)]
  const signedBy = async (key: typeof next) => (await mint(key, CLAIMS, 60, Date.now() / 1000)).token
  const trial = openTrial(() => [{ target, signedBy }])
  t.after(() => trial.close())
  const tryAt = async (seconds: number) => {
    trial.tick(next, present, NOW + seconds)
    await trial.settled()
    return { refused: trial.isRefused(next.kid), by: trial.refusing() }
  }
  return { site, target, present, next, signedBy, tryAt, trial }
}

test("a site that accepts the present key and refuses the next one speaks against it, until it knows it", async (t) => {
  const { site, present, next, tryAt } = await start(t)
  site.known.add(present.kid)
  assert.deepEqual(await tryAt(0), { refused: true, by: ["site-a"] })
  site.known.add(next.kid)
  assert.deepEqual(await tryAt(59), { refused: true, by: ["site-a"] })
  assert.deepEqual(await tryAt(60), { refused: false, by: [] })
  const { requests } = site
  assert.deepEqual(await tryAt(120), { refused: false, by: [] })
  assert.equal(site.requests, requests, "who knows it is not asked again")
})

test("a site that refuses every token, or cannot be reached, speaks against no key", async (t) => {
  const { site, tryAt } = await start(t)
  assert.deepEqual(await tryAt(0), { refused: false, by: [] })
  site.isDown = true
  assert.deepEqual(await tryAt(60), { refused: false, by: [] })
})

test("a key is not taken as known before it was tried, nor one that another took the place of", async (t) => {
  const { trial, next, present } = await start(t)
  assert.equal(trial.isRefused(next.kid), true)
  trial.tick(next, present, NOW)
  assert.equal(trial.isRefused(next.kid), true, "the first round is under way")
  await trial.settled()
  assert.equal(trial.isRefused(next.kid), false)
  assert.equal(trial.isRefused(present.kid), true)
})

test("a site whose clock is 20 minutes behind refuses a token, and the probe says by how much", async (t) => {
  const { target, next, signedBy } = await start(t)
  const server = createServer((_, response) => {
    const late = new Date(Date.now() - 20 * 60_000).toUTCString()
    response.writeHead(401, { date: late }).end("not yet valid\n")
  })
  const url = new URL(`http://127.0.0.1:${await listen(t, server)}`)
  const contents = new Map([[target.site.secretFile ?? "", await signedBy(next)]])
  const report = await probe(
    { ...target, site: { ...target.site, url }, contents },
    { signal: AbortSignal.timeout(5000) },
  )
  assert.ok(Math.abs((report.clockSkew ?? 0) + 1200) <= 2, String(report.clockSkew))
  assert.match(report.findings[0]?.todo ?? "", /compare the clocks: the site.s is 20 min behind/)
})
