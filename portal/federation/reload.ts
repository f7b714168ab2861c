import { exchange } from "#core/http-client.ts"
import { lifecycleDisabled, reloadFailed, reloadRefused } from "./errors.ts"

const DEADLINE = 60
const LIMIT = 65_536

/** Tells Prometheus to read its configuration again. Throws REQUEST_FAILED, LIFECYCLE_DISABLED, RELOAD_REFUSED and RELOAD_FAILED. */
export async function reloadPrometheus(url: URL, signal: AbortSignal): Promise<void> {
  const target = new URL(`${url.pathname.replace(/\/$/, "")}/-/reload`, url)
  const { status, body } = await exchange(target, { method: "POST", deadline: DEADLINE, limit: LIMIT, signal })
  if (status === 200) return
  if (status === 403) throw lifecycleDisabled({ url: url.origin })
  const reason = body.trim().replaceAll(/\s+/g, " ")
  if (status === 500) throw reloadRefused({ url: url.origin, reason })
  throw reloadFailed({ url: url.origin, status, reason })
}
