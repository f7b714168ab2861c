import type { RunningKubernetes } from "../../dev/testing/kubernetes.ts"

export const linesOf = (text: string): readonly string[] => text.trimEnd().split("\n")

const object = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
})
const TEXT = { type: "string" }
const DURATION = { type: "string", pattern: String.raw`^(\d+(ms|[smhdwy]))+$` }
const SPEC = {
  jobLabel: TEXT,
  selector: object({ matchLabels: { type: "object", additionalProperties: TEXT } }),
  endpoints: {
    type: "array",
    items: object({
      port: TEXT,
      interval: DURATION,
      scrapeTimeout: DURATION,
      honorLabels: { type: "boolean" },
      relabelings: { type: "array", items: object({ action: { type: "string", enum: ["labeldrop"] }, regex: TEXT }) },
    }),
  },
}

/** The kind with those fields of the operator's schema that are used; strict validation refuses others. */
export const SERVICE_MONITORS = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "servicemonitors.monitoring.coreos.com" },
  spec: {
    group: "monitoring.coreos.com",
    scope: "Namespaced",
    names: { kind: "ServiceMonitor", plural: "servicemonitors", singular: "servicemonitor" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: object({ spec: object(SPEC, ["endpoints", "selector"]) }, ["spec"]) },
      },
    ],
  },
}

interface Rule {
  readonly verbs: readonly string[]
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
}

/** What an account may do in a namespace, beside what everybody may: `list, watch pods.` for each resource. */
export async function rightsOf(
  { kubectl, account }: RunningKubernetes,
  name: string,
  namespace: string,
): Promise<readonly string[]> {
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } }
  const create = ["create", `--kubeconfig=${await account(name)}`, "--validate=false", "-o", "json", "-f", "-"]
  const { status } = JSON.parse(await kubectl(create, JSON.stringify(review))) as {
    status: { resourceRules: readonly Rule[] }
  }
  return status.resourceRules
    .filter(({ apiGroups: [group = ""] }) => !/^auth(?:entication|orization)\.k8s\.io$/.test(group)) // everybody's
    .flatMap(({ verbs, resources, apiGroups }) =>
      apiGroups.flatMap((group) => resources.map((resource) => `${verbs.join(", ")} ${resource}.${group}`)),
    )
    .toSorted()
}
