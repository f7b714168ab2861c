import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import type { Context } from "#core/component.ts"
import { describeClients } from "#core/federation/describe.ts"
import { clientNamed, describeDecision, readAskedFor } from "#core/federation/describe-decision.ts"
import { readText } from "#core/files/read-text.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import type { TenantClient } from "./clients/client.ts"
import { loadClients } from "./clients/load.ts"

/** Prints a summary of the file, or what a client of it may read and why. Throws ConfigurationError and UsageError. */
export async function checkClients(
  file: string,
  { as, match }: { readonly as: string | undefined; readonly match: readonly string[] },
  { print, env, now }: Pick<Context, "print" | "env" | "now">,
): Promise<undefined> {
  const selectors = readAskedFor(as, match)
  // no issuer is contacted: a file is right or wrong by itself
  const keySets = createKeySets(() => noKeys)
  const policy = await loadClients(file, { env, now, keySets, selectors: createSelectorReader() }, readText)
  const times = policy.timestamps ? "the times of their samples" : "the time of the scrape"
  const source = `store ${policy.upstreams.map(({ href }) => href).join(", then ")}; look-back ${policy.lookBack} s; series have ${times}`
  if (as === undefined) print(describeClients(file, policy, now(), source, tenantsOf))
  else print(await describeDecision(clientNamed(as, policy), policy, match, selectors, () => undefined))
}

const tenantsOf = ({ tenants }: TenantClient): readonly (readonly [string, string])[] => [
  ["of tenants", tenants.length === 0 ? "that its tokens name" : tenants.join(", ")],
]
