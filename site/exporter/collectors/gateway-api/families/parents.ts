import { type Family, info } from "../family.ts"
import { elements, field, type Json, scalar } from "../fields.ts"
import { label } from "../labels.ts"
import { conditionFamilies, type Verdict } from "./conditions.ts"

/** An object that another one refers to, with what is understood where it is left out. */
export interface Reference {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly section: string
  readonly port: string
}

const read = {
  group: field("group"),
  kind: field("kind"),
  namespace: field("namespace"),
  name: field("name"),
  section: field("sectionName"),
  port: field("port"),
}
const ownNamespace = field("metadata.namespace")
const controllerName = field("controllerName")
const conditionsOf = field("conditions")

/** undefined where it has no name: then it is no controller's report. */
export function referenceOf(reference: Json, object: Json): Reference | undefined {
  const name = scalar(read.name(reference)) ?? ""
  if (name === "") return undefined
  return {
    // "" is the core group, which is not what is understood
    group: scalar(read.group(reference)) ?? "gateway.networking.k8s.io",
    kind: scalar(read.kind(reference)) ?? "Gateway",
    namespace: scalar(read.namespace(reference)) ?? scalar(ownNamespace(object)) ?? "",
    name,
    section: scalar(read.section(reference)) ?? "",
    port: scalar(read.port(reference)) ?? "",
  }
}

/** With labels that join with those of `gatewayapi_gateway_info`. `role` is `parent` or `ancestor`. */
export function referenceLabels(role: string, { group, kind, namespace, name, section, port }: Reference): string {
  return (
    label(`${role}_group`, group) +
    label(`${role}_kind`, kind) +
    label(`${role}_name`, name) +
    label(`${role}_namespace`, namespace) +
    label(`${role}_section_name`, section) +
    label(`${role}_port`, port)
  )
}

const specParents = field("spec.parentRefs")
const statusParents = field("status.parents")
const parentRef = field("parentRef")

/** Conditions by entry of lists in the status, each with a reference and its controller. */
export function entryConditions(role: "parent" | "ancestor", lists: readonly string[], of: string): readonly Family[] {
  const [reads, reference] = [lists.map(field), field(`${role}Ref`)]
  return conditionFamilies({
    suffix: `status_${role}s`,
    of,
    observed: "entry",
    verdicts: function* (object: Json): Iterable<Verdict> {
      for (const entry of reads.flatMap((readList) => elements(readList(object)))) {
        const found = referenceOf(reference(entry), object)
        if (found === undefined) continue
        const labels = label("controller_name", controllerName(entry)) + referenceLabels(role, found)
        yield { labels, conditions: conditionsOf(entry) }
      }
    },
  })
}

/** The predecessor's, with the fields as they stand there. */
const parentPaths = (below: string) => ({
  parent_group: `${below}group`,
  parent_kind: `${below}kind`,
  parent_name: `${below}name`,
  parent_namespace: `${below}namespace`,
  parent_section_name: `${below}sectionName`,
  parent_port: `${below}port`,
})

/** What routes say of their parents, and their parents' controllers of them. */
export const parents: readonly Family[] = [
  info("parent_info", "Parents that the route names, such as Gateways.", "spec.parentRefs", parentPaths("")),
  info("status_parent_info", "Parents whose controllers have reported on the route.", "status.parents", {
    controller_name: "controllerName",
    ...parentPaths("parentRef."),
  }),
  ...entryConditions("parent", ["status.parents"], "the route by parent"),
  {
    suffix: "parent_unreported",
    help: "1 for each parent that the route names and that no controller has reported on; no series for others.",
    samples(object, emit) {
      const reported = referencesOf(elements(statusParents(object)).map(parentRef), object)
      for (const parent of referencesOf(elements(specParents(object)), object)) {
        if (!reported.some((other) => isSame(parent, other))) emit(referenceLabels("parent", parent), 1)
      }
    },
  },
  {
    suffix: "status_parent_orphaned",
    help: "1 for each parent in the status that the route no longer names; no series for others.",
    samples(object, emit) {
      const named = referencesOf(elements(specParents(object)), object)
      const reports = elements(statusParents(object)).flatMap((entry) => {
        const parent = referenceOf(parentRef(entry), object)
        return parent === undefined ? [] : [{ parent, controller: label("controller_name", controllerName(entry)) }]
      })
      for (const { parent, controller } of reports) {
        const reportsExactly = (other: Reference): boolean =>
          reports.some((report) => report.controller === controller && isEqual(report.parent, other))
        // a report on the whole of what the same controller reports on by its section is left from before
        const isNamed = named.some(
          (other) => isEqual(parent, other) || (isSame(parent, other) && !reportsExactly(other)),
        )
        if (!isNamed) emit(controller + referenceLabels("parent", parent), 1)
      }
    },
  },
]

function referencesOf(all: readonly Json[], object: Json): readonly Reference[] {
  return all.map((each) => referenceOf(each, object)).filter((each) => each !== undefined)
}

function isEqual(a: Reference, b: Reference): boolean {
  return isSame(a, b) && a.section === b.section && a.port === b.port
}

/** Controllers may report on a parent as a whole where the route names a section of it, and the other way round. */
function isSame(a: Reference, b: Reference): boolean {
  return (
    a.name === b.name &&
    a.namespace === b.namespace &&
    a.kind === b.kind &&
    a.group === b.group &&
    (a.section === b.section || a.section === "" || b.section === "") &&
    (a.port === b.port || a.port === "" || b.port === "")
  )
}
