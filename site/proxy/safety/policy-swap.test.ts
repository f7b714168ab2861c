import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { rename } from "node:fs/promises"
import { test } from "node:test"
import { startProxyProcess } from "../../../dev/fuzz/proxy-process.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { QUERY, SHARED, startUpstream } from "../testing.ts"
import { connectTo } from "../../../dev/testing/send-request.ts"

const SECONDS = Number(process.env.FEDSTACK_TEST_SWAP_SECONDS ?? 5)
const CLIENTS = 50
const REQUESTS_BETWEEN = 500
const SWAPS = 4
/** Milliseconds. */
const LONGER = 60_000
const TOKENS = ["odd-7Hq2vN9xW4sPl8Kd3", "even-5Jr6bM1yT0fGc2Zx"] as const

/** One request: when it was sent and its response came, whose token it had, and what came back; "lost" without a response. */
interface Seen {
  readonly from: number
  readonly to: number
  readonly token: number
  readonly status: number | "lost"
}

/**
 * A policy that accepts the token with this number: when its file was there, and when the first response came that shows
 * it to a request sent after that.
 */
interface Version {
  readonly token: number
  readonly written: number
  inForce?: number
}

test(`replaces the policy under the load of ${CLIENTS} clients, and serves none wrongly`, async (t) => {
  const upstream = await startUpstream(t)
  const folder = temporaryFolder(t)
  const write = (token: number) =>
    folder.write(
      "next.yaml",
      `upstreams: ["${upstream.url}"]
limits: {requests_per_second: 100000, concurrent: 1000}
tokens: [{name: portal, sha256: ${createHash("sha256")
        .update(TOKENS[token] ?? "")
        .digest("hex")}, match: ['${SHARED}']}]
`,
    )
  const file = `${folder.path}/policy.yaml`
  await rename(await write(0), file)
  const proxy = await startProxyProcess(["--policy", file])
  const versions: [Version, ...Version[]] = [{ token: 0, written: 0, inForce: 0 }]
  const seen: Seen[] = []
  const swap = async (): Promise<void> => {
    const token = versions.length % 2
    const next = await write(token)
    // in this order: no client can see the new policy before its time is taken
    versions.push({ token, written: performance.now() })
    await rename(next, file)
  }
  let since = 0
  let swapping: Promise<void> = Promise.resolve()
  /** The next policy comes some time after the one before was seen in force: else they could not be distinguished. */
  const note = (one: Seen): void => {
    seen.push(one)
    const current = versions.at(-1) ?? versions[0]
    if (one.from >= current.written && follows(one, current)) current.inForce ??= one.to
    if (current.inForce === undefined) return
    since++
    if (since === REQUESTS_BETWEEN) swapping = swap().finally(() => (since = 0))
  }
  const end = performance.now() + SECONDS * 1000
  const enough = (): boolean => versions.length > SWAPS && seen.length > 1000
  /** On a machine with much other work less is seen in the same time. */
  const isOver = (): boolean => performance.now() > end + (enough() ? 0 : LONGER)
  const client = async (index: number): Promise<void> => {
    const token = index % 2
    const send = connectTo(t, `http://127.0.0.1:${proxy.port}`, { authorization: `Bearer ${TOKENS[token]}` })
    while (!isOver()) {
      const from = performance.now()
      const status = await send(`/federate?${QUERY}`).then(
        (response) => response.status,
        () => "lost" as const,
      )
      note({ from, to: performance.now(), token, status })
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)))
  await swapping
  await proxy.stop()

  const { wrong, times } = judge(seen, versions)
  assert.deepEqual(wrong.slice(0, 5), [])
  const accepted = seen.filter(({ status }) => status === 200).length
  const sorted = times.toSorted((a, b) => a - b).map((time) => time.toFixed(1))
  t.diagnostic(
    `${seen.length} requests in ${SECONDS} s, ${accepted} accepted, ${times.length} of ${versions.length - 1} swaps seen; in force after ${sorted[0]} to ${sorted.at(-1)} ms, median ${sorted[sorted.length >> 1]} ms`,
  )
  assert.ok(times.length >= 3 && accepted > 100)
})

function follows({ token, status }: Seen, version: Version): boolean {
  return (token === version.token) === (status === 200)
}

/**
 * A request after a policy was seen in force must be judged by it, until the next one is written; between the two either
 * is right. 429 is no more than 401: an address that fails too often has to wait, a valid token never does.
 */
function judge(seen: readonly Seen[], versions: readonly Version[]) {
  const wrong: unknown[] = seen.filter(({ status }) => ![200, 401, 429].includes(Number(status)))
  versions.forEach((version, index) => {
    const { inForce = Infinity } = version
    const over = versions[index + 1]?.written ?? Infinity
    const judged = seen.filter(({ from, to }) => from > inForce && to < over)
    wrong.push(...judged.filter((one) => !follows(one, version)).map((one) => ({ ...one, version })))
  })
  const times = versions.slice(1).flatMap(({ written, inForce }) => (inForce === undefined ? [] : [inForce - written]))
  return { wrong, times }
}
