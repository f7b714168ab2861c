import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import type { Context } from "#core/component.ts"
import { clientNamed, describeDecision, readAskedFor } from "#core/federation/describe-decision.ts"
import { readText } from "#core/files/read-text.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import { describePolicy } from "./policy/describe.ts"
import { loadPolicy } from "./policy/load.ts"
import { upstreamQuery } from "./upstream/request.ts"

/** Prints a summary of a policy, or what a client of it may read and why. Throws ConfigurationError and UsageError. */
export async function checkPolicy(
  file: string,
  { as, match }: { readonly as: string | undefined; readonly match: readonly string[] },
  { print, env, now }: Pick<Context, "print" | "env" | "now">,
): Promise<undefined> {
  const selectors = readAskedFor(as, match)
  // no issuer is contacted: a policy is right or wrong by itself
  const keySets = createKeySets(() => noKeys)
  const policy = await loadPolicy(file, { env, now, keySets, selectors: createSelectorReader() }, readText)
  if (as === undefined) print(describePolicy(file, policy, now()))
  else print(await describeDecision(clientNamed(as, policy), policy, match, selectors, upstreamQuery))
}
