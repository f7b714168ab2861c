import { fork } from "node:child_process"
import { hash } from "node:crypto"
import { setImmediate as turn } from "node:timers/promises"
import { readText } from "#core/files/read-text.ts"
import { ConfigurationError, defineError } from "#core/errors.ts"
import { absencesIn } from "./absences.ts"
import { type Cloud, type DomainFilter, isWanted, type Period, type Project } from "./cloud.ts"
import { type DummyDomain, type Machine, parseDummyFile, type ParserInput, type ParserResult } from "./dummy-file.ts"
import type { Pool } from "./simple-vm.ts"
import { hoursBetween, type Server } from "./usage.ts"

const NO_PROPERTIES = {}
/** Characters of a file from where on it is parsed in a process of its own. */
const LARGE = 1_000_000

/** Projects that are added up between two turns of the event loop, so that scrapes are served. */
const SLICE = 250

export const parserDied = defineError(
  "PARSER_DIED",
  500,
  "the process that parsed {file} ended without a result: {reason}",
)

export interface DummyOptions {
  readonly filter: DomainFilter
  readonly pool: Pool | undefined
  /** Ends what parses the file. */
  readonly signal: AbortSignal
}

/**
 * A cloud that stands in a TOML file, which is read again for every update, and parsed again only if its content changed.
 * Throws ConfigurationError with every fault if the file is wrong from the beginning.
 */
export async function openDummyCloud(file: string, { filter, pool, signal }: DummyOptions): Promise<Cloud> {
  let known = { digest: "", domains: [] as readonly DummyDomain[] }
  const read = async (): Promise<readonly DummyDomain[]> => {
    const text = readText(file)
    const digest = hash("sha256", text)
    if (digest === known.digest) return known.domains
    known = {
      digest,
      domains: text.length < LARGE ? parseDummyFile(text, file) : await parseApart({ text, file }, signal),
    }
    return known.domains
  }
  await read()
  return {
    async usage(period, begin) {
      const all = await read()
      const domains = all.filter((domain) => isWanted(domain, filter))
      const add = begin()
      const projects: Project[] = []
      for (const domain of domains)
        for (const { id, name, machines } of domain.projects) {
          const key = `${domain.id}/${domain.name}/${id}` // ids need not be given
          projects.push({ key, id, name, domainId: domain.id, domainName: domain.name, properties: NO_PROPERTIES })
          for (const machine of machines) {
            const part = id === pool?.projectId ? tagOf(machine, pool) : undefined
            if (id !== pool?.projectId || part !== undefined) add(key, serverOf(machine, period), part)
          }
          if (projects.length % SLICE === 0) await turn()
        }
      return { projects, absent: absencesIn({ domains: all, projects }, { filter, pool }) }
    },
  }
}

const tagOf = ({ metadata }: Machine, { tag }: Pool): string | undefined =>
  Object.hasOwn(metadata, tag) ? metadata[tag] : undefined

/**
 * Parses in a process of its own: a large file takes hundreds of milliseconds, in which scrapes are to be served, and
 * hundreds of megabytes, which only the end of a process gives back.
 */
async function parseApart(input: ParserInput, signal: AbortSignal): Promise<readonly DummyDomain[]> {
  const parser = fork(new URL("./dummy-file.ts", import.meta.url), {
    serialization: "advanced",
    signal,
    killSignal: "SIGKILL",
  })
  const { promise, resolve, reject } = Promise.withResolvers<ParserResult>()
  parser.once("message", (result) => resolve(result as ParserResult))
  parser.on("error", reject)
  parser.once("exit", (code, by) => reject(parserDied({ file: input.file, reason: by ?? `exit code ${code}` })))
  parser.send(input)
  const result = await promise
  if ("faults" in result) throw new ConfigurationError(result.faults)
  return result.domains
}

function serverOf({ vcpus, memoryMb, existence }: Machine, { start, end }: Period): Server {
  const period = [start.getTime(), end.getTime()] as const
  const [from, to] =
    existence === "since the start" ? period : existence === "never" ? ([period[0], period[0]] as const) : existence
  return {
    vcpus,
    memoryMb,
    diskGb: 0,
    startedAt: from / 1000,
    endedAt: existence === "since the start" ? Infinity : to / 1000,
    hours: hoursBetween(period, [from, to]),
  }
}
