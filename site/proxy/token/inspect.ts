import { Socket } from "node:net"
import { authenticate } from "#core/auth/authenticate.ts"
import { readUnverified, type UnverifiedToken } from "#core/auth/jwt/issuer.ts"
import { sha256 } from "#core/auth/secrets.ts"
import type { Context } from "#core/component.ts"
import { readText } from "#core/files/read-text.ts"
import { UNLIMITED_TURNS } from "#core/limits/turns.ts"
import { createAuthorize } from "#core/promql/authorize.ts"
import { createNarrower } from "#core/promql/narrow.ts"
import { ConfigurationError } from "#core/errors.ts"
import { printSelector } from "#core/promql/selector.ts"
import { policyFile } from "../policy/load.ts"
import { createNarrowClient } from "#core/federation/narrow-client.ts"
import type { PolicyLoader } from "#core/federation/open-policy.ts"
import { readToken } from "./print.ts"
import { problemOf } from "./verify.ts"
import type { Policy } from "../policy/types.ts"

interface InspectOptions {
  readonly policy: string | undefined
  readonly jwks: string | undefined
}

/**
 * Of the token in a file or, for an empty name, on standard input; with a `policy` file also whose it is there. Throws
 * ConfigurationError where the keys of `jwks`, a URL or a file, do not verify it.
 */
export async function printToken(
  file: string,
  { policy, jwks }: InspectOptions,
  { print, now, env, log, signal }: Pick<Context, "print" | "now" | "env" | "log" | "signal">,
): Promise<undefined> {
  const token = await readToken(file)
  const lines = policy === undefined ? [] : await ownerLines(token, policyFile(policy, { env, now, log }), now())
  const problem = jwks === undefined ? undefined : await problemOf(token, jwks, now(), signal)
  const verified: readonly Line[] =
    jwks === undefined ? [] : [["verified", problem === undefined ? `by the keys of ${jwks}` : `no: ${problem}`]]
  print(inspect(token, now(), [...verified, ...lines]))
  if (jwks !== undefined && problem !== undefined)
    throw new ConfigurationError([{ where: jwks, message: `does not verify the token: ${problem}` }])
}

/** Whose token it is in a proxy with this policy, and until when; an issuer's keys are fetched as the proxy does. */
async function ownerLines(token: string, loader: PolicyLoader<Policy>, now: Date): Promise<readonly Line[]> {
  try {
    const policy = await loader.load(readText)
    const request = { rawHeaders: ["Authorization", `Bearer ${token}`], socket: new Socket() }
    const identity = await authenticate(request, policy, now)
    if (!("owner" in identity)) return [["policy", `refused: ${identity.reason}`]]
    const { validUntil } = identity
    const owner = await createNarrowClient(createNarrower(createAuthorize(), UNLIMITED_TURNS)).narrow(identity.owner)
    const until = validUntil === Infinity ? "without end" : `until ${new Date(validUntil).toISOString()}`
    return [
      ["policy", `${owner.name} (${owner.where}), ${until}`],
      ...owner.shared.map(({ selector }) => ["may read", printSelector(selector)] as const),
      ...(owner.notGranted === undefined ? [] : [["not granted", owner.notGranted] as const]),
    ]
  } finally {
    await loader.close()
  }
}

/** What can be seen of a token without any key; of one that is not a JWT only its length and hash, never itself. */
export function inspect(token: string, now: Date, more: readonly Line[] = []): string {
  const jwt = readUnverified(token)
  const checked = more.some(([name]) => name === "verified")
  const lines = [...(jwt === undefined ? opaque(token) : describe(jwt, now, checked)), ...more]
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("")
}

type Line = readonly [name: string, value: string]

function opaque(token: string): readonly Line[] {
  return [
    ["kind", "an opaque token, not a JWT"],
    ["length", `${token.length} characters`],
    ["sha256", sha256(token).toString("hex")],
  ]
}

function describe({ header, payload }: UnverifiedToken, now: Date, checked: boolean): readonly Line[] {
  const { iss, sub, aud, nbf, iat, exp, match, ...rest } = payload
  const given: readonly (readonly [string, unknown])[] = [
    ["kind", checked ? "a JWT" : "a JWT; its signature was not checked"],
    ["algorithm", header.alg],
    ["key", header.kid],
    ["issuer", iss],
    ["subject", sub],
    ["audience", aud],
    ["issued", moment(iat, now)],
    ["not before", moment(nbf, now)],
    ["expires", exp === undefined ? "never: no proxy should accept it" : moment(exp, now)],
    ["match", match],
    // one that is called policy is not to look like what the policy makes of the token
    ...Object.entries(rest).map(
      ([name, value]) => [/^(?!(?:policy|verified)$)[\w.:/-]+$/.test(name) ? name : quote(name), value] as const,
    ),
  ]
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, show(value)]]))
}

function show(value: unknown): string {
  return typeof value === "string" && /^[\x20-\x7e]*$/.test(value) ? value : quote(value)
}

/** One line that a terminal only prints, whatever control characters a token holds. */
function quote(value: unknown): string {
  const escape = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`
  return JSON.stringify(value).replaceAll(/[\p{C}\u2028\u2029]/gu, escape)
}

/** `seconds` of Unix time. */
function moment(seconds: number | undefined, now: Date): string | undefined {
  if (seconds === undefined) return undefined
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds} is no date`
  const away = Math.round(seconds - now.getTime() / 1000)
  return `${date.toISOString()}, ${away >= 0 ? `in ${span(away)}` : `${span(-away)} ago`}`
}

const UNITS = [
  [86_400, "days"],
  [3600, "hours"],
  [60, "minutes"],
] as const

function span(seconds: number): string {
  const [size, unit] = UNITS.find(([one]) => seconds >= 2 * one) ?? [1, "seconds"]
  return `${Math.floor(seconds / size)} ${unit}`
}
