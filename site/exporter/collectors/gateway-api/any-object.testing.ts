import * as fc from "fast-check"

/** Texts that are hard to write, and some that are often the same. */
const text = fc.oneof(
  fc.constantFrom("a", "b", "", 'q"uo\\te', "line\nfeed", "\0", "\r", "\ud800", "é€😀", "{}", 'a="b"', "\\n", "name"),
  fc.string({ unit: "binary", maxLength: 8 }),
)
/** What stands where something else should: null, another type, anything. */
const broken = fc.oneof(
  fc.constantFrom(null, true, 0, -1.5, 1e300, "", [], {}, [null], [[]]),
  fc.jsonValue({ maxDepth: 2 }),
)
const mostly = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: broken })
const list = <T>(each: fc.Arbitrary<T>, maxLength = 4): fc.Arbitrary<unknown> =>
  mostly(fc.array(mostly(each), { maxLength }))
const record = (model: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> =>
  mostly(fc.record(model, { requiredKeys: [] }))

const generation = mostly(fc.integer({ min: 0, max: 4 }))
const time = mostly(
  fc.constantFrom("2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-01-01", "9999-12-31T23:59:59Z"),
)
const type = mostly(fc.constantFrom("Accepted", "Programmed", "kuadrant.io/AuthPolicyAffected", "Accepted"))
const status = mostly(fc.constantFrom("True", "False", "Unknown", "true", "YES", "no", "Maybe"))
const conditions = list(record({ type, status, reason: text, observedGeneration: generation }), 8)
const reference = record({
  ...Object.fromEntries(["group", "kind", "namespace", "name", "sectionName"].map((key) => [key, mostly(text)])),
  port: mostly(fc.integer({ min: 1, max: 65_535 })),
})
const listener = record({
  name: mostly(text),
  port: mostly(fc.nat(65_535)),
  protocol: text,
  hostname: text,
  tls: record({ mode: text }),
  allowedRoutes: record({ namespaces: record({ from: text }) }),
  attachedRoutes: mostly(fc.nat()),
  conditions,
})
const entry = record({ controllerName: mostly(text), parentRef: reference, ancestorRef: reference, conditions })
const key = fc.oneof(
  fc.constantFrom(
    "name",
    "namespace",
    "a.b",
    "a-b",
    "a_b",
    "a_b_conflict1",
    "4th",
    "app.kubernetes.io/name",
    "__name__",
    "le",
    "quantile",
  ),
  text,
)

const metadata = fc.record(
  {
    labels: mostly(fc.dictionary(key, mostly(text), { maxKeys: 6 })),
    annotations: fc.constant({ note: "x".repeat(60_000) }),
    creationTimestamp: time,
    deletionTimestamp: time,
    generation,
  },
  { requiredKeys: [] },
)

const spec = record({
  controllerName: mostly(text),
  gatewayClassName: mostly(text),
  listeners: list(listener),
  hostnames: list(text),
  parentRef: reference,
  parentRefs: list(reference),
  targetRef: reference,
  targetRefs: list(reference),
  rootHost: mostly(text),
})

const anyStatus = record({
  conditions,
  listeners: list(listener),
  addresses: list(record({ type: text, value: text })),
  attachedListenerSets: mostly(fc.nat()),
  parents: list(entry),
  parent: list(entry),
  ancestors: list(entry),
  supportedFeatures: list(fc.oneof(text, record({ name: text }))),
  observedGeneration: generation,
  recordConditions: mostly(fc.dictionary(text, conditions, { maxKeys: 3 })),
  totalRecords: mostly(fc.nat()),
  domainOwners: list(text),
  healthCheck: record({ conditions, probes: list(record({ id: text, ipAddress: text, host: text, conditions })) }),
  healthy: mostly(fc.boolean()),
})

/** Objects as no CRD has them, too. */
export const anyObject = fc.record({ metadata, spec, status: anyStatus, extra: broken }, { requiredKeys: ["metadata"] })

/** With what the API itself sees to. */
export function named(object: { readonly metadata: object }, name: string) {
  return { ...object, metadata: { ...object.metadata, namespace: "ns", name } }
}
