import { explain } from "#core/errors.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { isConflict, undefinedIfMissing } from "#core/kubernetes/errors.ts"
import { listObjects } from "#core/kubernetes/list.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import { removeFinalizer } from "./finalizer-patch.ts"
import { hasFinalizer, type RuleResource } from "./rule-resource.ts"
import { RULE_RESOURCES } from "./watch-resources.ts"

/** Takes our finalizer from the resources of a namespace that is no longer synchronised; how many had it. */
export async function releaseNamespace(api: KubernetesApi, namespace: string, signal: AbortSignal): Promise<number> {
  const objects = objectsOf(api, RULE_RESOURCES)
  const guarded: RuleResource["metadata"][] = []
  const keep = (resource: RuleResource): void => {
    if (hasFinalizer(resource)) guarded.push(resource.metadata)
  }
  await listObjects<RuleResource>(api, { resource: RULE_RESOURCES, namespace }, keep, signal)
  for (let metadata of guarded)
    for (let failures = 0; ; failures++) {
      try {
        const value = removeFinalizer({ metadata })
        await objects.patch(metadata, { type: "json", value }, signal).catch(undefinedIfMissing)
        break
      } catch (error) {
        if (!isConflict(error) || failures === MOST_CONFLICTS) throw error
        const found = await objects.get(metadata, signal)
        if (found === undefined || found.metadata.uid !== metadata.uid || !hasFinalizer(found)) break
        metadata = found.metadata
      }
    }
  return guarded.length
}

const MOST_CONFLICTS = 5
/** Seconds. */
const RETRY = { least: 1, most: 300 }

/** Does so for all of them, each until it succeeds or the signal is aborted. Never rejects. */
export async function releaseNamespaces(
  api: KubernetesApi,
  { namespaces, isWatched, log }: ReleaseOptions,
  signal: AbortSignal,
): Promise<void> {
  const release = async (namespace: string): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      const isSelected = isWatched(namespace)
      if (isSelected === true)
        return log.warn({ namespace }, "--release-namespace has no effect: the namespace is synchronised")
      try {
        if (isSelected === undefined) throw new Error("it is not known yet which namespaces are synchronised")
        const resources = await releaseNamespace(api, namespace, signal)
        return log.info({ namespace, resources }, "namespace released, its groups stay at the rulers")
      } catch (error) {
        if (signal.aborted) return
        if (failures === 1)
          log.warn({ namespace, reason: explain(error) }, "releasing a namespace failed, retrying until it succeeds")
        await pause(backoff(failures + 1, RETRY), signal)
      }
    }
  }
  await Promise.all(namespaces.map(release))
}

export interface ReleaseOptions {
  readonly namespaces: readonly string[]
  /** Whether its resources are synchronised; undefined: that is not known yet. */
  readonly isWatched: (namespace: string) => boolean | undefined
  readonly log: Logger
}
