import { UsageError } from "#core/errors.ts"
import type { Site } from "../federation/sites.ts"
import type { WrittenUrl } from "./external-url.ts"
import { keyToIssueWith } from "./issue.ts"
import { mint } from "./mint.ts"
import type { KeyFolder } from "./settings.ts"

/** What `fedstack doctor` and the like need to request sites as the portal does. */
export type SigningValues = KeyFolder & { readonly webExternalUrl: WrittenUrl | undefined }

/** Seconds that a token lives which is used at once. */
const LIFETIME = 120

/**
 * Tokens for those of the sites that are sent one that the portal signs, by the paths of their files. Throws UsageError, and
 * ConfigurationError where there is no key.
 */
export async function tokensFor(
  sites: readonly Site[],
  values: SigningValues,
  now: () => Date,
): Promise<ReadonlyMap<string, string>> {
  const wanted = sites.filter(({ jwt, paused }) => jwt !== undefined && paused === undefined)
  const [first] = wanted
  if (first === undefined) return new Map()
  const issuer = values.webExternalUrl
  if (issuer === undefined) {
    const message = `is needed for ${first.name}, which is sent a token that the portal signs: give what the portal has`
    throw new UsageError([{ where: "--web.external-url", message }])
  }
  const key = keyToIssueWith(values)
  const claims = { issuer: issuer.written, subject: issuer.host }
  const signed = wanted.map(async ({ jwt, secretFile = "" }) => {
    const { audience = "", match } = jwt ?? {}
    const { token } = await mint(key, { ...claims, audience, match }, LIFETIME, now().getTime() / 1000)
    return [secretFile, token] as const
  })
  return new Map(await Promise.all(signed))
}
