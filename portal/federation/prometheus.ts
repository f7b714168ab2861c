import { z } from "zod"
import { fetchText, RequestFailed } from "#core/http/client.ts"
import type { Sending } from "#core/http/client-credentials.ts"
import { lifecycleDisabled, reloadFailed, reloadRefused, stillStarting, unauthorized } from "./errors.ts"
import { parseVersion, type PrometheusVersion } from "./version.ts"

const DEADLINE = 60
const READY_DEADLINE = 10
const VERSION_DEADLINE = 5
const LIMIT = 65_536

/** The portal's own, and with what it is sent requests at present. */
export interface PrometheusServer {
  readonly url: URL
  readonly sending: () => Sending
}

/** Makes Prometheus read its configuration again. Throws REQUEST_FAILED, LIFECYCLE_DISABLED, PROMETHEUS_UNAUTHORIZED, RELOAD_REFUSED and RELOAD_FAILED. */
export async function reloadPrometheus({ url, sending }: PrometheusServer, signal: AbortSignal): Promise<void> {
  const { agent: dispatcher, headers } = sending()
  const options = { method: "POST", deadline: DEADLINE, limit: LIMIT, signal, dispatcher, headers } as const
  const { status, body } = await fetchText(below(url, "/-/reload"), options)
  if (status === 200) return
  if (status === 401) throw unauthorized({ url: url.origin })
  if (status === 403) throw lifecycleDisabled({ url: url.origin })
  const reason = body.trim().replaceAll(/\s+/g, " ")
  if (status === 500) throw reloadRefused({ url: url.origin, reason })
  throw reloadFailed({ url: url.origin, status, reason })
}

/**
 * Prometheus that reads its data at its start reads the configuration again after that, and ends if it is wrong. Throws
 * PROMETHEUS_STARTING then, and REQUEST_FAILED if it cannot be reached.
 */
export async function checkStarted({ url, sending }: PrometheusServer, signal: AbortSignal): Promise<void> {
  const { agent: dispatcher, headers } = sending()
  const options = { deadline: READY_DEADLINE, limit: LIMIT, signal, dispatcher, headers }
  const { status } = await fetchText(below(url, "/-/ready"), options)
  if (status === 503) throw stillStarting({ url: url.origin })
}

const buildInfo = z.object({ data: z.object({ version: z.string() }) })

/** Which version runs; undefined where it does not say. */
export async function readVersion(
  { url, sending }: PrometheusServer,
  signal: AbortSignal,
): Promise<PrometheusVersion | undefined> {
  const { agent: dispatcher, headers } = sending()
  const options = { deadline: VERSION_DEADLINE, limit: LIMIT, signal, dispatcher, headers }
  try {
    const { status, body } = await fetchText(below(url, "/api/v1/status/buildinfo"), options)
    return status === 200 ? parseVersion(buildInfo.parse(JSON.parse(body)).data.version) : undefined
  } catch (error) {
    if (error instanceof RequestFailed || error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}

/** An address of Prometheus' own, whose url may have a path. */
export const below = (url: URL, path: string): URL => new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url)
