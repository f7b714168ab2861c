import { FRAMES } from "./frames.testing.ts"
import { QUERIES } from "./queries.testing.ts"
import { METHODS, TARGETS } from "./targets.testing.ts"
import type { Attack } from "./testing.ts"
import { TOKENS } from "./tokens.testing.ts"

export const ATTACKS: readonly Attack[] = [...QUERIES, ...TARGETS, ...METHODS, ...TOKENS, ...FRAMES]
