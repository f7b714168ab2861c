import { ConfigurationError } from "#core/errors.ts"
import { readText } from "#core/files/read-text.ts"
import { CloudSettings, type Entry } from "./cloud-settings.ts"
import { parseOpenrc } from "./openrc/openrc.ts"

export type Environment = Readonly<Record<string, string | undefined>>

/** OS_* variables and where they stand: a file, or the environment, and never both. */
export interface OsVariables {
  readonly where: string
  readonly settings: () => CloudSettings
  /** Of one variable; undefined where it is not set, empty or cannot be read. */
  readonly valueOf: (name: string) => string | undefined
  readonly names: readonly string[]
}

const nameOf = (key: string): string => `OS_${key.toUpperCase()}`

const ENVIRONMENT = "the environment"

export const variablesOfEnvironment = (env: Environment): OsVariables => variablesOf(ENVIRONMENT, entriesOf(env))

function entriesOf(env: Environment): readonly Entry[] {
  return Object.entries(env).flatMap(([name, value]) =>
    name.startsWith("OS_") && value !== undefined && value !== ""
      ? [{ key: name.slice(3), value, where: ENVIRONMENT, name }]
      : [],
  )
}

/**
 * Of a file, read now. A file with OS_AUTH_URL is complete by itself. One without, such as a file with nothing but a secret,
 * adds to the environment, and wins. Throws ConfigurationError.
 */
export function variablesOfFile(file: string, env: Environment): OsVariables {
  const { variables, unseen } = parseOpenrc(readText(file), file, env)
  if (variables.size === 0) throw new ConfigurationError([{ where: file, message: "sets no OS_* variable" }])
  const entries = [...variables].flatMap(([name, variable]): readonly Entry[] => {
    const value = "value" in variable ? variable.value : { unreadable: variable.unreadable }
    return value === "" ? [] : [{ key: name.slice(3), value, where: `${file}:${variable.line}`, name }]
  })
  const hint =
    unseen.length === 0
      ? undefined
      : `Line ${unseen.join(", ")} may set it, but no other file is read and no command run: write it here`
  if (variables.has("OS_AUTH_URL") || variables.has("OS_CLOUD")) return variablesOf(file, entries, hint)
  return variablesOf(`${file} and the environment`, [...completing(entries, env), ...entries], hint)
}

/** Variables of the environment beside those of a file; without the credentials of another kind than the file's. */
function completing(entries: readonly Entry[], env: Environment): readonly Entry[] {
  const kindOf = ({ name }: Entry): string | undefined => SECRETS.find((pattern) => pattern.test(name))?.source
  const kinds = entries.map(kindOf).filter((kind) => kind !== undefined)
  return entriesOf(env).filter((entry) => {
    const kind = kindOf(entry)
    return entry.name !== "OS_CLOUD" && (kind === undefined || kinds.length === 0 || kinds.includes(kind))
  })
}

const SECRETS = [/^OS_PASSWORD$/, /^OS_APPLICATION_CREDENTIAL_/, /^OS_(?:AUTH_)?TOKEN$/]

function variablesOf(where: string, entries: readonly Entry[], hint?: string): OsVariables {
  const settings = (): CloudSettings => {
    const made = new CloudSettings(where, nameOf, entries)
    if (hint !== undefined) for (const key of HINTED) made.hint(key, hint)
    return made
  }
  const valueOf = (name: string): string | undefined => {
    const value = entries.findLast((entry) => entry.name === name)?.value
    return typeof value === "string" ? value : undefined
  }
  return { where, settings, valueOf, names: entries.map(({ name }) => name) }
}

const HINTED = ["auth_url", "username", "password", "project_name", "user_domain_name", "application_credential_secret"]
