import { FRAMES } from "./frames.ts"
import { QUERIES } from "./queries.ts"
import { METHODS, TARGETS } from "./targets.ts"
import type { Attack } from "./request.ts"
import { TOKENS } from "./tokens.ts"

export const ATTACKS: readonly Attack[] = [...QUERIES, ...TARGETS, ...METHODS, ...TOKENS, ...FRAMES]
