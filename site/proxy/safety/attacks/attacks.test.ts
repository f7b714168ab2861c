import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { sendRaw } from "../../../../dev/testing/send-raw.ts"
import { QUERY, startTestProxy, startUpstream, TOKEN } from "../../testing.ts"
import { ATTACKS } from "../../../../dev/testing/attacks/attacks.ts"
import { SPELLINGS } from "../../../../dev/testing/attacks/spellings.ts"

async function start(t: TestContext) {
  const upstream = await startUpstream(t)
  return { upstream, proxy: await startTestProxy(t, upstream.url) }
}

for (const { name, bytes, statuses } of ATTACKS) {
  test(`is not fooled by ${name}`, async (t) => {
    const { upstream, proxy } = await start(t)
    const response = await sendRaw(proxy.port, bytes)
    assert.deepEqual(statusesOf(response), statuses, response)
    assert.deepEqual(
      upstream.received.map(({ method, url, body }) => [method, url, body]),
      statuses.filter((status) => status === 200).map(() => ["GET", ASKED, ""]),
    )
    assert.doesNotMatch(response, new RegExp(`${TOKEN}|location:|secret|a=b`, "i"))
    assert.equal(proxy.log().includes(TOKEN), false)
  })
}

const ASKED = `/federate?${QUERY.replaceAll("'", "%27")}`
const ALLOWED_HEADERS = ["accept-encoding", "connection", "host", "user-agent", "x-prometheus-scrape-timeout-seconds"]

for (const { name, bytes } of SPELLINGS) {
  test(`sends Prometheus the same for a rightful request ${name}`, async (t) => {
    const { upstream, proxy } = await start(t)
    const response = await sendRaw(proxy.port, bytes)
    assert.deepEqual(statusesOf(response), [200], response)
    assert.match(response, /project_vcpu_usage 1 1\n/)
    const [received, ...more] = upstream.received
    assert.deepEqual([received?.method, received?.url, received?.body, more], ["GET", ASKED, "", []])
    const headers = Object.fromEntries(pairs(received?.rawHeaders ?? []))
    assert.deepEqual(Object.keys(headers).toSorted(), ALLOWED_HEADERS)
    assert.deepEqual(
      [headers.host, headers["accept-encoding"], headers["x-prometheus-scrape-timeout-seconds"]],
      [new URL(upstream.url).host, "identity", "5"],
    )
    const [line] = await proxy.requests(1)
    assert.equal(line?.remote, "127.0.0.1")
  })
}

function statusesOf(response: string): readonly number[] {
  return [...response.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? ""] as const] : []))
}
