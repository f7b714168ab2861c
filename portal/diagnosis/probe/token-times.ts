/** When a token is valid, where it says so itself: a JWT. Nothing is verified. */
export interface TokenTimes {
  readonly issued: Date | undefined
  readonly notBefore: Date | undefined
  readonly expires: Date | undefined
}

export function tokenTimes(header: string | undefined): TokenTimes {
  const [, payload] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/.exec(header ?? "") ?? []
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? "", "base64url").toString("utf8"))
    if (typeof claims !== "object" || claims === null) return UNKNOWN
    return {
      issued: "iat" in claims ? dateOf(claims.iat) : undefined,
      notBefore: "nbf" in claims ? dateOf(claims.nbf) : undefined,
      expires: "exp" in claims ? dateOf(claims.exp) : undefined,
    }
  } catch {
    return UNKNOWN // any other token
  }
}

const UNKNOWN: TokenTimes = { issued: undefined, notBefore: undefined, expires: undefined }

function dateOf(seconds: unknown): Date | undefined {
  const date = new Date(typeof seconds === "number" ? seconds * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}
