import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { FAULTS, VARIANTS } from "../../dev/testing/faults/index.ts"
import { enterNamespace } from "../../dev/testing/faults/namespace.ts"
import { siteName } from "../../dev/testing/faults/stack.ts"
import { VERSIONS } from "../../dev/testing/prometheus.ts"
import { becomes, producible, startFaultyPortal, type Target, targetsOf } from "./faulty-portal.testing.ts"
import { readScrapeError } from "./read-error.ts"

const place = await enterNamespace(import.meta.filename)
const inNamespace = "value" in place

/** Of testdata: `fault | what Prometheus reports | the cause that this is read as`. */
const goldenFile = (version: string): string => join(import.meta.dirname, `testdata/scrape-errors-${version}.txt`)

function golden(version: string): ReadonlyMap<string, string> {
  const lines = readFileSync(goldenFile(version), "utf8").trimEnd().split("\n")
  return new Map(lines.map((line) => [line.split(" | ", 1)[0] ?? "", line]))
}

/** Node closes such a connection with a FIN or with a RST. */
const CLOSED = /: (?:EOF|(?:read|write) tcp .*: connection reset by peer)$/

/** Without what differs by run: ports, folders, times and the request. */
const steady = (text: string): string =>
  text
    .replaceAll(/\/federate\?match[^"]*/g, "/federate?…")
    .replaceAll(/127\.0\.0\.1:(?!53\b|1\b)\d+/g, "127.0.0.1:PORT")
    .replaceAll(/localhost:\d+/g, "localhost:PORT")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
    .replaceAll(/\/\S*\/out\/(\w+\/[\w-]+)\.[\da-f]{8}/g, "OUT/$1.HASH")
    .replaceAll(/stream ID \d+/g, "stream ID N")
    .replaceAll(/"(?:\\?"|x)?(?:\\x9c).*/g, "BYTES")
    // of the two deadlines of a connection either may be the first
    .replace(": dial tcp 127.0.0.1:PORT: i/o timeout", ": context deadline exceeded")
    .replaceAll("\n", "\\n")

function lineOf(name: string, target: Target | undefined): string {
  if (target === undefined) return `${name} | no target`
  if (target.lastError === "") return `${name} | ${target.health}`
  const text = steady(target.lastError)
  const shown = name === "client_certificate_closes" ? text.replace(CLOSED, ": EOF") : text
  return `${name} | ${shown} | ${readScrapeError(target.lastError).cause}`
}

for (const version of VERSIONS) {
  test(`Prometheus ${version} reports each fault as the diagnosis knows it`, async (t) => {
    const faults = producible({ ...FAULTS, ...VARIANTS }, version, inNamespace)
    const running = await startFaultyPortal(t, version, faults)
    if (running === undefined) return
    const expected = golden(version)
    const names = Object.keys(faults)
    const lines = async (): Promise<readonly string[]> => {
      const targets = await targetsOf(running.prometheus)
      return names.map((name) => lineOf(name, targets.get(siteName(name))))
    }
    await becomes(
      names.map((name) => expected.get(name) ?? `${name} is not in the file`),
      lines,
      90,
    )
  })
}
if (!inNamespace) test("faults of the network", (t) => void need(t, place))
