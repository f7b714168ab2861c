import { ConfigurationError, FedstackError, UsageError } from "#core/errors.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { beyondBounds } from "#core/promql/bounds.ts"
import { explainRefusal } from "#core/promql/judge.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import type { Client, ClientPolicy } from "./client.ts"

/** The selectors of `--match`, for the client of `--as`. Throws UsageError. */
export function readAskedFor(as: string | undefined, match: readonly string[]): readonly Selector[] {
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

/** Throws UsageError where there is none. */
export function clientNamed<C extends Client>(name: string, { clients }: Pick<ClientPolicy<C>, "clients">): C {
  const client = clients.find((one) => one.name === name)
  if (client !== undefined) return client
  const names = clients.map((one) => one.name).join(", ")
  throw new UsageError([
    { where: "--as", message: `there is no client ${JSON.stringify(name)} in the policy; there are ${names}` },
  ])
}

/** What would be allowed and by which rule; `precheck` throws a FedstackError where it could not be requested. Throws ConfigurationError with the reasons where it would be refused. */
export async function describeDecision(
  client: Client,
  { requestBytes }: Pick<ClientPolicy, "requestBytes">,
  match: readonly string[],
  selectors: readonly Selector[],
  precheck: (selectors: readonly Selector[]) => unknown,
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
    precheck(decision.selectors)
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
