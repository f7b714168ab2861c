import type { ServerResponse } from "node:http"
import type { TestContext } from "node:test"
import { join } from "node:path"
import { readText } from "#core/files/read-text.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { loadSites } from "../../federation/sites.ts"
import { testInputs } from "../../federation/testing.ts"
import type { ProbeReport } from "../probe-report.ts"
import { probe, type ProbeOptions } from "./probe.ts"
import type { ProbeTarget } from "./visit.ts"

/** Of sites.yaml with the one site `site-a`, with these keys beside its name, and with these files beside it. */
export async function targetOf(
  t: TestContext,
  keys: string,
  files: Readonly<Record<string, string>> = {},
): Promise<ProbeTarget> {
  const folder = temporaryFolder(t)
  for (const [name, content] of Object.entries({ token: "s3cret-token\n", ...files })) await folder.write(name, content)
  const match = keys.includes("match: ") ? "" : "match: [up], "
  const text = `sites:\n  - {name: site-a, timeout: 5s, ${match}${keys}}\n`
  const file = await folder.write("sites.yaml", text)
  const { sites, limits, files: written } = loadSites(join(file), testInputs({}, readText))
  const [site] = sites
  if (site === undefined) throw new Error("no site")
  return { site, limits, contents: new Map(written.map(({ path, content }) => [path, content])) }
}

/** The report as lines: the stages, then the causes with their sentences. Times and ports are left out. */
export async function probed(target: ProbeTarget, options: Partial<ProbeOptions> = {}): Promise<readonly string[]> {
  const report = await probe(target, { signal: new AbortController().signal, ...options })
  return linesOf(report)
}

const MARKS = { passed: "✓", failed: "✕", not_reached: "–", skipped: "·" } as const

export function linesOf({ stages, findings }: ProbeReport): readonly string[] {
  const text = [
    ...stages.map(({ stage, outcome, detail }) => [MARKS[outcome], stage, detail].filter(Boolean).join(" ")),
    ...findings.map(({ cause, reason }) => `${cause.id}: ${reason}`),
  ]
  return text.map((line) =>
    line.replaceAll(/(127\.0\.0\.\d+|\[::1\]|localhost):\d{4,5}/g, "$1:PORT").replaceAll(/\d+ ms/g, "N ms"),
  )
}

export const deliver = (response: ServerResponse, exposition = "up 1\n"): void =>
  void response.setHeader("content-type", "text/plain; version=0.0.4").end(exposition)
