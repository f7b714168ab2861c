import { fetchText } from "#core/http/client.ts"
import { lifecycleDisabled, reloadFailed, reloadRefused, stillStarting } from "./errors.ts"

const DEADLINE = 60
const READY_DEADLINE = 10
const LIMIT = 65_536

/** Makes Prometheus read its configuration again. Throws REQUEST_FAILED, LIFECYCLE_DISABLED, RELOAD_REFUSED and RELOAD_FAILED. */
export async function reloadPrometheus(url: URL, signal: AbortSignal): Promise<void> {
  const target = below(url, "/-/reload")
  const { status, body } = await fetchText(target, { method: "POST", deadline: DEADLINE, limit: LIMIT, signal })
  if (status === 200) return
  if (status === 403) throw lifecycleDisabled({ url: url.origin })
  const reason = body.trim().replaceAll(/\s+/g, " ")
  if (status === 500) throw reloadRefused({ url: url.origin, reason })
  throw reloadFailed({ url: url.origin, status, reason })
}

/**
 * Prometheus that reads its data at its start reads the configuration again after that, and ends if it is wrong. Throws
 * PROMETHEUS_STARTING then, and REQUEST_FAILED if it cannot be reached.
 */
export async function checkStarted(url: URL, signal: AbortSignal): Promise<void> {
  const { status } = await fetchText(below(url, "/-/ready"), { deadline: READY_DEADLINE, limit: LIMIT, signal })
  if (status === 503) throw stillStarting({ url: url.origin })
}

const below = (url: URL, path: string): URL => new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url)
