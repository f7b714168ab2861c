import { isAbsolute, join } from "node:path"
import { type Document, isMap, isPair, isScalar, isSeq, type Node, type Scalar } from "yaml"
import type { Path } from "#core/config/config-file.ts"

/** A file, or a pattern of files, that a Prometheus configuration names relative to itself. */
export interface RelativePath {
  readonly path: Path
  readonly text: string
  readonly node: Scalar
  /** Whether Prometheus reads it; it writes logs. */
  readonly read: boolean
  readonly pattern: boolean
}

/**
 * All that Prometheus joins with the folder of its configuration (`JoinDir` and `SetDirectory` in prometheus/prometheus and
 * prometheus/common, 2.42 to 3.14). Others, such as `client_certificate_key_file`, are relative to where it was started, and
 * stay so.
 */
const FILES: ReadonlySet<string> = new Set([
  ...["ca_file", "cert_file", "key_file", "credentials_file", "bearer_token_file", "client_secret_file"],
  ...["password_file", "username_file", "auth_token_file", "secret_key_file", "key_passphrase_file", "kubeconfig_file"],
])
const LOGS: ReadonlySet<string> = new Set(["query_log_file", "scrape_failure_log_file"])
/** Lists; `files` are those of file_sd_configs and of http_headers, where they are no patterns. */
const LISTS: ReadonlySet<string> = new Set(["scrape_config_files", "files"])

/** Maps whose keys their writer chooses, and one whose file Prometheus does not join. */
const OPAQUE: ReadonlySet<string> = new Set([
  ...["labels", "external_labels", "params", "headers", "proxy_connect_header", "endpoint_params", "node_meta"],
  ...["claims", "google_iam"],
])

/** Of a whole configuration but its rule files, which are copied. What an alias stands for is found where it stands first. */
export function* relativePaths(document: Document): Generator<RelativePath> {
  yield* below(document.contents, [], "")
}

function* below(node: unknown, path: Path, parent: string): Generator<RelativePath> {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) yield* below(item, [...path, index], parent)
    return
  }
  if (!isMap(node)) return
  for (const pair of node.items) {
    if (!isPair(pair) || !isScalar(pair.key)) continue
    const key = String(pair.key.value)
    const at = [...path, key]
    const value = pair.value as Node | null
    if (isScalar(value)) {
      if (FILES.has(key)) yield* relative(value, at, { read: true, pattern: false })
      else if (LOGS.has(key)) yield* relative(value, at, { read: false, pattern: false })
    } else if (isSeq(value) && LISTS.has(key)) {
      const pattern = key !== "files" || parent === "file_sd_configs"
      for (const [index, item] of value.items.entries()) {
        if (isScalar(item)) yield* relative(item, [...at, index], { read: true, pattern })
      }
    } else if (!OPAQUE.has(key)) yield* below(value, at, key)
  }
}

function* relative(
  node: Scalar,
  path: Path,
  { read, pattern }: Pick<RelativePath, "read" | "pattern">,
): Generator<RelativePath> {
  if (node.value === null) return
  const text = typeof node.value === "string" ? node.value : (node.source ?? "")
  if (text !== "" && !isAbsolute(text)) yield { path, text, node, read, pattern }
}

/** Makes them absolute, as Prometheus would where the configuration stood in `folder`. */
export function resolvePaths(document: Document, folder: string): void {
  for (const { node, text } of relativePaths(document)) {
    node.value = join(folder, text)
    node.type = "QUOTE_DOUBLE"
  }
}
