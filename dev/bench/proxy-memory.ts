import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { readNumbers } from "../testing/arguments.ts"
import { start } from "../testing/child.ts"
import { until } from "../testing/until.ts"
import { residentOf } from "./proxy-peers/load.ts"

const CLIENTS = 64
const BYTES = 2_000_000
const SECONDS = 8
/** MB of memory. */
const MOST = 200
const { minutes: MINUTES } = readNumbers(
  "dev/bench/proxy-memory",
  "measures the proxy's memory with 64 slow readers, or under a mixed load.",
  { minutes: { help: "of mixed load (default 0: slow readers)", default: 0, least: 0 } },
)
const FEDSTACK = fileURLToPath(new URL("../../bin/fedstack", import.meta.url))

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const token = randomBytes(16).toString("hex")
/** As Prometheus writes it, so that it shrinks as much. */
const line = (index: number): string =>
  `m{domain_name="default",instance="127.0.0.1:4242",job="project_usages",project_id="${(index * 7919).toString(16).padStart(32, "0")}",project_name="project ${index}"} ${index * 1.5} 1795227416456\n`
const plain = Buffer.from(Array.from({ length: Math.ceil(BYTES / 150) }, (_, index) => line(index)).join(""))
const whole = plain.subarray(0, plain.lastIndexOf(10, BYTES) + 1)
const bodies = { identity: whole, gzip: gzipSync(whole) }

const upstream = createServer(({ headers }, response) => {
  const encoding = headers["accept-encoding"] === "gzip" ? "gzip" : "identity"
  response.setHeader("content-type", "text/plain; version=0.0.4").setHeader("content-encoding", encoding)
  response.end(bodies[encoding])
}).listen(0, "127.0.0.1")
await once(upstream, "listening")

const folder = await mkdtemp(join(tmpdir(), "fedstack-memory-"))
const policy = join(folder, "policy.yaml")
const writePolicy = (reuse: string): Promise<void> =>
  writeFile(
    policy,
    `upstreams: ["http://127.0.0.1:${(upstream.address() as AddressInfo).port}"]
reuse: ${reuse}
limits: {requests_per_second: 100000, concurrent: 1000}
tokens:
  - {name: portal, env: BENCH_TOKEN, match: ['{__name__=~"m.*"}']}
`,
  )

try {
  if (MINUTES > 0) await withProxy(mix)
  else {
    const gzip = await withProxy((proxy) => slowReaders(proxy, "gzip"))
    const identity = await withProxy((proxy) => slowReaders(proxy, "identity"))
    say(`RSS to the bound: ${gzip.toFixed(2)} with gzip, ${identity.toFixed(2)} without`)
  }
} finally {
  upstream.closeAllConnections()
  upstream.close()
  await rm(folder, { recursive: true, force: true })
}

interface Proxy {
  readonly port: number
  readonly pid: number
}

/** A new one, so that nothing of what was before counts. */
async function withProxy<T>(run: (proxy: Proxy) => Promise<T>): Promise<T> {
  await writePolicy("0s")
  const local = "127.0.0.1:0"
  const child = start(
    FEDSTACK,
    ["proxy", "--policy", policy, "--web.listen-address", local, "--admin.listen-address", local],
    { BENCH_TOKEN: token },
  )
  const ports = (): readonly string[] =>
    [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)].flatMap(([, port]) => port ?? [])
  try {
    const port = Number(await until("fedstack to listen", () => ports()[1]))
    return await run({ port, pid: child.process.pid ?? 0 })
  } finally {
    await child.stop()
  }
}

function ask(port: number, selector: string, encoding: string, bearer = token): Socket {
  const socket = connect({ port, host: "127.0.0.1" })
  socket.on("error", () => undefined) // what breaks is part of the load
  const query = `match%5B%5D=${encodeURIComponent(selector)}`
  socket.write(
    `GET /federate?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${bearer}\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
  )
  return socket
}

/** Some KB ten times a second. Returns what came first. */
async function readSlowly(socket: Socket, seconds: number): Promise<string> {
  socket.pause()
  let first = ""
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && !socket.destroyed) {
    const chunk = socket.read(Math.min(4096, socket.readableLength)) as Buffer | null
    if (first === "") first = String(chunk ?? "")
    await delay(100)
  }
  socket.destroy()
  return first
}

/** Returns the part of the bound that was taken. */
async function slowReaders({ port, pid }: Proxy, encoding: "gzip" | "identity"): Promise<number> {
  const before = residentOf(pid)
  const readers = Array.from({ length: CLIENTS }, (_, index) => readSlowly(ask(port, `m${index}`, encoding), SECONDS))
  let most = 0
  const sampling = setInterval(() => (most = Math.max(most, residentOf(pid))), 100)
  const firsts = await Promise.all(readers)
  clearInterval(sampling)
  if (firsts.some((first) => !first.startsWith("HTTP/1.1 200 "))) throw new Error("not all readers get a response")
  const bytes = `${CLIENTS} responses of ${whole.length} bytes, sent as ${bodies[encoding].length}`
  say(`${bytes}: RSS at most ${most.toFixed(0)} MB, ${before.toFixed(0)} MB before (promised under ${MOST} MB)`)
  return most / MOST
}

async function mix({ port, pid }: Proxy): Promise<void> {
  const minutes: number[] = []
  for (let minute = 0; minute < MINUTES; minute++) {
    const samples: number[] = []
    const end = performance.now() + 60_000
    for (let round = 0; performance.now() < end; round++) {
      for (let index = 0; index < 8; index++) ask(port, `m${index}`, index % 2 === 0 ? "gzip" : "identity").resume()
      ask(port, "up", "gzip").resume()
      ask(port, "m", "gzip", "wrong").resume()
      const aborted = ask(port, "m_aborted", "gzip")
      aborted.once("data", () => aborted.destroy())
      if (round % 4 === 0) void readSlowly(ask(port, `m_slow_${round % 16}`, "identity"), 5)
      if (round % 40 === 0) await writePolicy(round % 80 === 0 ? "1s" : "0s")
      await delay(250)
      samples.push(residentOf(pid))
    }
    const median = samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN
    minutes.push(median)
    say(`minute ${minute + 1}: RSS ${median.toFixed(0)} MB, at most ${Math.max(...samples).toFixed(0)} MB`)
  }
  const middle = minutes[Math.floor(minutes.length / 2)] ?? Number.NaN
  const last = minutes.at(-1) ?? Number.NaN
  say(`last minute to the middle one: ${(last / middle).toFixed(2)} (flat: at most 1.1)`)
}
