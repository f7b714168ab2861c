import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findHaproxy } from "../../../../dev/testing/haproxy.ts"
import { sendRaw } from "../../../../dev/testing/send-raw.ts"
import { until } from "../../../../dev/testing/until.ts"
import { BEARER, QUERY, SHARED, startTestProxy, startUpstream, TOKEN } from "../../testing.ts"
import { ATTACKS } from "../../../../dev/testing/attacks/attacks.ts"
import { SPELLINGS } from "../../../../dev/testing/attacks/spellings.ts"
import { freePort } from "../../../../dev/testing/free-port.ts"

const CONFIG = fileURLToPath(new URL("../../../../dev/fuzz/hardened-haproxy.cfg", import.meta.url))

/** What we let pass and the peer refuses: other spellings of the same request, and no more than that. */
const ONLY_OURS = [
  "an empty parameter",
  "in another order",
  "with spaces",
  "with plus signs for spaces",
  "with a trailing comma",
  "with a comment",
  "with other quotes and escapes",
  "twice",
  "with the scheme in another case",
]
/** What the peer lets pass and we refuse. */
const ONLY_THE_PEERS = [
  "a NUL",
  "a list of content lengths",
  "line feeds alone",
  "a line feed alone before a hidden header",
  "HTTP/3.0",
]

test("refuses whatever a HAProxy refuses that an expert has hardened, and understands more spellings", async (t) => {
  const haproxy = need(t, findHaproxy())
  if (haproxy === undefined) return
  const upstream = await startUpstream(t)
  const peer = await startHaproxy(t, haproxy, upstream.port)
  const outcomes = { both: 0, neither: 0, ours: [] as string[], peers: [] as string[] }
  for (const { name, bytes } of [...ATTACKS, ...SPELLINGS]) {
    const proxy = await startTestProxy(t, upstream.url)
    const passes = async (port: number): Promise<number> => {
      const before = upstream.received.length
      await sendRaw(port, bytes)
      return upstream.received.length - before
    }
    const [ours, peers] = [await passes(proxy.port), await passes(peer)]
    if (ours > peers) outcomes.ours.push(name)
    else if (peers > ours) outcomes.peers.push(name)
    else outcomes[ours === 0 ? "neither" : "both"]++
    await proxy.running.close()
  }
  t.diagnostic(JSON.stringify(outcomes))
  assert.deepEqual(
    [outcomes.ours.toSorted(), outcomes.peers.toSorted()],
    [ONLY_OURS.toSorted(), ONLY_THE_PEERS.toSorted()],
  )
  assert.ok(outcomes.both > 5 && outcomes.neither > 100)
})

async function startHaproxy(t: TestContext, haproxy: string, upstream: number): Promise<number> {
  const port = await freePort()
  const child = start(haproxy, ["-db", "-f", CONFIG], {
    PEER_PORT: String(port),
    PEER_TOKEN: TOKEN,
    PEER_SELECTOR: SHARED,
    PEER_QUERY: QUERY.replace("match%5B%5D=", "").replaceAll("%", "%%"),
    PEER_UPSTREAM: `127.0.0.1:${upstream}`,
  })
  t.after(() => child.stop())
  await until(
    "haproxy to respond",
    async () => {
      assert.equal(child.process.exitCode, null, child.output())
      const response = await fetch(`http://127.0.0.1:${port}/federate?${QUERY}`, { headers: BEARER })
      return response.status === 200 ? true : undefined
    },
    10,
  )
  return port
}
