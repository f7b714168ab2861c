import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { connect } from "node:net"
import { type TestContext, test } from "node:test"
import { sendRaw } from "../send-raw.ts"
import { connectTo } from "../send-request.ts"
import { until } from "../until.ts"
import { OURS, PATH, QUERY, raw, TOKEN } from "./request.ts"

/** What serves the client of `TOKEN` what is shared, and nothing else. */
export interface Attacked {
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  /** All lines so far, in JSON. */
  readonly log: () => string
  /** What was requested upstream, in as many words as tell requests apart. */
  readonly requested: () => readonly string[]
}

const hashes = ["hex", "base64", "base64url"].map((encoding) =>
  createHash("sha256")
    .update(TOKEN)
    .digest(encoding as "hex"),
)

/** What was found out about one request is kept for the next; none of these may find it (exporter-toolkit CVE-2022-46146). */
const POISONS: readonly (readonly [token: string, query: string, status: number])[] = [
  ...hashes.map((hash) => [hash, QUERY, 401] as const),
  [`${TOKEN}m`, QUERY.slice(1), 401],
  [`${TOKEN}?${QUERY}`, "", 401],
  [TOKEN.slice(0, -1), `${TOKEN.at(-1)}${QUERY}`, 401],
  [`${TOKEN}\0${QUERY}`.replace("\0", "/"), QUERY, 401],
  ["wrong", QUERY, 401],
  ["wrong", QUERY.replace("usage", "usag."), 401],
  [TOKEN, "match[]=up", 403],
  [TOKEN, `${QUERY}&match[]=up`, 403],
  [TOKEN, QUERY.slice(0, -1), 400],
]

/** Tests of what needs several requests, or time. */
export function testSequences(start: (t: TestContext) => Promise<Attacked>): void {
  test("keeps nothing of a request that another could use (exporter-toolkit CVE-2022-46146)", async (t) => {
    const { url, requested } = await start(t)
    const send = connectTo(t, url)
    const statusOf = async (token: string, query: string): Promise<number> =>
      (await send(`/federate?${query}`, { authorization: `Bearer ${token}` })).status
    for (const [token, query, status] of POISONS) {
      const around = [await statusOf(token, query), await statusOf(TOKEN, QUERY), await statusOf(token, query)]
      assert.deepEqual(around, [status, 200, status], `${token} ${query}`)
    }
    assert.equal(new Set(requested()).size, 1)
  })

  test("counts any number of methods and paths as a few (client_golang CVE-2022-21698)", async (t) => {
    const { port, adminUrl } = await start(t)
    const seriesNow = async (): Promise<readonly string[]> => {
      const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
      const lines = metrics.split("\n").filter((line) => line.startsWith("fedstack_"))
      return lines.map((line) => line.replace(/ \S+$/, ""))
    }
    const deviating = async (round: number): Promise<void> => {
      for (const method of ["M-SEARCH", "PURGE", "LOCK", "REPORT", `X${round}`]) {
        await sendRaw(port, raw(PATH, [...OURS, "Connection: close"], method))
      }
      await sendRaw(port, raw(`/path-${round}?a${round}=b`))
      await sendRaw(port, raw(PATH, ["Host: x", `Authorization: Bearer wrong-${round}`, "Connection: close"]))
      await sendRaw(port, raw(`/federate?match[]=metric_${round}`))
    }
    await deviating(0)
    const before = await seriesNow()
    for (let round = 1; round < 20; round++) await deviating(round)
    assert.deepEqual(await seriesNow(), before)
  })

  test("writes one line of log for a request, whatever stands in it", async (t) => {
    const { port, log } = await start(t)
    const forged = encodeURIComponent('{a="\n{\\"level\\":\\"info\\",\\"msg\\":\\"request\\",\\"status\\":200}\n"}')
    await sendRaw(port, raw(`/federate?match[]=${forged}`))
    await sendRaw(port, raw(`/%0a{"msg":"request"}`))
    const lines = await until("the lines of both", () => {
      const found = log()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      return found.filter(({ msg }) => msg === "request").length >= 2 ? found : undefined
    })
    assert.equal(lines.filter(({ msg }) => msg === "request").length, 2)
  })

  test("gives no client more than some seconds to send its request", { timeout: 60_000 }, async (t) => {
    const { port, requested } = await start(t)
    const begin = performance.now()
    const statuses = await Promise.all(
      ["GET /fede", raw(PATH, OURS).slice(0, 30), raw(PATH, OURS).slice(0, -2), raw(PATH, OURS).slice(0, -4)].map(
        (bytes) => drip(port, bytes),
      ),
    )
    assert.deepEqual(statuses, ["408", "408", "408", "408"])
    assert.ok(performance.now() - begin < 20_000)
    assert.deepEqual(requested(), [])
  })
}

/** Sends these bytes and then one letter of a header after the other, until it is to stop. */
async function drip(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined)
  socket.write(bytes)
  const more = setInterval(() => socket.write("a"), 500)
  await once(socket, "close")
  clearInterval(more)
  return Buffer.concat(chunks).toString("latin1").slice(9, 12)
}
