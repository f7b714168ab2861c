import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, request } from "undici"
import { readNumbers } from "../testing/arguments.ts"
import { type Child, start } from "../testing/child.ts"
import { until } from "../testing/until.ts"
import { makeCloud } from "./exporter-cloud.ts"

const { projects, scrapes } = readNumbers(
  "dev/bench/exporter",
  "measures scrapes of the project usage exporter against those of an exporter in prom-client's usual way.",
  {
    projects: { help: "projects of five machines each (default 10000)", default: 10_000, least: 1 },
    scrapes: { help: "of each kind (default 15)", default: 15, least: 1 },
  },
)
const root = join(import.meta.dirname, "../..")
const dispatcher = new Agent({ bodyTimeout: 60_000, headersTimeout: 60_000 })
const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function get(url: string, encoding: "gzip" | "identity"): Promise<AsyncIterable<Buffer>> {
  const { body, statusCode } = await request(url, { dispatcher, headers: { "accept-encoding": encoding } })
  if (statusCode !== 200) throw new Error(`${url} responded ${statusCode}`)
  return body as AsyncIterable<Buffer>
}

/** Milliseconds and bytes of a scrape whose response is dropped as it comes. */
async function scrape(url: string, encoding: "gzip" | "identity"): Promise<{ milliseconds: number; bytes: number }> {
  const begin = performance.now()
  let bytes = 0
  for await (const chunk of await get(url, encoding)) bytes += chunk.length
  return { milliseconds: performance.now() - begin, bytes }
}

async function read(url: string): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of await get(url, "identity")) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Lines of the two original families without their values' spelling. */
function originalFamilies(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => /^project_(?:vcpu|mb)_usage\{/.test(line))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]))
}

function compare(ours: string, peers: string): number {
  const [a, b] = [originalFamilies(ours), originalFamilies(peers)]
  if (a.size !== 2 * projects || b.size !== a.size)
    throw new Error(`${a.size} and ${b.size} series, not ${2 * projects}`)
  for (const [series, value] of a) {
    const other = b.get(series)
    if (other === undefined || Math.abs(other - value) > 1e-9 * value)
      throw new Error(`${series}: ${value} and ${other}`)
  }
  return a.size
}

async function memory(child: Child): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${child.process.pid}/status`, "utf8")
  const mib = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
  return { now: mib("VmRSS"), peak: mib("VmHWM") }
}

const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
const children: Child[] = []
try {
  const file = join(folder, "cloud.toml")
  await writeFile(file, makeCloud(projects).toml)
  const started = performance.now()
  const ours = start(join(root, "bin/fedstack"), [
    ...["exporter", "project-usage", "--dummy-data", file, "--start", "2024-01-01", "--update-interval", "30s"],
    ...["--log.level", "debug", "--web.listen-address", "127.0.0.1:0"],
  ])
  const peer = start(process.execPath, [join(import.meta.dirname, "exporter-peer.ts"), String(projects)])
  children.push(ours, peer)
  const port = (child: Child, pattern: RegExp) => (): string | undefined => {
    if (child.process.exitCode !== null) throw new Error(child.output())
    return pattern.exec(child.output())?.[1]
  }
  const oursUrl = `http://127.0.0.1:${await until("the exporter", port(ours, /127\.0\.0\.1:(\d+)/))}/metrics`
  const peerUrl = `http://127.0.0.1:${await until("the peer", port(peer, /port (\d+)/))}/metrics`
  const ourText = await read(oursUrl)
  say(`first scrape served ${Math.round(performance.now() - started)} ms after the start of both processes`)
  say(`${compare(ourText, await read(peerUrl))} series of the original families are the same in both`)

  const kinds = [
    { what: "exporter, gzip as Prometheus asks", url: oursUrl, encoding: "gzip" },
    { what: "exporter, plain", url: oursUrl, encoding: "identity" },
    { what: "peer (never compresses)", url: peerUrl, encoding: "gzip" },
  ] as const
  const measured = kinds.map((kind) => ({ ...kind, milliseconds: [] as number[], bytes: 0 }))
  for (let round = 0; round < scrapes; round += 1) {
    for (const kind of measured) {
      const { milliseconds, bytes } = await scrape(kind.url, kind.encoding)
      kind.milliseconds.push(milliseconds)
      kind.bytes = bytes
    }
  }
  const p50 = measured.map(({ what, milliseconds, bytes }) => {
    say(`scrape p50 ${median(milliseconds).toFixed(1).padStart(8)} ms  ${bytes} bytes  ${what}`)
    return median(milliseconds)
  })

  // SIGHUP asks for an update
  const ended = (): RegExpMatchArray[] => [...ours.output().matchAll(/msg="collection ended".* seconds=([\d.]+)/g)]
  for (let round = 0; round < 5; round += 1) {
    const before = ended().length
    ours.process.kill("SIGHUP")
    await until("the update", () => (ended().length > before ? true : undefined))
  }
  const updates = ended().map(([, seconds]) => Number(seconds))
  const [oursMemory, peerMemory] = [await memory(ours), await memory(peer)]
  say(
    `update p50 ${(1000 * median(updates)).toFixed(1).padStart(8)} ms, the first ${(1000 * (updates[0] ?? 0)).toFixed(0)} ms`,
  )
  say(`memory     exporter ${oursMemory.now} MiB, at most ${oursMemory.peak} MiB`)
  say(`memory     peer ${peerMemory.now} MiB, at most ${peerMemory.peak} MiB`)
  const [gzip = Number.NaN, plain = Number.NaN, naive = Number.NaN] = p50
  say(`peer / exporter: ${(naive / gzip).toFixed(1)} (plain ${(naive / plain).toFixed(1)})`)
} finally {
  await Promise.all(children.map((child) => child.stop()))
  await dispatcher.close()
  await rm(folder, { recursive: true, force: true })
}
