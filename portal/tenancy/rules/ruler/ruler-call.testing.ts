import type { IncomingMessage } from "node:http"
import { parse } from "yaml"
import type { RuleGroup } from "../model/group.ts"

/** One request as it came. */
export interface RulerCall {
  readonly method: string
  /** As it was sent. */
  readonly path: string
  readonly tenant: string | undefined
  readonly authorization: string | undefined
  readonly body: string
}

/** Decoded: `set team-a ns/name`, `list team-a`; for anything else the path. */
export function showCall({ method, path, tenant = "", body }: RulerCall): string {
  const parts = /\/(?:api|config)\/v1\/rules(?:\/([^/]*)(?:\/([^/]*))?)?$/.exec(path)
  if (parts === null) return `${method} ${path}`
  const [namespace, name] = parts.slice(1).map((part) => part && decodeURIComponent(part))
  if (method === "POST") return `set ${tenant} ${namespace}/${(parse(body) as RuleGroup).name}`
  if (method === "DELETE") return `delete ${tenant} ${namespace}/${name}`
  return namespace === undefined ? `list ${tenant}` : `get ${tenant} ${namespace}/${name}`
}

export const isWrite = ({ method }: RulerCall): boolean => method === "POST" || method === "DELETE"

/** Reads a request to its end. */
export async function receiveCall(request: IncomingMessage): Promise<RulerCall> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const { method = "", url = "", headers } = request
  const tenant = headers["x-scope-orgid"]
  return {
    ...{ method, path: url, authorization: headers.authorization, body: Buffer.concat(chunks).toString() },
    tenant: typeof tenant === "string" ? tenant : undefined,
  }
}
