import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { Socket } from "node:net"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { pino } from "pino"
import { readText } from "#core/files/read-text.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { compile } from "#core/promql/compiled.ts"
import { contains } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Selector } from "#core/promql/selector.ts"
import { readNumbers } from "../testing/arguments.ts"
import { authenticate } from "#core/auth/authenticate.ts"
import { policyFile } from "../../site/proxy/policy/load.ts"
import { sha256 } from "#core/auth/secrets.ts"
import type { Client } from "#core/federation/client.ts"
import type { Policy } from "../../site/proxy/policy/types.ts"

const CLIENTS = 1000
const SELECTORS = 100
/** Different requests of one client; the last is refused. */
const ASKED = 4
const MEASURED = 200_000
const CHECKED = 200

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const tokenOf = (client: number): string => `token-of-client-${client}-kq0Xw7sPl2Vn8`
const sharedText = (client: number, selector: number): string =>
  `{__name__=~"project_${client}_${selector}_.*_usage",job="project_usages"}`

function policyText(): string {
  const entries = Array.from({ length: CLIENTS }, (_, client) => {
    const match = Array.from({ length: SELECTORS }, (__, selector) => `      - '${sharedText(client, selector)}'\n`)
    return `  - name: client-${client}\n    sha256: ${sha256(tokenOf(client)).toString("hex")}\n    match:\n${match.join("")}`
  })
  return `tokens:\n${entries.join("")}`
}

/** What a client asks: the very text that is shared, narrower ones in the middle and at the end of its list, and too much. */
function questionsOf(client: number): readonly Selector[] {
  return [
    sharedText(client, 0),
    `project_${client}_${SELECTORS >> 1}_vcpu_usage{job="project_usages"}`,
    `{job="project_usages",__name__=~"project_${client}_${SELECTORS - 1}_(vcpu|mb)_usage"}`,
    `{job="project_usages",__name__=~"project_${client}_.*"}`,
  ].map(parseSelector)
}

async function load(): Promise<Policy> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  const loader = policyFile(join(folder, "policy.yaml"), {
    env: {},
    now: () => new Date(),
    log: pino({ enabled: false }),
  })
  try {
    await writeFile(join(folder, "policy.yaml"), policyText())
    for (const what of ["first load", "second load"]) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const begin = performance.now()
      await loader.load(readText)
      delay.disable()
      const seconds = ((performance.now() - begin) / 1000).toFixed(1)
      say(
        `${what}: ${seconds} s; requests waited for it ${(delay.percentile(99) / 1e6).toFixed(1)} ms at the 99th percentile, ${(delay.max / 1e6).toFixed(1)} ms at most`,
      )
    }
    return await loader.load(readText)
  } finally {
    await loader.close()
    await rm(folder, { recursive: true })
  }
}

async function main(): Promise<void> {
  readNumbers("dev/bench/authorize", "measures authentication and authorisation with 1,000 clients.", {})
  say(`${availableParallelism()} cores, Node ${process.versions.node}; ${CLIENTS} clients of ${SELECTORS} selectors`)
  const policy = await load()
  say(`memory after that: ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`)
  const questions = Array.from({ length: CLIENTS }, (_, client) => questionsOf(client))
  const socket = new Socket()
  const authorize = createAuthorize()
  const ask = async (client: number, question: number): Promise<boolean> => {
    const proof = { rawHeaders: ["Authorization", `Bearer ${tokenOf(client)}`], socket }
    const identity = authenticate(proof, policy, new Date())
    if (identity instanceof Promise || !("owner" in identity)) throw new Error(`client ${client} was not recognised`)
    if (identity.owner.name !== `client-${client}`) throw new Error(`client ${client} was taken for another`)
    const selector = questions[client]?.[question]
    return (await authorize(identity.owner, selector === undefined ? [] : [selector])).allowed
  }

  const unseen = await times(CLIENTS * ASKED, (index) => ask(index % CLIENTS, Math.floor(index / CLIENTS)))
  const first = report("never seen before", unseen)
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const seen = await times(MEASURED, () => ask(random(CLIENTS), random(ASKED)))
  const again = report("seen before", seen)

  for (let check = 0; check < CHECKED; check++) {
    const [client, question] = [random(CLIENTS), random(ASKED)]
    const plain = isContained(policy.clients[client], questions[client]?.[question] ?? [])
    if ((await ask(client, question)) !== plain)
      throw new Error(`client ${client}, question ${question}: decided otherwise`)
  }
  say(`${CHECKED} decisions are those of a comparison without any cache`)
  say(`p50, seen before to never seen before: ${(again / first).toPrecision(2)}`)
}

function isContained(client: Client | undefined, selector: Selector): boolean {
  const asked = compile(selector)
  return (client?.shared ?? []).some((shared) => contains(compile(shared.selector), asked).kind === "contained")
}

/** Microseconds of each run, sorted. */
async function times(count: number, run: (index: number) => Promise<unknown>): Promise<Float64Array> {
  const result = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const begin = performance.now()
    await run(index)
    result[index] = (performance.now() - begin) * 1000
  }
  return result.toSorted()
}

/** Returns the median. */
function report(what: string, sorted: Float64Array): number {
  const at = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(1)
  say(`${what.padEnd(17)}  ${sorted.length} requests  p50 ${at(0.5)} µs  p99 ${at(0.99)} µs  most ${at(1)} µs`)
  return Number(at(0.5))
}

await main()
