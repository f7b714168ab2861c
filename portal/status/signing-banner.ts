import { moment } from "../diagnosis/words.ts"
import { clean } from "./changes.ts"
import type { Banner } from "./overview.ts"

/** What is the matter with the keys of tokens that the portal signs. */
export type SigningProblem =
  /** A new key waits to be known; no token is signed until then. */
  | { readonly kind: "lost"; readonly until: Date }
  | { readonly kind: "unusable"; readonly reason: string }
  /** These sites accept the key that signs, and refuse the next one, which signs at this time at the latest. */
  | { readonly kind: "refused"; readonly sites: readonly string[]; readonly latest: Date }

const SHOWN = 3

export function signingBanner(problem: SigningProblem | undefined): Omit<Banner, "since"> | undefined {
  if (problem === undefined) return undefined
  if (problem.kind === "lost") {
    return {
      id: "signing_keys_lost",
      severity: "attention",
      message: `The keys that sign tokens are gone. A new key is published, and signs from ${moment(problem.until)} on.`,
      todo: "Nothing, if the sites fetch the keys: tokens that were signed before stay valid until they end.",
    }
  }
  if (problem.kind === "unusable") {
    return {
      id: "signing_keys_faulty",
      severity: "trouble",
      message: clean(`The keys that sign tokens cannot be used: ${problem.reason}.`),
      todo: "Mend the file: it is read again when it changes. Where no key was in force before, tokens are not renewed until then.",
    }
  }
  const { sites, latest } = problem
  const more = sites.length > SHOWN ? ` and ${sites.length - SHOWN} more` : ""
  return {
    id: "next_key_refused",
    severity: "attention",
    message: `The next key for tokens is not known yet at ${sites.slice(0, SHOWN).join(", ")}${more}.`,
    todo: `Ask their admins whether their proxy can fetch /.well-known/jwks.json. The key signs at ${moment(latest)} at the latest.`,
  }
}
