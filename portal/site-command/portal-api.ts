import { createSecureContext } from "node:tls"
import { z } from "zod"
import { ConfigurationError, ExitError, FedstackError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { openAgent } from "#core/http/agent.ts"
import { faultOfToken } from "#core/http/bearer-token.ts"
import { fetchText } from "#core/http/client.ts"
import { cleanText } from "#core/log/clean-text.ts"

export interface PortalAccess {
  readonly portalUrl: URL
  readonly portalTokenFile: string | undefined
  readonly portalCaFile: string | undefined
}

/** Longer than the portal waits for Prometheus. */
const DEADLINE = 60
const LIMIT = 2 ** 26

const failure = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    faults: z.array(z.object({ where: z.string(), message: z.string() })).optional(),
  }),
})

/** Sends a request to a portal's API, and returns what it responds. Throws its errors, and RequestFailed. */
export async function requestPortal(
  { portalUrl, portalTokenFile: file, portalCaFile: ca }: PortalAccess,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<unknown> {
  const token = file === undefined ? undefined : readText(file).trim()
  const fault = token === undefined ? undefined : faultOfToken(token)
  if (file !== undefined && fault !== undefined) throw new ConfigurationError([{ where: file, message: fault }])
  const secureContext = ca === undefined ? undefined : createSecureContext({ ca: readText(ca) })
  const agent = openAgent({ secureContext })
  const address = new URL(`${portalUrl.pathname.replace(/\/$/, "")}/api/v1/sites${path}`, portalUrl)
  try {
    const response = await fetchText(address, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      deadline: DEADLINE,
      limit: LIMIT,
      dispatcher: agent,
    })
    const value = jsonOf(response.body)
    if (response.status < 300) return value
    const { data } = failure.safeParse(value)
    const {
      code = "PORTAL_ERROR",
      message = `the portal responds with status ${response.status}`,
      faults,
    } = data?.error ?? {}
    if (faults !== undefined)
      throw new ConfigurationError(
        faults.map((one) => ({ where: cleanText(one.where), message: cleanText(one.message) })),
      )
    throw new FedstackError(code, response.status, cleanText(message))
  } finally {
    await agent.destroy()
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const applied = z.object({
  site: z.string(),
  action: z.string(),
  outcome: z.enum(["confirmed", "pending", "refused"]),
  reason: z.string().nullable(),
})

/** Of a change: a sentence. Throws ExitError where Prometheus has not confirmed it (3) or has refused it (4). */
export function outcomeOf(value: unknown): string {
  const { data } = applied.safeParse(value)
  if (data === undefined) throw new FedstackError("PORTAL_ERROR", 502, "this is no portal, or of another version")
  const site = cleanText(data.site)
  const done = data.action === "unchanged" ? `${site}: nothing to change` : `${site} ${data.action}`
  if (data.outcome === "confirmed") return `${done}; Prometheus has confirmed the configuration.\n`
  const reason = cleanText(data.reason ?? "")
  if (data.outcome === "refused")
    throw new ExitError("REFUSED", 4, `${done} in sites.yaml, but Prometheus refused the configuration: ${reason}`)
  throw new ExitError("NOT_CONFIRMED", 3, `${done} in sites.yaml, but Prometheus has not confirmed it yet: ${reason}`)
}
