import { TomlDate } from "smol-toml"
import { z } from "zod"
import { parseTomlText } from "#core/config/config-file.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"

/** When a machine runs, in milliseconds of Unix time. */
export type Existence = "since the start" | "never" | readonly [from: number, to: number]

export interface Machine {
  readonly vcpus: number
  readonly memoryMb: number
  readonly existence: Existence
  readonly metadata: Readonly<Record<string, string>>
}

export type DummyDomain = ReturnType<typeof parseDummyFile>[number]

const NO_METADATA = {}
const EXISTENCE = "must be true, false, a date or a pair of dates [boot, shutdown], as in 2025-01-31T08:00:00"

const existence = z.unknown().transform((value, context): Existence => {
  if (value === undefined || value === true) return "since the start"
  if (value === false) return "never"
  if (isMoment(value)) return [value.getTime(), Infinity]
  const [boot, shutdown, ...more] = Array.isArray(value) ? (value as unknown[]) : []
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message })
    return z.NEVER
  }
  if (!isMoment(boot) || !isMoment(shutdown) || more.length > 0) return refuse(EXISTENCE)
  if (boot > shutdown) return refuse("the boot must not be after the shutdown")
  return [boot.getTime(), shutdown.getTime()]
})

/** A date without an offset is UTC. A time of day alone has no day. */
const isMoment = (value: unknown): value is TomlDate => value instanceof TomlDate && !value.isTime()

const text = z.string("must be a text")
const amount = z.number("must be a number").positive("must be more than 0")
const machine = z
  .strictObject(
    {
      ram: amount.default(8),
      cpus: amount.default(4),
      existence: existence.optional(),
      metadata: z.record(z.string(), text, "must be a table of texts").optional(),
      instance_id: text.optional(),
      name: text.optional(),
    },
    "must be a table such as {ram = 8, cpus = 4, existence = true}",
  )
  .transform((given): Machine => ({
    vcpus: given.cpus,
    memoryMb: given.ram * 1024,
    existence: given.existence ?? "since the start",
    metadata: given.metadata ?? NO_METADATA,
  }))
const project = z.strictObject(
  {
    project_id: text.default("UNKNOWN_ID"),
    project_name: text.default("UNKNOWN_NAME"),
    machines: z.array(machine, "must be an array of tables").default([]),
  },
  "must be a table",
)
/** A check that runs although parts of the value are wrong. */
const ALSO_BESIDE_OTHER_FAULTS = { when: ({ value }: { readonly value: unknown }) => Array.isArray(value) }

const domain = z.strictObject(
  {
    domain_id: text.default("UNKNOWN_DOMAIN_ID"),
    projects: z
      .array(project, "must be an array of tables")
      .default([])
      .superRefine(idsDiffer, ALSO_BESIDE_OTHER_FAULTS),
  },
  "must be a table of one domain, with domain_id and projects",
)
const file = z.record(z.string(), domain)

function idsDiffer(projects: readonly unknown[], context: z.RefinementCtx): void {
  const first = new Map<string, number>()
  projects.forEach((given, index) => {
    const id = z.object({ project_id: z.string() }).safeParse(given).data?.project_id
    const other = id === undefined ? undefined : first.get(id)
    if (other !== undefined) {
      const message = `is the id of projects[${other}] too; it must be another in each project of a domain`
      context.addIssue({ code: "custom", path: [index, "project_id"], message })
    } else if (id !== undefined) first.set(id, index)
  })
}

/** Parses a file of fake domains, projects and machines. Throws ConfigurationError with all faults. */
export function parseDummyFile(content: string, name: string) {
  return Object.entries(parseTomlText(content, name, file).value).map(([domainName, { domain_id, projects }]) => ({
    id: domain_id,
    name: domainName,
    projects: projects.map(({ project_id, project_name, machines }) => ({
      id: project_id,
      name: project_name,
      machines,
    })),
  }))
}

export type ParserInput = { readonly text: string; readonly file: string }
export type ParserResult = { readonly domains: readonly DummyDomain[] } | { readonly faults: readonly Fault[] }

// as a process of its own, for large files
if (import.meta.main)
  process.once("message", (input: ParserInput) =>
    process.send?.(parseInput(input.text, input.file), () => process.disconnect()),
  )

function parseInput(content: string, name: string): ParserResult {
  try {
    return { domains: parseDummyFile(content, name) }
  } catch (error) {
    if (error instanceof ConfigurationError) return { faults: error.faults }
    throw error
  }
}
