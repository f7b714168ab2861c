import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import { objectsOf } from "#core/kubernetes/objects.ts"
import { removeFinalizer } from "../resources/finalizer-patch.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import { RULE_RESOURCES } from "../resources/watch-resources.ts"
import { MIRRORED, originAnnotation } from "./origin.ts"
import type { FoundGroup, PlannedResource } from "./plan.ts"

/** Of resources, as the tracker writes them: each one only as it was read, and never one of another. */
export function createWriter(api: KubernetesApi, finalizers: boolean) {
  const objects = objectsOf(api, RULE_RESOURCES)

  /** The generation that was written stands in the resource itself; the API decides about it. */
  async function noteGeneration(written: RuleResource, expected: number, signal: AbortSignal): Promise<void> {
    const { uid, resourceVersion, generation } = written.metadata
    if (generation === expected || generation === undefined) return
    const value = { metadata: { uid, resourceVersion, annotations: { [MIRRORED]: String(generation) } } }
    await objects.patch(written.metadata, { type: "merge", value }, signal)
  }

  return {
    async create({ namespace, name, mode, ...found }: PlannedResource, signal: AbortSignal): Promise<RuleResource> {
      const marks: Readonly<Record<string, string>> = mode === "mirror" ? { [DIRECTION]: "ruler", [MIRRORED]: "1" } : {}
      const annotations = { ...originAnnotation(found.origin), ...marks }
      const guard = mode === "import" && finalizers ? { finalizers: [IMPORTING] } : {}
      const metadata = { name, namespace, annotations, ...guard }
      const written = await objects.create({ metadata, spec: specOf(mode, found) }, signal)
      if (mode === "mirror") await noteGeneration(written, 1, signal)
      return written
    },

    /** It is recorded that this one was imported. */
    async settle(resource: RuleResource, signal: AbortSignal): Promise<void> {
      if (!isImporting(resource)) return
      await objects.patch(resource.metadata, { type: "json", value: removeFinalizer(resource, IMPORTING) }, signal)
    },

    async update({ metadata }: RuleResource, found: FoundGroup, signal: AbortSignal): Promise<void> {
      const { uid, resourceVersion, generation = 0 } = metadata
      const annotations = { [MIRRORED]: String(generation + 1) }
      const value = { metadata: { uid, resourceVersion, annotations }, spec: specOf("mirror", found) }
      const written = await objects.patch(metadata, { type: "merge", value }, signal)
      await noteGeneration(written, generation + 1, signal)
    },

    /** It becomes the source of its group. */
    async release({ metadata }: RuleResource, signal: AbortSignal): Promise<void> {
      const { uid, resourceVersion } = metadata
      const value = { metadata: { uid, resourceVersion, annotations: { [DIRECTION]: null, [MIRRORED]: null } } }
      await objects.patch(metadata, { type: "merge", value }, signal)
    },

    async delete({ metadata }: RuleResource, signal: AbortSignal): Promise<void> {
      const { uid = "", resourceVersion = "" } = metadata
      await objects.delete(metadata, signal, { uid, resourceVersion })
    },
  }
}

/** Finalizer of a resource until it is recorded as imported: so it cannot be gone without a trace, and come back. */
const IMPORTING = "fedstack.dev/importing"

export const isImporting = ({ metadata }: RuleResource): boolean => metadata.finalizers?.includes(IMPORTING) === true

export type Writer = ReturnType<typeof createWriter>

function specOf(mode: PlannedResource["mode"], { ruler, origin, group }: FoundGroup) {
  const description =
    mode === "mirror"
      ? `Follows the ruler ${ruler}: changes here are not written there.`
      : `Imported from the ruler ${ruler}.`
  return { tenants: [origin.tenant], description, groups: [group] }
}

/** The namespace of a resource to be created is not there, or is being deleted. */
export function isWithoutNamespace(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return false
  const { reason, details } = error.details
  const causes = details?.causes ?? []
  return (
    (error.statusCode === 404 && details?.name !== undefined) ||
    (reason === "Forbidden" && causes.some((cause) => cause.reason === "NamespaceTerminating"))
  )
}
