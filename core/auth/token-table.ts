import type { Owner } from "./owner.ts"

/** A static token, by its hash. */
export interface TokenCredential<O extends Owner> {
  readonly sha256: Buffer
  readonly owner: O
  readonly validFrom?: Date | undefined
  readonly notAfter?: Date | undefined
  /** Where it was written: `policy.yaml:4:5 tokens[0].sha256[0]`. */
  readonly where: string
}

const WORDS = 8

/** The hashes of all tokens in one piece, so that a comparison with each of 1,000 takes some microseconds. */
export function packHashes(credentials: readonly Pick<TokenCredential<Owner>, "sha256">[]): Int32Array {
  const table = new Int32Array(credentials.length * WORDS)
  for (const [row, { sha256 }] of credentials.entries()) {
    for (let word = 0; word < WORDS; word++) table[row * WORDS + word] = sha256.readInt32BE(word * 4)
  }
  return table
}

/** The row of a hash, or -1. Every word of every row is compared and nothing branches on the result: the time does not depend on it. */
export function findHash(table: Int32Array, sha256: Buffer): number {
  const words = packHashes([{ sha256 }])
  const rows = table.length / WORDS
  let found = -1
  for (let row = 0; row < rows; row++) {
    let difference = 0
    for (let word = 0; word < WORDS; word++) {
      difference |= (table[row * WORDS + word] ?? 0) ^ (words[word] ?? 0)
    }
    const same = ((difference | -difference) >> 31) ^ -1 // all bits set where nothing differs, else none
    found = (found & ~same) | (row & same)
  }
  return found
}
