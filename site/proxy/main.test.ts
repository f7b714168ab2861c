import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import { fileURLToPath } from "node:url"
import { type Child, start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { until } from "../../dev/testing/until.ts"
import { BEARER, METRICS, QUERY, SHARED, startUpstream, TOKEN } from "./testing.ts"

const FEDSTACK = fileURLToPath(new URL("../../bin/fedstack", import.meta.url))
const LOCAL = ["--web.listen-address", "127.0.0.1:0", "--admin.listen-address", "127.0.0.1:0"]

function run(t: TestContext, argv: readonly string[], env: Record<string, string> = {}): Child {
  const child = start(FEDSTACK, ["proxy", ...argv], env)
  t.after(() => child.stop("SIGKILL"))
  return child
}

test("ends with 2 and says what to set where there is no token", async (t) => {
  const child = run(t, LOCAL)
  assert.equal(await child.ended, 2)
  assert.equal(
    child.output(),
    "PORTAL_AUTH_TOKEN: is not set; put the token there that the portal sends, or use --token-file or --policy\n",
  )
})

test("ends with 1 and names the address that is in use, before it serves anything", async (t) => {
  const port = await listen(t, createServer())
  const child = run(t, [...LOCAL, "--web.listen-address", `127.0.0.1:${port}`], { PORTAL_AUTH_TOKEN: TOKEN })
  assert.equal(await child.ended, 1)
  assert.match(child.output(), new RegExp(`Cannot listen on 127.0.0.1:${port}: another process uses it`))
})

test("finishes the scrape in flight on SIGTERM and ends with 0, its output without the token", async (t) => {
  let finish = (): void => undefined
  const upstream = await startUpstream(t, (_, response) => {
    finish = () => response.writeHead(200, { "content-type": METRICS }).end("a 1\n")
  })
  const child = run(t, [...LOCAL, "--upstream", upstream.url], { PORTAL_AUTH_TOKEN: TOKEN })
  // the admin listener comes first
  const port = await until("the proxy to listen", () => [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1])
  const response = fetch(`http://127.0.0.1:${port}/federate?${QUERY}`, { headers: BEARER })
  await until("the request upstream", () => upstream.received[0])
  child.process.kill("SIGTERM")
  await until("the end to begin", () => /msg=ending/.exec(child.output()) ?? undefined)
  finish()
  assert.equal(await (await response).text(), "a 1\n")
  assert.equal(await child.ended, 0)
  assert.equal(child.output().includes(TOKEN), false)
})

test("reads the policy again on SIGHUP", async (t) => {
  const upstream = await startUpstream(t)
  const policy = (token: string): string => {
    const sha256 = createHash("sha256").update(token).digest("hex")
    return JSON.stringify({ upstreams: [upstream.url], tokens: [{ name: "portal", sha256, match: [SHARED] }] })
  }
  const folder = temporaryFolder(t)
  const file = await folder.write("policy.yaml", policy(TOKEN))
  const child = run(t, [...LOCAL, "--policy", file])
  const port = await until("the proxy to listen", () => [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1])
  const readings = (): number => child.output().split('msg="policy reloaded"').length - 1
  // the file is the same: nothing but the signal can be the reason
  child.process.kill("SIGHUP")
  await until("the first reading", () => (readings() === 1 ? true : undefined))
  await folder.write("policy.yaml", policy("another-token-5b1d"))
  child.process.kill("SIGHUP")
  await until("the new policy", () => (readings() >= 2 ? true : undefined))
  const statusOf = async (token: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/federate?${QUERY}`, { headers: { authorization: `Bearer ${token}` } }))
      .status
  assert.deepEqual([await statusOf(TOKEN), await statusOf("another-token-5b1d")], [401, 200])
})
