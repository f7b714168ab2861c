import type { z } from "zod"
import { defineError } from "#core/errors.ts"
import { fetchText } from "#core/http/client.ts"

const RESPONSE_LIMIT = 1_048_576

export const badResponse = defineError("BAD_RESPONSE", 502, "{url} responded with {reason}")

export interface JsonEndpoint {
  readonly url: URL
  /** Seconds. */
  readonly timeout: number
}

/** The JSON of an endpoint's response. Throws REQUEST_FAILED, or BAD_RESPONSE with everything that is wrong in it. */
export async function readEndpoint<T>(
  { url, timeout }: JsonEndpoint,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const shown = `${url.origin}${url.pathname}`
  const request = { deadline: timeout, limit: RESPONSE_LIMIT, headers: { accept: "application/json" }, signal }
  const { status, body, contentType } = await fetchText(url, request)
  if (status !== 200) throw badResponse({ url: shown, reason: `${status}, not 200` })
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    const reason = `no JSON but ${contentType || "something without a content type"}`
    throw badResponse({ url: shown, reason }, { cause })
  }
  const result = schema.safeParse(value, { reportInput: false })
  if (result.success) return result.data
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`)
  throw badResponse({ url: shown, reason: `something else than expected: ${faults.join("; ")}` })
}
