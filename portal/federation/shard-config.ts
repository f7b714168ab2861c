import { type Document, isAlias, isCollection, isMap, isSeq, type Node, visit, type YAMLMap, YAMLSeq } from "yaml"

/** Which of several Prometheus a configuration is for. */
export interface ShardLabel {
  readonly name: string
  readonly others: readonly string[]
}

/** The label by which the data, alerts and metrics of several Prometheus differ. */
export const SHARD = "shard"

/** The job whose series the shipped rules read. */
const PORTAL_JOB = "portal"

/** Alerts on what a whole portal is: every shard has them, and Alertmanager is to see one. */
const OF_PORTAL = "Portal(?:Down|ConfigReloadFailed|StatusUnknown|SharedCause|ShardUnreachable)"

/**
 * Adds to a whole configuration what distinguishes this shard from the others. All of them scrape the portal and run the same rules:
 * of its series, each keeps those of its own sites, or it would alert on sites that others scrape. Alerts on sites and on the
 * portal lose the label again, so that one that two shards raise, as while a site moves, is one.
 */
export function addShard(document: Document, { name, others }: ShardLabel): void {
  const labels = mapIn(document, mapIn(document, document.contents as YAMLMap, "global"), "external_labels")
  labels.set(SHARD, name)
  const jobs = document.get("scrape_configs")
  if (others.length > 0 && isSeq(jobs)) {
    for (const job of jobs.items) {
      if (!isMap(job) || job.get("job_name") !== PORTAL_JOB) continue
      const rule = { source_labels: [SHARD], regex: others.map(literally).join("|"), action: "drop" }
      listIn(document, job, "metric_relabel_configs").add(document.createNode(rule))
    }
  }
  const alerting = mapIn(document, document.contents as YAMLMap, "alerting")
  const rule = {
    source_labels: ["site", "alertname"],
    regex: `.+;.*|;${OF_PORTAL}`,
    target_label: SHARD,
    replacement: "",
  }
  listIn(document, alerting, "alert_relabel_configs").add(document.createNode(rule))
}

function mapIn(document: Document, parent: YAMLMap, key: string): YAMLMap {
  const found = own(document, parent, key)
  if (isMap(found)) return found
  const made = document.createNode({})
  parent.set(key, made)
  return made
}

function listIn(document: Document, parent: YAMLMap, key: string): YAMLSeq {
  const found = own(document, parent, key)
  if (isSeq(found)) return found
  const made = new YAMLSeq()
  parent.set(key, made)
  return made
}

/** For this place alone: of what stands elsewhere too, by an alias, there is a copy in each place. */
function own(document: Document, parent: YAMLMap, key: string): unknown {
  const found = parent.get(key, true)
  if (isAlias(found)) {
    const copy = copyOf(found.resolve(document), document)
    parent.set(key, copy)
    return copy
  }
  if (!isCollection(found) || found.anchor === undefined) return found
  const { anchor } = found
  visit(document, {
    Alias: (_, alias) => (alias.source === anchor ? (copyOf(found, document) as Node) : undefined),
  })
  delete found.anchor
  return found
}

const copyOf = (node: Node | undefined, document: Document): unknown => document.createNode(node?.toJS(document))

const literally = (text: string): string => text.replaceAll(".", String.raw`\.`)
