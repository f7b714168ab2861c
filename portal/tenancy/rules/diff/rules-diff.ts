import type { Context } from "#core/component.ts"
import { closeAll, type Closable } from "#core/closable.ts"
import { showPath } from "#core/config/config-file.ts"
import type { Values } from "#core/config/settings.ts"
import { ExitError, explain, FaultsError } from "#core/errors.ts"
import { openKubernetes } from "#core/kubernetes/api.ts"
import { keyOf } from "#core/kubernetes/resource.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { quote } from "../../tenants/quote.ts"
import { readOneOf } from "../check/read-one-of.ts"
import { scopeOf } from "../config.ts"
import type { ResourceSnapshot } from "../resources/source.ts"
import { watchResources } from "../resources/watch-resources.ts"
import { openRulers } from "../ruler/open-rulers.ts"
import type { rulesDiffSettings } from "../settings.ts"
import { type AllPlans, planAll } from "./plan-all.ts"
import { resourcesIn } from "./resources-in.ts"
import { showCounts, showPlans } from "./show-plans.ts"

export type RulesDiffValues = Values<typeof rulesDiffSettings>

/**
 * Prints what the informer would do. Throws ExitError as kubectl diff exits: 1 where something would change or cannot be
 * written, 2 where that is not known of all tenants.
 */
export async function rulesDiff(
  values: RulesDiffValues,
  files: readonly string[],
  { log, signal, print, env }: Pick<Context, "log" | "signal" | "print" | "env">,
): Promise<undefined> {
  const opened: Closable[] = []
  let found: AllPlans
  try {
    const rulers = await openRulers(values, { log, registry: createRegistry() })
    opened.unshift(rulers)
    const snapshot = files.length > 0 ? ofFiles(files) : await ofKubernetes()
    const unread = [...snapshot.incomplete].map(([namespace, reason]) => `${namespace || "all namespaces"}: ${reason}`)
    if (unread.length > 0) throw new ExitError("RESOURCES_UNREAD", 2, `resources cannot be read: ${unread.join("; ")}`)
    found = await planAll(
      {
        ...{ snapshot, rulers: rulers.current(), template: values.rulerNamespaceTemplate },
        // files have no status that says what they own
        adoptExisting: values.adoptExistingGroups || files.length > 0,
        removes: values.enableUpdaterRemoveRules,
      },
      signal,
    )
  } catch (error) {
    if (error instanceof FaultsError || error instanceof ExitError) throw error
    throw new ExitError("RULES_DIFF", 2, explain(error), { cause: error })
  } finally {
    await closeAll(opened)
  }

  async function ofKubernetes(): Promise<ResourceSnapshot> {
    const { kubeconfig, context } = values
    const api = await openKubernetes({ kubeconfig, context, env })
    opened.unshift(api)
    const source = watchResources(api, scopeOf(values, api.namespace), log)
    opened.unshift(source)
    await source.first
    return source.snapshot()
  }

  const { text, counts } = showPlans(found.plans, process.stdout.isTTY, values.deletionGrace)
  if (text !== "") print(`${text}\n`)
  for (const [owner, problems] of found.invalid)
    for (const { group, problem } of problems) {
      const ofGroup = group === "" ? "" : `group ${quote(group)}`
      const where = [ofGroup, showPath(problem.path)].filter((part) => part !== "").join(", ")
      print(`${cleanText(`invalid in ${owner}: ${where === "" ? "" : `${where}: `}${problem.message}`, 1000)}\n`)
    }
  if (found.failures.length > 0) {
    const reasons = found.failures.map(({ ruler, tenant, reason }) => `ruler ${ruler}, tenant ${tenant}: ${reason}`)
    throw new ExitError("RULES_DIFF", 2, `what would change is not known of all tenants:\n${reasons.join("\n")}`)
  }
  const { adopt: _, ...changes } = counts
  const isSame = Object.values(changes).every((count) => count === 0) && found.invalid.size === 0
  if (!isSame) throw new ExitError("RULES_DIFFER", 1, showCounts(counts, found.invalid.size))
  print(`${showCounts(counts, 0)}\n`)
}

function ofFiles(files: readonly string[]): ResourceSnapshot {
  const resources = files.flatMap((file) => resourcesIn(readOneOf(file), file))
  return { resources: new Map(resources.map((resource) => [keyOf(resource), resource])), incomplete: new Map() }
}
