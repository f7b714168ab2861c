import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import { noKeys } from "#core/auth/jwt/remote-keys.ts"
import type { Context } from "#core/component.ts"
import { ConfigurationError, FedstackError, UsageError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { beyondBounds } from "#core/promql/bounds.ts"
import { explainRefusal } from "#core/promql/judge.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { createSelectorReader } from "#core/promql/selector-reader.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import { queryOf } from "./admit.ts"
import { describePolicy } from "./policy/describe.ts"
import { loadPolicy } from "./policy/load.ts"
import type { Client, Policy } from "./policy/types.ts"

/** Prints a summary of a policy, or what a client of it may read and why. Throws ConfigurationError and UsageError. */
export async function checkPolicy(
  file: string,
  { as, match }: { readonly as: string | undefined; readonly match: readonly string[] },
  { print, env, now }: Pick<Context, "print" | "env" | "now">,
): Promise<undefined> {
  const selectors = readSelectors(as, match)
  // no issuer is contacted: a policy is right or wrong by itself
  const keySets = createKeySets(() => noKeys)
  const policy = await loadPolicy(file, { env, now, keySets, selectors: createSelectorReader() }, readText)
  if (as === undefined) print(describePolicy(file, policy, now()))
  else print(await describeDecision(findClient(policy, as), policy, match, selectors))
}

function readSelectors(as: string | undefined, match: readonly string[]): readonly Selector[] {
  if ((as === undefined) !== (match.length === 0)) {
    const [where, other] = as === undefined ? ["--match", "--as CLIENT"] : ["--as", "--match SELECTOR"]
    throw new UsageError([{ where, message: `needs ${other} too` }])
  }
  return match.map((one) => {
    try {
      return parseSelector(one)
    } catch (error) {
      if (!(error instanceof FedstackError)) throw error
      throw new UsageError([{ where: "--match", message: error.message }])
    }
  })
}

function findClient({ clients }: Policy, name: string): Client {
  const client = clients.find((one) => one.name === name)
  if (client !== undefined) return client
  const names = clients.map((one) => one.name).join(", ")
  throw new UsageError([
    { where: "--as", message: `there is no client ${JSON.stringify(name)} in the policy; there are ${names}` },
  ])
}

/** What would be allowed and by which rule. Throws ConfigurationError with the reasons where it would be refused. */
async function describeDecision(
  client: Client,
  { requestBytes }: Policy,
  match: readonly string[],
  selectors: readonly Selector[],
): Promise<string> {
  const { selectors: most, selectorCharacters: characters } = client.limits
  const beyond = beyondBounds(match, { selectors: most, characters, bytes: requestBytes })
  if (beyond.length > 0) {
    const todo = "raise it in the policy, or let it request them in several jobs"
    const faults = beyond.map((problem) => `${client.name} may not request this at once: it ${problem}; ${todo}`)
    throw new ConfigurationError(faults.map((message) => ({ where: client.where, message })))
  }
  const authorize = createAuthorize()
  const decision = await authorize(client, selectors, { most })
  if (!decision.allowed) {
    const requested = printSelector(decision.selector)
    const reasons = explainRefusal(client.shared, decision.selector)
    throw new ConfigurationError([
      { where: client.where, message: `${client.name} may not read ${requested}: ${decision.reason}` },
      ...reasons.map(({ shared, reason }) => ({
        where: shared.where,
        message: `does not contain it: ${reason}. Shared here: ${printSelector(shared.selector)}`,
      })),
    ])
  }
  try {
    queryOf(decision.selectors)
  } catch (error) {
    if (!(error instanceof FedstackError)) throw error
    throw new ConfigurationError([{ where: client.where, message: error.message }])
  }
  const lines = selectors.map(async (selector) => {
    const one = await authorize(client, [selector], { most })
    if (!one.allowed) return ""
    const by = one.by.map((shared) => `  by ${shared.where}: ${printSelector(shared.selector)}\n`)
    const narrowed = one.selectors.some((sent) => printSelector(sent) !== printSelector(selector))
    const sent = narrowed ? one.selectors.map((each) => `  requested as ${printSelector(each)}\n`) : []
    return `${client.name} may read ${printSelector(selector)}\n${by.join("")}${sent.join("")}`
  })
  return (await Promise.all(lines)).join("")
}
