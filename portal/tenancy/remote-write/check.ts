import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import type { Context } from "#core/component.ts"
import { FedstackError, UsageError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { Selector } from "#core/promql/selector.ts"
import { readAllowListFile } from "../tenants/allow-list-file.ts"
import { explainSeries } from "./explain-series.ts"
import { createRouting } from "./routing/create-routing.ts"
import { readRoutingConfig } from "./routing/read-routing-config.ts"
import type { AllowedTenants } from "./routing/routing-config.ts"
import type { TenantValues } from "./routing/settings.ts"
import { describeSenders } from "./senders/describe.ts"
import { loadSenders } from "./senders/load.ts"
import type { Sender } from "./senders/sender.ts"

interface CheckOptions extends TenantValues {
  readonly sitesFile: string | undefined
  readonly as: string | undefined
  readonly series: string | undefined
}

/** Prints a summary of the files, or what becomes of a series of a sender. Throws ConfigurationError and UsageError. */
export async function checkSenders(
  file: string,
  { sitesFile, as, series, ...tenants }: CheckOptions,
  { print, env, now }: Pick<Context, "print" | "env" | "now">,
): Promise<undefined> {
  const files = { senders: file || undefined, sites: sitesFile }
  if (files.senders === undefined && sitesFile === undefined)
    throw misused("the file", "is missing; give it, or --sites")
  if (as === undefined && series !== undefined) throw misused("--series", "needs --as SENDER too")
  if (as !== undefined && series === undefined) throw misused("--as", "needs --series SERIES too")
  const labels = series === undefined ? [] : readSeries(series)
  const routing = createRouting(readRoutingConfig(tenants), readAllowed(tenants))
  // no issuer is contacted: a file is right or wrong by itself
  const keySets = createKeySets(() => noKeys)
  const senders = await loadSenders(files, { env, now, keySets, selectors: createSelectorReader() }, readText)
  if (as === undefined) print(describeSenders(files, senders, now()))
  else print(explainSeries(senderNamed(as, senders.senders), labels, routing))
}

const misused = (where: string, message: string): UsageError => new UsageError([{ where, message }])

/** Labels in the notation of a selector, each with its value. */
function readSeries(text: string): Selector {
  try {
    const labels = parseSelector(text)
    if (labels.every(({ op }) => op === "=")) return labels
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    throw misused("--series", error.message)
  }
  throw misused("--series", `must be one series, such as up{job="node"}: a label has one value, after =`)
}

/** Undefined: every valid one. Tenants of resources can be given as those of flags: no cluster is contacted. */
function readAllowed({ allowListedTenants, allowListFile }: TenantValues): AllowedTenants {
  if (allowListFile !== undefined)
    return new Set([...allowListedTenants.value, ...readAllowListFile(allowListFile, readText)])
  return allowListedTenants.value.length === 0 ? undefined : new Set(allowListedTenants.value)
}

function senderNamed(name: string, senders: readonly Sender[]): Sender {
  const sender = senders.find((one) => one.name === name)
  if (sender !== undefined) return sender
  const names = senders.length === 0 ? "none" : senders.map((one) => one.name).join(", ")
  throw misused("--as", `there is no sender ${JSON.stringify(name)}; there are ${names}`)
}
