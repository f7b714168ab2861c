import type { ReadText } from "#core/files/read-text.ts"

/** Where the configuration comes from. */
export interface Inputs {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes names of token files that reveal nothing about the token without it. */
  readonly key: Buffer
  readonly read: ReadText
}
