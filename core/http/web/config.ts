import { z } from "zod"
import { readYamlFile } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import { ConfigurationError } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { parseDuration } from "#core/config/units.ts"
import type { Rate } from "#core/limits/token-bucket.ts"
import { readTls, type TlsConfig, tlsSchema } from "./tls.ts"

/** Any value, or the only ones that are allowed. */
const header = (...values: string[]) =>
  z
    .string()
    .refine((value) => !/[^\t\x20-\x7e]/.test(value), "must be one line of plain characters")
    .refine((value) => value === "" || values.length === 0 || values.includes(value), `must be ${values.join(" or ")}`)
    .nullish()

const interval = z.union([z.number(), z.string()]).transform((value, context) => {
  const text = String(value)
  const seconds = /^[\d.]+$/.test(text) && Number(text) !== 0 ? undefined : parseDuration(text)
  if (seconds !== undefined) return seconds
  context.addIssue({ code: "custom", message: "must be a duration with its unit, such as 1s or 100ms" })
  return z.NEVER
})

const schema = z
  .strictObject({
    tls_server_config: tlsSchema.nullish(),
    http_server_config: z
      .strictObject({
        http2: z.boolean().nullish(),
        headers: z
          .strictObject({
            "Content-Security-Policy": header(),
            "X-Frame-Options": header("deny", "sameorigin"),
            "X-Content-Type-Options": header("nosniff"),
            "X-XSS-Protection": header(),
            "Strict-Transport-Security": header(),
          })
          .nullish(),
      })
      .nullish(),
    basic_auth_users: z
      .record(
        z.string().regex(/^[^:]*$/, "must not hold a colon"),
        z
          .string()
          .regex(/^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/, "must be a bcrypt hash such as $2y$10$…"),
      )
      .nullish(),
    rate_limit: z.strictObject({ interval, burst: z.int().min(0).default(0) }).nullish(),
  })
  .nullable()

/** An empty file is what a full disk leaves of one with users: taken for one that sets nothing, it would serve every client. */
function notEmpty(text: string, file: string): string {
  if (text.trim() !== "") return text
  throw new ConfigurationError([{ where: file, message: "is empty; write {} into a file that is to set nothing" }])
}

/** The file may be shared with Prometheus and its exporters, so it is no fault. */
const HTTP2 = "HTTP/2 is not supported; clients negotiate HTTP/1.1 in the TLS handshake"

export interface WebConfig {
  readonly tls: TlsConfig | undefined
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Bcrypt hashes by user name; empty: every client is served. */
  readonly users: ReadonlyMap<string, string>
  readonly rateLimit: Rate | undefined
  /** What is set and not supported, for the log. */
  readonly warnings: readonly string[]
}

/**
 * Reads a file in the format of Prometheus' exporter-toolkit
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md) with the certificates that it
 * names. `refuseBasicAuth`: why this server refuses basic_auth_users. Throws ConfigurationError with every fault.
 */
export async function readWebConfig(file: string, read: ReadText, refuseBasicAuth?: string): Promise<WebConfig> {
  const { value, where } = await readYamlFile(file, schema, (name) => notEmpty(read(name), name))
  const faults = new Faults()
  const { tls_server_config: given, http_server_config: http, rate_limit: limit } = value ?? {}
  const tls = given ? readTls(given, { file, where, read }, faults) : undefined
  const users = new Map(Object.entries(value?.basic_auth_users ?? {}))
  if (users.size > 0 && refuseBasicAuth !== undefined) faults.add(where(["basic_auth_users"]), refuseBasicAuth)
  const rateLimit = limit?.interval ? { perSecond: 1 / limit.interval, burst: limit.burst } : undefined
  if (rateLimit !== undefined && rateLimit.burst < 1)
    faults.add(where(["rate_limit", "burst"]), "must be at least 1, otherwise every request is refused")
  faults.orThrow()
  return {
    tls,
    users,
    headers: Object.entries(http?.headers ?? {}).flatMap(([name, text]) => (text ? [[name, text] as const] : [])),
    rateLimit,
    warnings: http?.http2 && tls ? [`${where(["http_server_config", "http2"])}: ${HTTP2}`] : [],
  }
}
