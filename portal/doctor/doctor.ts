import type { Context } from "#core/component.ts"
import { ExitError } from "#core/errors.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { todoAtSite } from "../diagnosis/find.ts"
import { probe } from "../diagnosis/probe/probe.ts"
import type { ProbeTarget } from "../diagnosis/probe/visit.ts"
import type { ProbeReport } from "../diagnosis/probe-report.ts"
import { reportValue } from "../diagnosis/report-json.ts"
import { plural } from "../diagnosis/words.ts"
import { federationOf } from "../federation/connect.ts"
import { delivers, describe } from "./describe.ts"
import { type SigningValues, tokensFor } from "../signing/for-commands.ts"
import { type DoctorValues, targetsOf } from "./targets.ts"

/** Sites at the same time. */
const PROBES = 8

/** A scrape may take as long; what is refused at once does not. */
const LEAST_SECONDS = 5

/**
 * Goes the way of a scrape to a site, or to several, and prints what it sees. Ends with 0 where all deliver; throws ExitError
 * with 1 where one does not, UsageError and ConfigurationError.
 */
export async function runDoctor(
  values: DoctorValues & SigningValues,
  { print, env, signal, now }: Context,
  site: string,
): Promise<undefined> {
  const listed = targetsOf(values, site, env)
  const sites = listed.map((target) => target.site)
  const minted = await tokensFor(sites, values, now)
  const targets = listed.map((target) => ({ ...target, contents: new Map([...target.contents, ...minted]) }))
  const limited = limitConcurrency(PROBES)
  const probes = targets.map((target) =>
    limited(() => probe(target, { signal, now, seconds: Math.max(LEAST_SECONDS, target.site.timeout) })),
  )
  const reports: ProbeReport[] = []
  for (const [index, target] of targets.entries()) {
    const probed = await probes[index]
    if (probed === undefined) continue
    const report = values.url === undefined ? probed : atSite(probed, target)
    if (!values.json) print(`${reports.length === 0 ? "" : "\n"}${describe(report, requested(target))}`)
    reports.push(report)
  }
  if (values.json) print(`${JSON.stringify(reports.map(reportValue), null, 2)}\n`)
  conclude(reports)
}

/** Of a site that is given by flags, which has no name of its own, for who runs it. */
const atSite = (report: ProbeReport, { site }: ProbeTarget): ProbeReport => ({
  ...report,
  site: site.url.host,
  findings: report.findings.map((finding) => ({ ...finding, todo: todoAtSite(finding) ?? finding.todo })),
})

const requested = ({ site }: ProbeTarget): string => {
  const { origin, pathname } = federationOf(site, [])
  return `${origin}${pathname}`
}

function conclude(reports: readonly ProbeReport[]): void {
  const failing = reports.filter((report) => !delivers(report)).map((report) => report.site)
  if (failing.length === 0) return
  const message =
    reports.length === 1
      ? `${failing.join()} does not deliver`
      : `${failing.length} of ${plural(reports.length, "site")} ${failing.length === 1 ? "does" : "do"} not deliver: ${failing.join(", ")}`
  throw new ExitError("NOT_DELIVERING", 1, message)
}
