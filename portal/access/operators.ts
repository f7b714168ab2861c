import { z } from "zod"
import type { Credentials } from "#core/auth/authenticate.ts"
import { createKeySets } from "#core/auth/jwt/key-sets.ts"
import type { Owner } from "#core/auth/owner.ts"
import { readCredentials } from "#core/auth/read.ts"
import { ownerName, tokenKeys } from "#core/auth/schema.ts"
import { readYamlFile } from "#core/config/config-file.ts"
import { duplicates, Faults } from "#core/config/faults.ts"
import { expected } from "#core/config/schema.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"

const schema = z.strictObject(
  {
    tokens: z.array(
      z.strictObject({ name: ownerName, ...tokenKeys }, expected("an operator: a map with name and sha256")),
      expected("a list of operators"),
    ),
  },
  expected("a map with the key tokens"),
)

/** Who may change sites, by token. */
export interface Operators {
  readonly credentials: Credentials<Owner>
  readonly warnings: readonly Fault[]
}

const NOBODY: Credentials<Owner> = { tokens: [], issuers: [], certificates: [] }
export const NO_OPERATORS: Operators = { credentials: NOBODY, warnings: [] }

/** Reads the operators' tokens, as a policy of the proxy has them. Throws ConfigurationError with every fault. */
export async function readOperators(
  file: string,
  {
    read,
    env,
    now,
  }: { readonly read: ReadText; readonly env: Readonly<Record<string, string | undefined>>; readonly now: Date },
): Promise<Operators> {
  const { value, where } = await readYamlFile(file, schema, read)
  const faults = new Faults()
  const warnings: Fault[] = []
  const keySets = createKeySets(() => {
    throw new Error("operators have no issuers")
  })
  const owned = value.tokens.map((entry, index) => ({ entry, owner: { name: entry.name }, path: ["tokens", index] }))
  for (const [{ path }, first] of duplicates(owned, ({ owner }) => owner.name))
    faults.add(where([...path, "name"]), `is also the name at ${where(first.path)}; give one entry several secrets`)
  const credentials = readCredentials<Owner>(
    { tokens: owned, issuers: [], certificates: [] },
    { file, where, read, env, now, keySets, faults, warnings },
    (owner) => () => owner,
  )
  faults.orThrow()
  return { credentials, warnings }
}
