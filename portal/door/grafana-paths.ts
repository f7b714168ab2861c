import { type Decide, isRead } from "./decision.ts"

/**
 * For operators of the server rather than its users, and live updates, which need WebSocket. Grafana decides about the
 * rest: it knows who the user is, and what that user may do.
 */
const REFUSED = /^\/(?:metrics|debug|login|api\/(?:admin|live|login|user\/auth-tokens))(?:\/|$)/i

/** Of the front end; all else is under /public/ and /api/. */
const NO_PAGE = /^\/(?:api|apis|public|avatar|render|healthz|robots\.txt|favicon\.ico)(?:\/|$)/

const WRITES = new Set(["POST", "PUT", "PATCH", "DELETE"])

export const decideGrafana: Decide = (method, path) => {
  const read = isRead(method)
  if (REFUSED.test(path) || (!read && !WRITES.has(method))) return undefined
  const encoded = path.split("/").map(encodeURIComponent).join("/")
  if (read && !NO_PAGE.test(path)) return { kind: "page", path: encoded }
  return read || path.startsWith("/api/") || path.startsWith("/apis/") ? { kind: "plain", path: encoded } : undefined
}
