import type { Schema } from "./schema.testing.ts"
import type { KubernetesObject, Resource } from "#core/kubernetes/resource.ts"

/** What an own CRD is to have of the real one. */
export interface OwnCrd {
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly versions: readonly string[]
  readonly scope?: "Cluster"
  /** Whether the real one lets a type of conditions stand there once only. */
  readonly uniqueConditions?: boolean
}

const POLICIES = { group: "kuadrant.io", versions: ["v1"] }
const EXTENSIONS = { group: "extensions.kuadrant.io", versions: ["v1alpha1"], uniqueConditions: true }

/** Of the kinds that Gateway API 1.6 does not have: those of others, and those that it had once. */
export const OWN_CRDS: readonly OwnCrd[] = [
  { ...POLICIES, kind: "AuthPolicy", plural: "authpolicies", uniqueConditions: true },
  { ...POLICIES, kind: "RateLimitPolicy", plural: "ratelimitpolicies", uniqueConditions: true },
  { ...POLICIES, kind: "TLSPolicy", plural: "tlspolicies" },
  { ...POLICIES, kind: "DNSPolicy", plural: "dnspolicies" },
  {
    ...POLICIES,
    kind: "TokenRateLimitPolicy",
    plural: "tokenratelimitpolicies",
    versions: ["v1alpha1"],
    uniqueConditions: true,
  },
  { ...POLICIES, kind: "DNSRecord", plural: "dnsrecords", versions: ["v1alpha1"] },
  { ...POLICIES, kind: "DNSHealthCheckProbe", plural: "dnshealthcheckprobes", versions: ["v1alpha1"] },
  { ...EXTENSIONS, kind: "OIDCPolicy", plural: "oidcpolicies" },
  { ...EXTENSIONS, kind: "PlanPolicy", plural: "planpolicies" },
  { ...EXTENSIONS, kind: "TelemetryPolicy", plural: "telemetrypolicies" },
  { ...EXTENSIONS, kind: "ThreatPolicy", plural: "threatpolicies" },
  { group: "inference.networking.k8s.io", kind: "InferencePool", plural: "inferencepools", versions: ["v1"] },
  { group: "inference.networking.x-k8s.io", kind: "InferencePool", plural: "inferencepools", versions: ["v1alpha2"] },
  { group: "gateway.networking.k8s.io", kind: "BackendLBPolicy", plural: "backendlbpolicies", versions: ["v1alpha2"] },
  { group: "gateway.networking.x-k8s.io", kind: "XListenerSet", plural: "xlistenersets", versions: ["v1alpha1"] },
]

export interface Crd extends KubernetesObject {
  readonly spec: {
    readonly group: string
    readonly scope: string
    readonly names: { readonly kind: string; readonly plural: string }
    readonly versions: readonly {
      readonly name: string
      readonly served: boolean
      readonly storage: boolean
      readonly schema: { readonly openAPIV3Schema: Schema }
    }[]
  }
}

export const CRDS: Resource<Crd> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
}

/** As small as a CRD can be that takes any spec and keeps the status apart. */
export function crdOf({ group, kind, plural, versions, scope, uniqueConditions = false }: OwnCrd): Crd {
  const condition = { type: "object", properties: { type: { type: "string" } }, required: ["type"] }
  const conditions = {
    type: "array",
    items: { ...condition, "x-kubernetes-preserve-unknown-fields": true },
    ...(uniqueConditions ? { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] } : {}),
  }
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true }
  const openAPIV3Schema = {
    type: "object",
    properties: { spec: open, status: { ...open, properties: { conditions } } },
  }
  return {
    // which the API wants of groups below k8s.io
    metadata: { name: `${plural}.${group}`, annotations: { "api-approved.kubernetes.io": "unapproved, for tests" } },
    spec: {
      group,
      scope: scope ?? "Namespaced",
      names: { kind, plural },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema },
        subresources: { status: {} },
      })),
    },
  }
}
