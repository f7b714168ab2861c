import { setTimeout as delay } from "node:timers/promises"
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import type { Context } from "#core/component.ts"
import { ConfigurationError, UsageError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import type { WrittenUrl } from "./external-url.ts"
import { keyFileOf, parseRing } from "./key-file.ts"
import type { Key } from "./key.ts"
import { signingKey } from "./key-ring.ts"
import { mint } from "./mint.ts"
import { readRotation, requestRotation } from "./rotation-request.ts"
import { type KeyFolder, keyFolderOf } from "./settings.ts"

type IssueValues = KeyFolder & {
  readonly webExternalUrl: WrittenUrl | undefined
  readonly tokenLifetime: number
  readonly match: readonly string[]
}

/** Prints a token of the portal for an audience. Throws UsageError, and ConfigurationError where there is no key. */
export async function issueToken(
  values: IssueValues,
  { print, now }: Pick<Context, "print" | "now">,
  audience: string,
): Promise<undefined> {
  const { webExternalUrl: issuer, tokenLifetime, match } = values
  if (issuer === undefined)
    throw new UsageError([{ where: "--web.external-url", message: "is needed: it is the issuer of the token" }])
  const key = keyToIssueWith(values)
  const claims = { issuer: issuer.written, subject: issuer.host, audience }
  const narrowed = { ...claims, ...(match.length > 0 && { match }) }
  const { token } = await mint(key, narrowed, tokenLifetime, now().getTime() / 1000)
  print(`${token}\n`)
}

/** The key that signs. Throws ConfigurationError where there is none, or it cannot be read. */
export function keyToIssueWith(values: KeyFolder): Key {
  const file = keyFileOf(keyFolderOf(values))
  const key = signingKey(parseRing(readText(file), file))
  if (key !== undefined) return key
  throw new ConfigurationError([{ where: file, message: "holds no key that signs yet: a new one waits to be known" }])
}

/** Seconds for a running portal to begin; it looks every second. */
const PATIENCE = 15
const EVERY_MS = 100

/** Asks the portal that keeps these keys for a new one. Throws UsageError, and ConfigurationError where no keys are. */
export async function rotateKeys(
  values: KeyFolder & { readonly now: boolean; readonly dropOld: boolean },
  { print, signal }: Pick<Context, "print" | "signal">,
  patience = PATIENCE,
): Promise<void> {
  const { now, dropOld } = values
  if (dropOld && !now) throw new UsageError([{ where: "--drop-old", message: "goes with --now alone" }])
  const folder = keyFolderOf(values)
  if (!existsSync(keyFileOf(folder)))
    throw new ConfigurationError([
      {
        where: keyFileOf(folder),
        message: "is not there: no portal keeps keys in this folder, or this user cannot see it",
      },
    ])
  const id = randomUUID()
  await requestRotation(folder, { id, now, dropOld })
  for (let waited = 0; waited < patience * 1000 && !signal.aborted; waited += EVERY_MS) {
    if ((await readRotation(folder))?.id !== id) {
      print(`${dropOld ? DROPPED : now ? SWITCHED : BEGUN}\n`)
      return undefined
    }
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
  print(
    "No portal has taken the request yet: it waits in the folder of the keys, also for one that is started later.\n",
  )
}

const BEGUN =
  "A new key is published. It signs when every site that can be reached knows it, 10 minutes from now or later."
const SWITCHED = "A new key signs all tokens from now on. The one before is published until its tokens have ended."
const DROPPED =
  "A new key signs all tokens from now on. Sites refuse what the others signed as soon as they fetch the keys, mostly within 5 minutes."
