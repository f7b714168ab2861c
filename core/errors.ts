/** Names of the {placeholders} in a message template. */
type Placeholder<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never

/** An error that a person is meant to read: a stable code, an HTTP status where one applies, and a whole sentence. */
export class FedstackError extends Error {
  override readonly name = "FedstackError"
  readonly code: string
  readonly status: number

  constructor(code: string, status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = status
  }
}

/**
 * Declares an error of a component. `status` is the HTTP status that it becomes; 500 where it never reaches HTTP.
 * The result makes the error from the values of the template's {placeholders}.
 */
export function defineError<const Template extends string>(code: string, status: number, template: Template) {
  return (values: Readonly<Record<Placeholder<Template>, string | number>>, options?: ErrorOptions): FedstackError => {
    const given: Readonly<Record<string, string | number>> = values
    const message = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(given[name]))
    return new FedstackError(code, status, message, options)
  }
}

/** Ends a command with an exit code of its own. */
export class ExitError extends FedstackError {
  readonly exitCode: number

  constructor(code: string, exitCode: number, message: string, options?: ErrorOptions) {
    super(code, 500, message, options)
    this.exitCode = exitCode
  }
}

/** One thing that is wrong in what the user wrote. `where` is a place such as `sites.yaml:3:5 sites[0].url` or `--port`. */
export interface Fault {
  readonly where: string
  readonly message: string
}

export abstract class FaultsError extends Error {
  readonly faults: readonly Fault[]
  abstract readonly exitCode: number

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ where, message }) => `${where}: ${message}`).join("\n"))
    this.faults = faults
  }
}

/** Wrong flags or environment variables: exit code 2. */
export class UsageError extends FaultsError {
  override readonly name = "UsageError"
  readonly exitCode = 2
}

/** Wrong content of files: exit code 1. */
export class ConfigurationError extends FaultsError {
  override readonly name = "ConfigurationError"
  readonly exitCode = 1
}

/** Of whatever was thrown; `where` is the place of what names none itself. */
export const faultsOf = (error: unknown, where: string): readonly Fault[] =>
  error instanceof FaultsError ? error.faults : [{ where, message: explain(error) }]

/** The messages of an error and of what caused it, outermost first, in one line. */
export const explain = (error: unknown): string => explainOnce(error, new Set())

/** `seen` ends chains that come back to where they were. */
function explainOnce(error: unknown, seen: ReadonlySet<unknown>): string {
  if (!(error instanceof Error)) return String(error)
  const path = new Set([...seen, error])
  // a refused connection to a name with several addresses has an empty message and the reasons inside
  const own =
    error instanceof AggregateError && error.message === ""
      ? error.errors.map((inner) => explainOnce(inner, path)).join("; ")
      : error.message
  if (error.cause === undefined || path.has(error.cause)) return own
  const cause = explainOnce(error.cause, path)
  return own.includes(cause) ? own : `${own}: ${cause}`
}
