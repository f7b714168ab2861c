import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector } from "#core/promql/selector.ts"
import { type ProxyProcess, startProxyProcess } from "./proxy-process.ts"
import { seeded } from "./random.ts"
import { type Ground, randomRequest } from "./random-request.ts"
import { createSentJudge, faultOfResponse, type Sent, statusesOf, tryParsers } from "./request-judge.ts"

const GROUND: Ground = {
  token: "rightful-token-7f3a-of-the-fuzzer",
  clients: 10, // each may cause some decisions a second only
  shared: [
    parseSelector('{job="project_usages",__name__=~"project_.*_usage"}'),
    parseSelector('up{job=~"node|prometheus",instance!~"secret.*"}'),
    parseSelector('{__name__="é",x!=""}'),
  ],
}
const CONNECTIONS = 24
const FIRST_ANSWER_MS = 150
const NEXT_ANSWER_MS = 30
const SILENCE_MS = 10_000
/** MiB of the proxy's heap: with all there is, V8 lets garbage grow to several times what is kept before it collects. */
const HEAP = 160
const MOST_MEMORY = 350 * 2 ** 20
/** What the memory may grow from the third to the last quarter of a run that is long enough to fill what is kept before. */
const MOST_GROWTH = 32 * 2 ** 20
const WARM_AFTER = 50_000

export interface FuzzRun {
  readonly requests: number
  readonly seed: number
  readonly report?: (line: string) => void
}

/** Sends random requests to a real `fedstack proxy`. Throws on the first fault, with what was sent. Gives what was seen. */
export async function fuzzRequests({ requests, seed, report }: FuzzRun): Promise<string> {
  const upstream = await startUpstream()
  const folder = await mkdtemp(join(tmpdir(), "fedstack-fuzz-"))
  const proxy = await startProxy(folder, upstream.url)
  const statuses = new Map<string, number>()
  const memory: number[] = []
  let sent = 0
  try {
    const work = async (worker: number): Promise<void> => {
      const random = seeded(seed + worker)
      while (sent < requests) {
        const number = ++sent
        tryParsers(random, GROUND)
        const bytes = randomRequest(random, GROUND)
        const response = await roundTrip(proxy.port, bytes)
        const fault = upstream.fault() ?? faultOfResponse(response, GROUND)
        if (fault !== undefined) throw new Error(`${fault}: ${JSON.stringify({ seed, bytes, response }, undefined, 1)}`)
        const shown = statusesOf(response).join(" ") || "closed"
        statuses.set(shown, (statuses.get(shown) ?? 0) + 1)
        if (number % Math.ceil(requests / 200) === 0) memory.push(await proxy.memory())
        if (number % 20_000 === 0) report?.(`${number} requests, ${megabytes(memory.at(-1) ?? 0)}`)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, worker) => work(worker)))
    const quarter = Math.floor(memory.length / 4)
    const [early, late] = [median(memory.slice(2 * quarter, 3 * quarter)), median(memory.slice(-quarter))]
    if (Math.max(...memory) > MOST_MEMORY) throw new Error(`it took ${megabytes(Math.max(...memory))}`)
    if (requests > WARM_AFTER && late - early > MOST_GROWTH) {
      throw new Error(`the memory grew from ${megabytes(early)} to ${megabytes(late)}`)
    }
    const seen = [...statuses].toSorted(([, a], [, b]) => b - a).slice(0, 12)
    const counts = seen.map(([status, count]) => `${status}: ${count}`).join(", ")
    return `seed ${seed}: ${sent} connections, ${upstream.count()} requests upstream, memory ${megabytes(early)}, then ${megabytes(late)}; ${counts}`
  } finally {
    const log = await proxy.stop()
    await upstream.stop()
    await rm(folder, { recursive: true })
    mustNotHold(log, GROUND.token)
  }
}

async function startProxy(folder: string, upstream: string): Promise<ProxyProcess> {
  const numbers = Array.from({ length: GROUND.clients }, (_, number) => number)
  const match = GROUND.shared.map(printSelector)
  const tokens = numbers.map((number) => ({ name: `client-${number}`, env: `TOKEN_${number}`, match }))
  const file = join(folder, "policy.yaml")
  await writeFile(
    file,
    JSON.stringify({ upstreams: [upstream], reuse: 0, limits: { requests_per_second: 100_000 }, tokens }),
  )
  const env = numbers.map((number) => [`TOKEN_${number}`, `${GROUND.token}-${number}`] as const)
  const options = `${process.env.NODE_OPTIONS ?? ""} --max-old-space-size=${HEAP}`
  return startProxyProcess(["--policy", file], { ...Object.fromEntries(env), NODE_OPTIONS: options })
}

async function startUpstream() {
  const judge = createSentJudge(GROUND)
  let fault: string | undefined
  let count = 0
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      count++
      const { method = "", url = "", rawHeaders } = request
      const sent: Sent = { method, url, headers: rawHeaders, body }
      const found = judge(sent)
      if (found !== undefined) fault ??= `${found} went upstream: ${JSON.stringify(sent)}`
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end("project_vcpu_usage 1 1\n")
    })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: () => fault,
    count: () => count,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
}

/** What comes back for these bytes. Where the server waits for more, its input is ended. */
async function roundTrip(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  const chunks: Buffer[] = []
  let silent = false
  socket.on("error", () => undefined) // a reset is an response too: what came until then counts
  const patience = setTimeout(() => socket.end(), FIRST_ANSWER_MS)
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    clearTimeout(patience)
    setTimeout(() => socket.end(), NEXT_ANSWER_MS).unref()
  })
  socket.setTimeout(SILENCE_MS, () => {
    silent = true
    socket.destroy()
  })
  socket.write(bytes, "latin1")
  await once(socket, "close")
  clearTimeout(patience)
  const response = Buffer.concat(chunks).toString("latin1")
  if (silent) throw new Error(`nothing came for ${SILENCE_MS} ms: ${JSON.stringify({ bytes, response })}`)
  return response
}

function mustNotHold(log: string, token: string): void {
  if (log.includes(token)) throw new Error("the token stands in the log")
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
