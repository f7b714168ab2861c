import { ATTENTION } from "./attention.ts"
import type { CauseEntry } from "./entry.ts"
import { EXPOSITION } from "./exposition.ts"
import { HTTP } from "./http.ts"
import { LIMITS } from "./limits.ts"
import { NETWORK } from "./network.ts"
import { PORTAL } from "./portal.ts"
import { PUSH } from "./push.ts"
import { SILENT } from "./silent.ts"
import { TLS } from "./tls.ts"
import { TOKENS } from "./tokens.ts"

/** All causes, in the order of docs/diagnosis.md: the way of a scrape, then what no scrape reports. */
export const CAUSES = {
  ...NETWORK,
  ...TLS,
  ...TOKENS,
  ...HTTP,
  ...EXPOSITION,
  ...LIMITS,
  ...SILENT,
  ...PUSH,
  ...PORTAL,
  ...ATTENTION,
}

export type CauseId = keyof typeof CAUSES

export const isCauseId = (id: string): id is CauseId => Object.hasOwn(CAUSES, id)

export const entryOf = (id: CauseId): CauseEntry => CAUSES[id]

export const ENTRIES: readonly CauseEntry[] = Object.values(CAUSES)
